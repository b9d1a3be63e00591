"""A decided case is open again whenever something is new that its decision has not seen."""

import pytest
from sqlmodel import col, select

from backend.models import Record, ReviewCase
from backend.records.repository import raise_generation
from backend.review.bulk import BulkDecisions
from backend.review.decisions import Decisions
from backend.review.schemas import BulkRequest, CaseFilter, DecisionRequest
from tests.backend.annotations.conftest import NOW
from tests.backend.review.conftest import Desk
from tests.fixtures.database import database

__all__ = ["database"]


def change(desk: Desk, title: str | None) -> None:
    """Record r1 has this title now: a version that was there before is current again."""
    with desk.services.database.transaction() as session:
        versions = session.exec(
            select(Record).where(Record.external_id == "r1").order_by(col(Record.id))
        ).all()
        for each in versions:
            each.is_current = False
            session.add(each)
        raise_generation(session, versions[0].dataset_id)
        session.flush()
        if title is None:
            return
        known = next((each for each in versions if each.fields["title"] == title), None)
        if known is None:
            known = Record(
                dataset_id=versions[0].dataset_id,
                external_id="r1",
                content_hash=title.rjust(64, "0"),
                kind="product",
                fields={"title": title, "price": 1},
                source="test",
                created_at=NOW,
            )
        known.is_current = True
        session.add(known)


def decide(desk: Desk, action: str = "decide") -> int:
    """The first task's case is decided as it is now; the decision's id."""
    case = desk.cases()[1]
    grade = "poor" if action == "decide" else None
    request = DecisionRequest.model_validate(
        {"version": case.version, "action": action, "grade": grade}
    )
    with desk.services.database.transaction() as session:
        made = Decisions(session, desk.clock).decide(desk.project, case.id, request, author="lead")
        return made.id


def case_after_refresh(desk: Desk) -> ReviewCase:
    desk.refresh()
    return desk.cases()[1]


@pytest.fixture
def answered(desk: Desk) -> Desk:
    """Two people disagree about the first record, and a case is open."""
    ana, bo = desk.people("Ana", "Bo")
    desk.answer(1, ana, "good")
    desk.answer(1, bo, "poor")
    desk.refresh()
    return desk


@pytest.mark.parametrize("action", ["decide", "ambiguous"])
def test_every_change_of_a_decided_record_is_shown(answered: Desk, action: str) -> None:
    decide(answered, action)
    for title in ("second", "third", "fourth", "second", None):
        decided = case_after_refresh(answered)
        change(answered, title)
        case = case_after_refresh(answered)
        assert (decided.state == "open", case.state) == (False, "open"), title
        assert case.reason == "record_changed"
        decide(answered, action)
        assert case_after_refresh(answered).state == decided.state
        assert answered.refresh().reopened == 0


def test_the_version_that_was_decided_on_opens_nothing_when_it_comes_back(answered: Desk) -> None:
    change(answered, "second")
    answered.refresh()
    decide(answered)
    change(answered, "thing 1")
    assert case_after_refresh(answered).state == "decided"
    change(answered, "second")
    assert case_after_refresh(answered).state == "decided"


def test_who_reads_an_open_case_cannot_decide_on_a_later_version(answered: Desk) -> None:
    change(answered, "second")
    read = case_after_refresh(answered).version
    change(answered, "third")
    assert case_after_refresh(answered).version == read + 1


def test_every_new_answer_outside_the_schema_is_shown(answered: Desk) -> None:
    cy, di = answered.people("Cy", "Di")
    decide(answered)
    number = answered.answer(1, cy, "superb")
    assert case_after_refresh(answered).reason == "withdrawn_label"
    decide(answered)
    assert case_after_refresh(answered).state == "decided"
    answered.answer(1, di, "superb")
    assert case_after_refresh(answered).state == "open"
    decide(answered)
    answered.answer(1, cy, "good", annotation_id=number, revision=2)
    assert case_after_refresh(answered).state == "decided"  # less than was seen
    answered.answer(1, cy, "awful", annotation_id=number, revision=3)
    assert case_after_refresh(answered).state == "open"


def test_a_decision_that_is_taken_back_leaves_the_one_before_with_what_that_has_seen(
    answered: Desk,
) -> None:
    decide(answered)
    change(answered, "second")
    answered.refresh()
    wanted = BulkRequest(action="ambiguous", filter=CaseFilter())
    with answered.services.database.transaction() as session:
        bulk = BulkDecisions(session, answered.clock)
        preview = bulk.preview(answered.project, wanted)
        planned = wanted.model_copy(update={"case_versions": preview.case_versions})
        done = bulk.apply(answered.project, planned, author="lead")
    assert case_after_refresh(answered).state == "ambiguous"
    with answered.services.database.transaction() as session:
        undone = BulkDecisions(session, answered.clock).undo(
            answered.project, done.bulk_id, author="lead"
        )
    assert undone.undone == 1
    assert case_after_refresh(answered).state == "open"
