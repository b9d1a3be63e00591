"""Cases follow the answers; on both kinds of store."""

import pytest
from sqlalchemy import text
from sqlmodel import select

from backend.consensus import marks_repository
from backend.models import CaseReason, ConsensusLabel, Record, ReviewCase
from backend.records import repository as records
from backend.review import refreshing
from backend.review.decisions import Decisions
from backend.review.refreshing import Refreshed, is_desk_behind
from backend.review.schemas import DecisionRequest
from backend.words import Message
from tests.backend.review.conftest import Desk
from tests.fixtures.database import database

__all__ = ["database"]


def test_a_tie_opens_a_case_and_a_third_answer_settles_it(desk: Desk) -> None:
    ana, bo, cy = desk.people("Ana", "Bo", "Cy")
    desk.answer(1, ana, "good")
    assert desk.refresh().opened == 0  # the second answer is not there yet
    desk.answer(1, bo, "poor")
    assert desk.refresh() == Refreshed(consensus_labels=1, opened=1)
    case = desk.cases()[1]
    assert (case.state, case.reason, case.kind, case.version) == ("open", "tie", "product", 1)
    assert desk.refresh() == Refreshed()
    desk.answer(1, cy, "poor")
    assert desk.refresh() == Refreshed(consensus_labels=1, settled=1)
    assert (desk.cases()[1].state, desk.cases()[1].priority) == ("settled", 0.0)
    with desk.services.database.reading() as session:
        held = session.get(ConsensusLabel, 1)
        assert held is not None
        assert (held.grade, held.votes, held.is_complete) == ("poor", 3, True)
        assert session.exec(select(CaseReason)).all() == []


def test_a_changed_answer_opens_the_settled_case_again(desk: Desk) -> None:
    ana, bo = desk.people("Ana", "Bo")
    desk.answer(1, ana, "good")
    number = desk.answer(1, bo, "poor")
    desk.refresh()
    desk.answer(1, bo, "good", annotation_id=number, revision=2)
    assert desk.refresh().settled == 1
    desk.answer(1, bo, "fair", annotation_id=number, revision=3)
    assert desk.refresh().reopened == 1
    assert desk.cases()[1].state == "open"


def test_a_decision_stands_until_the_record_changes(desk: Desk) -> None:
    ana, bo = desk.people("Ana", "Bo")
    desk.answer(1, ana, "good")
    desk.answer(1, bo, "poor")
    desk.refresh()
    case = desk.cases()[1]
    with desk.services.database.transaction() as session:
        Decisions(session, desk.clock).decide(
            desk.project,
            case.id,
            DecisionRequest(version=case.version, action="decide", grade="poor"),
            author="lead",
        )
    assert desk.refresh() == Refreshed()
    with desk.services.database.transaction() as session:
        record = session.exec(select(Record).where(Record.external_id == "r1")).one()
        record.is_current = False
        session.add(record)
    assert desk.refresh().reopened == 1
    again = desk.cases()[1]
    assert again.state == "open"
    assert again.decision_id is not None  # it stands until another is taken
    assert "record_changed" in {reason["code"] for reason in again.reasons}


def test_answers_that_are_deleted_leave_a_case_and_no_label(desk: Desk) -> None:
    (ana,) = desk.people("Ana")
    number = desk.answer(2, ana, "good")
    desk.refresh()
    desk.answer(2, ana, "good", annotation_id=number, revision=2, deleted=True)
    desk.refresh()
    with desk.services.database.reading() as session:
        assert session.get(ConsensusLabel, 2) is None
    assert desk.cases()[2].reason == "answers_deleted"


def test_withdrawn_labels_skips_and_unknown_people(desk: Desk) -> None:
    (ana,) = desk.people("Ana")
    desk.answer(1, ana, "superb")
    desk.answer(1, None, "good")
    desk.answer(2, ana, None, skipped=True)
    desk.answer(2, None, None, skipped=True)
    desk.answer(3, None, "good")
    desk.answer(3, None, "good")  # two people of whom Label Studio knows nothing any more
    desk.refresh()
    cases = desk.cases()
    assert {reason["code"] for reason in cases[1].reasons} == {"withdrawn_label"}
    assert 2 not in cases
    assert 3 not in cases
    with desk.services.database.reading() as session:
        skipped, agreed = session.get(ConsensusLabel, 2), session.get(ConsensusLabel, 3)
        assert skipped is not None
        assert agreed is not None
        assert (skipped.grade, skipped.votes, skipped.skips) == (None, 0, 2)
        assert (agreed.grade, agreed.votes) == ("good", 2)


def told(case: ReviewCase) -> str:
    return str(Message.from_json(case.reasons[0]["reason_message"]))


def test_reasons_stored_with_other_words_are_renewed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, bo = desk.people("Ana", "Bo")
    desk.answer(1, ana, "good", issues=["unsafe"])
    desk.answer(1, bo, "good")
    desk.refresh()
    with desk.services.database.transaction() as session:
        case = session.exec(select(ReviewCase)).one()
        assert "differ on the issue unsafe" in told(case)
        case.reasons = [{**case.reasons[0], "reason_message": {"text": "x", "values": {}}}]
        case.fingerprint = "of the words before"
        session.add(case)
    monkeypatch.setattr(marks_repository, "RULES", marks_repository.RULES + 1)  # as that program
    assert desk.refresh().changed == 1
    assert "differ on the issue unsafe" in told(desk.cases()[1])


def test_an_empty_project_has_no_cases(desk: Desk) -> None:
    assert desk.refresh() == Refreshed()
    assert desk.cases() == {}


def test_after_many_changes_the_store_plans_with_the_tables_as_they_are(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else PostgreSQL takes them for empty, and the queue may take minutes."""
    monkeypatch.setattr(refreshing, "MANY", 2)
    ana, bo = desk.people("Ana", "Bo")
    desk.answer(1, ana, "good")
    desk.answer(1, bo, "poor")
    assert desk.refresh().opened == 1
    with desk.services.database.reading() as session:
        if session.get_bind().dialect.name == "postgresql":
            rows = text("SELECT reltuples FROM pg_class WHERE relname = 'case_reason'")
            assert session.execute(rows).scalar_one() == 1


def test_the_desk_is_behind_until_it_is_refreshed(desk: Desk) -> None:
    (ana,) = desk.people("Ana")

    def is_behind() -> bool:
        return is_desk_behind(desk.services, desk.project.id)

    assert is_behind(), "never refreshed"
    desk.refresh()
    assert not is_behind()
    desk.answer(1, ana, "good")
    assert is_behind()
    desk.refresh()
    assert not is_behind()
    with desk.services.database.transaction() as session:
        records.raise_generation(session, desk.project.dataset_id)
    assert is_behind(), "records came or went"
