"""A label that somebody sent to the desk has a case there until it is decided."""

import pytest
from sqlmodel import col, select

from backend.core.exceptions import Conflict
from backend.models import CaseReason, ReviewCase, Task
from backend.review.decisions import Decisions
from backend.review.schemas import DecisionRequest
from backend.review.sent_cases import DeskPlan, SentCases
from backend.words import Message, as_text
from tests.backend.review.conftest import Desk
from tests.fixtures.database import database

__all__ = ["database"]


@pytest.fixture
def agreed(desk: Desk) -> Desk:
    """Two people agree on the first two records; nobody answered about the others."""
    ana, bo = desk.people("Ana", "Bo")
    for task in (1, 2):
        desk.answer(task, ana, "good")
        desk.answer(task, bo, "good")
    desk.refresh()
    assert desk.cases() == {}
    return desk


def records(desk: Desk, *task_ids: int) -> list[int]:
    return [desk.task(task_id).record_id for task_id in task_ids]


def send(desk: Desk, *task_ids: int, sending: str = "click") -> DeskPlan:
    with desk.services.database.transaction() as session:
        sent = SentCases(session, desk.clock)
        return sent.send(desk.project, records(desk, *task_ids), actor="Lea", sending=sending)


def take_back(desk: Desk, sending: str = "click") -> int:
    with desk.services.database.transaction() as session:
        return SentCases(session, desk.clock).take_back(desk.project, sending, actor="Lea")


def decide(desk: Desk, action: str = "decide") -> int:
    case = desk.cases()[1]
    grade = "poor" if action == "decide" else None
    request = DecisionRequest.model_validate(
        {"version": case.version, "action": action, "grade": grade}
    )
    with desk.services.database.transaction() as session:
        decisions = Decisions(session, desk.clock)
        return decisions.decide(desk.project, case.id, request, author="lead").id


def refreshed(desk: Desk, task_id: int = 1) -> ReviewCase | None:
    desk.refresh()
    return desk.cases().get(task_id)


def state(desk: Desk, task_id: int = 1) -> str | None:
    case = refreshed(desk, task_id)
    return case.state if case else None


def test_it_has_a_case_with_the_sender_as_reason(agreed: Desk) -> None:
    assert send(agreed, 1).going == (1,)
    case = refreshed(agreed)
    assert case is not None
    assert (case.state, case.reason) == ("open", "chosen")
    told = as_text(str(case.reasons[0]["reason_message"]))
    assert "Lea" in str(told)
    assert (
        case.reasons[0]["reason_message"]
        == Message("sent to the desk by {name}", name="Lea").to_json()
    )
    assert set(agreed.cases()) == {1}, "the other record was not sent"
    with agreed.services.database.reading() as session:
        assert session.exec(select(CaseReason.code)).all() == ["chosen"]


def test_it_stays_through_refreshes_and_further_answers_until_decided(agreed: Desk) -> None:
    send(agreed, 1)
    assert state(agreed) == "open"
    (cy,) = agreed.people("Cy")
    agreed.answer(1, cy, "good")
    assert state(agreed) == "open"
    agreed.set_policy(review_below=0.5)  # every record is looked at again
    assert state(agreed) == "open"
    decide(agreed)
    assert state(agreed) == "decided"
    agreed.set_policy(review_below=0.6)
    assert state(agreed) == "decided"


@pytest.mark.parametrize("action", ["decide", "ambiguous"])
def test_sending_it_once_more_opens_a_decided_case(agreed: Desk, action: str) -> None:
    send(agreed, 1)
    agreed.refresh()
    decide(agreed, action)
    agreed.refresh()
    assert send(agreed, 1, sending="another").going == (1,)
    assert state(agreed) == "open"
    decide(agreed, action)
    assert state(agreed) not in {"open", None}


def test_an_undone_decision_leaves_it_on_the_desk(agreed: Desk) -> None:
    send(agreed, 1)
    agreed.refresh()
    made = decide(agreed)
    with agreed.services.database.transaction() as session:
        decisions = Decisions(session, agreed.clock)
        case = agreed.cases()[1]
        decision = decisions.decision(agreed.project, case.id, made)
        decisions.undo(agreed.project, decision, author="lead")
    assert state(agreed) == "open"


def test_sent_back_to_an_annotator_it_comes_to_the_desk_again(agreed: Desk) -> None:
    with agreed.services.database.transaction() as session:
        for task in session.exec(select(Task).order_by(col(Task.id))):
            task.label_studio_task_id = 100 + task.id
            session.add(task)
    send(agreed, 1)
    agreed.refresh()
    decide(agreed, "send_back")
    assert state(agreed) == "sent_back"
    (cy,) = agreed.people("Cy")
    agreed.answer(1, cy, "good")
    assert state(agreed) == "open"


def test_what_nobody_answered_and_what_is_there_already_is_left_out(agreed: Desk) -> None:
    send(agreed, 1)
    plan = send(agreed, 1, 2, 3, sending="another")
    assert (plan.going, plan.on_desk) == ((2,), 1)
    assert list(plan.unanswered) == records(agreed, 3)
    with pytest.raises(Conflict, match="None of these records"):
        send(agreed, 3, sending="a third")


def test_the_same_click_twice_is_one_sending(agreed: Desk) -> None:
    assert send(agreed, 1, 2) == send(agreed, 1, 2)
    assert refreshed(agreed) is not None
    assert set(agreed.cases()) == {1, 2}


def test_taken_back_the_case_is_settled_unless_it_was_decided(agreed: Desk) -> None:
    send(agreed, 1, 2)
    agreed.refresh()
    decide(agreed)
    agreed.refresh()
    assert take_back(agreed) == 1
    assert (state(agreed, 1), state(agreed, 2)) == ("decided", "settled")
    assert take_back(agreed) == 0


def test_taken_back_a_case_with_another_reason_stays(agreed: Desk) -> None:
    (cy,) = agreed.people("Cy")
    agreed.answer(3, cy, "good")
    agreed.answer(3, agreed.people("Di")[0], "poor")
    agreed.refresh()
    send(agreed, 3)
    case = refreshed(agreed, 3)
    assert case is not None
    assert {each["code"] for each in case.reasons} >= {"tie", "chosen"}
    take_back(agreed)
    case = refreshed(agreed, 3)
    assert case is not None
    assert (case.state, "chosen" in {each["code"] for each in case.reasons}) == ("open", False)
