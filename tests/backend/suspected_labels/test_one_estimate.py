"""A record's probability of a wrong label is one number, whoever tells it."""

import re
from collections.abc import Callable

import pytest
from sqlmodel import col, select

from backend.core.database import Database
from backend.models import ConsensusLabel, LabelFinding, ReviewCase
from backend.review.triage import SUSPECTED_ERROR
from backend.suspected_labels.schemas import LabelFindingPublic
from backend.suspected_labels.service import LabelFindings
from backend.words import Message
from tests.backend.conftest import ClientAs
from tests.backend.suspected_labels.conftest import mostly_right
from tests.backend.training.loop import Loop


def suspects(loop: Loop) -> list[LabelFindingPublic]:
    """What the findings page, the API, the export and the terminal show."""
    with loop.services.database.reading() as session:
        findings = LabelFindings(session, loop.clock)
        return list(findings.export(loop.project(), "suspects"))


def told_at_the_desk(loop: Loop) -> dict[int, str]:
    """Task id to the per cent in the words of its case."""
    with loop.services.database.reading() as session:
        return {
            case.task_id: str(Message.from_json(ground["reason_message"]))
            for case in session.exec(select(ReviewCase))
            for ground in case.reasons
            if ground["code"] == SUSPECTED_ERROR
        }


def assert_agree(loop: Loop) -> None:
    shown, told = suspects(loop), told_at_the_desk(loop)
    assert len(shown) >= 2
    assert set(told) == {item.task_id for item in shown}
    for item in shown:
        assert re.findall(r"(\d+) ?%", told[item.task_id]) == [f"{100 * item.suspicion:.0f}"]
        assert "%" not in item.reason


@pytest.fixture
def two_rounds(labelled: Callable[..., Loop], database: Database) -> Loop:
    """Two model versions whose labels were judged, one after the other."""
    made = labelled(database, batch_size=45, max_rounds=2)
    made.answer(2, mostly_right)
    made.run()
    assert made.failed == []
    return made


def test_desk_and_findings_tell_one_probability_after_each_assessment(two_rounds: Loop) -> None:
    assert len(two_rounds.versions) == 2
    assert_agree(two_rounds)


def test_the_pages_of_one_record_show_the_same_per_cent(loop: Loop, browser_as: ClientAs) -> None:
    lead = browser_as("lead")
    assert_agree(loop)
    first = suspects(loop)[0]
    per_cent = f"{100 * first.suspicion:.0f}"
    page = lead.get(f"/projects/{loop.project_id}/labels").text
    desk = lead.get(f"/projects/{loop.project_id}/review/{first.case_id}?state=").text
    assert re.search(rf"<b>{per_cent} ?%</b>", page)
    assert re.search(rf"label wrong at {per_cent} ?%", desk)


def test_a_label_that_the_desk_is_sure_of_is_not_probably_wrong_here(
    labelled: Callable[..., Loop], database: Database
) -> None:
    """What one person says of some records a classifier doubts; three who agree know better."""
    loop = labelled(database, annotators_per_record=3)
    for person in (2, 3):
        loop.answer(1, mostly_right, person=person)
    loop.run()
    assert loop.failed == []
    with loop.services.database.reading() as session:
        rows = session.exec(
            select(ConsensusLabel, LabelFinding).join(
                LabelFinding, col(LabelFinding.task_id) == col(ConsensusLabel.task_id)
            )
        ).all()
    sure = [finding for label, finding in rows if (label.confidence or 0) > 0.99]
    assert len(sure) > 40
    assert not [finding.task_id for finding in sure if finding.is_suspect]
    assert suspects(loop) == []
