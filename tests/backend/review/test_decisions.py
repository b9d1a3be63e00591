"""Deciding: rows that only grow, conflicts that overwrite nothing, tasks that go back."""

from collections.abc import Callable

import pytest
from sqlmodel import col, select

from backend.core.exceptions import Conflict, InvalidInput, NotFound
from backend.loop import answer_repository
from backend.models import AuditEvent, Batch, Decision, Job, ReviewCase, Task
from backend.review.bulk import BulkDecisions
from backend.review.decisions import Decisions
from backend.review.schemas import BulkRequest, CaseFilter, DecisionRequest
from backend.review.service import ReviewDesk
from tests.backend.review.conftest import Desk

Decide = Callable[..., Decision]


@pytest.fixture
def tied(desk: Desk) -> Desk:
    """Ana and Bo disagree about records 1 to 4, and agree about 5."""
    ana, bo = desk.people("Ana", "Bo")
    for task in range(1, 6):
        desk.answer(task, ana, "good", issues=["duplicate"])
        desk.answer(task, bo, "good" if task == 5 else "poor")
    desk.refresh()
    return desk


def decide(desk: Desk, task: int, author: str = "lead", **request: object) -> Decision:
    case = desk.cases()[task]
    values = {"version": case.version, "action": "decide", "grade": "poor", **request}
    with desk.services.database.transaction() as session:
        return Decisions(session, desk.clock).decide(
            desk.project, case.id, DecisionRequest.model_validate(values), author=author
        )


def test_a_decision_is_a_row_with_author_time_and_reason(tied: Desk) -> None:
    made = decide(
        tied,
        1,
        issues=["duplicate"],
        faulty_fields=["price"],
        corrected_values={"price": "9.90"},
        reason=" same as r7 ",
    )
    assert (made.author, made.grade, made.reason) == ("lead", "poor", "same as r7")
    assert made.corrected_values == {"price": "9.90"}
    case = tied.cases()[1]
    assert (case.state, case.decision_id, case.version) == ("decided", made.id, 2)
    with tied.services.database.reading() as session:
        event = session.exec(
            select(AuditEvent).where(col(AuditEvent.action).startswith("case."))
        ).one()
        assert (event.actor, event.action) == ("lead", "case.decide")


def test_the_second_lead_sees_a_conflict_and_overwrites_nothing(tied: Desk) -> None:
    read = tied.cases()[1].version
    decide(tied, 1, "first lead")
    with pytest.raises(Conflict, match="first lead has since chosen 'decide'"):
        decide(tied, 1, "second lead", version=read, grade="good")
    with tied.services.database.reading() as session:
        assert [row.author for row in session.exec(select(Decision))] == ["first lead"]


def test_a_decision_can_be_reopened_and_taken_again(tied: Desk) -> None:
    decide(tied, 1, grade="good")
    decide(tied, 1, action="reopen", grade=None)
    assert (tied.cases()[1].state, tied.cases()[1].decision_id) == ("open", None)
    again = decide(tied, 1, grade="fair")
    assert tied.cases()[1].decision_id == again.id
    with tied.services.database.reading() as session:
        actions = [row.action for row in session.exec(select(Decision))]
    assert actions == ["decide", "reopen", "decide"]


def test_ambiguous_keeps_the_answers_as_a_soft_label(tied: Desk) -> None:
    made = decide(tied, 1, action="ambiguous", grade=None)
    assert set(made.soft_label) == {"good", "fair", "poor"}
    assert made.soft_label["good"] == made.soft_label["poor"] > made.soft_label["fair"]
    assert sum(made.soft_label.values()) == pytest.approx(1.0)
    given = decide(tied, 2, action="ambiguous", grade=None, soft_label={"good": 0.8, "poor": 0.2})
    assert given.soft_label == {"good": 0.8, "poor": 0.2}
    assert tied.cases()[2].state == "ambiguous"


@pytest.mark.parametrize(
    ("request_values", "field"),
    [
        ({"grade": None}, "grade"),
        ({"grade": "superb"}, "grade"),
        ({"issues": ["unheard"]}, "issues"),
        ({"faulty_fields": ["colour"]}, "faulty_fields"),
        ({"corrected_values": {"colour": "red"}}, "corrected_values"),
        ({"action": "ambiguous", "grade": None, "soft_label": {"good": 0.2}}, "soft_label"),
        ({"action": "note", "grade": None}, "reason"),
    ],
)
def test_values_that_the_schema_lacks_are_refused(
    tied: Desk, request_values: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        decide(tied, 1, **request_values)
    assert caught.value.field == field
    assert tied.cases()[1].version == 1


def test_a_case_of_another_project_is_not_found(tied: Desk) -> None:
    with (
        tied.services.database.transaction() as session,
        pytest.raises(NotFound, match="no review case 99"),
    ):
        Decisions(session, tied.clock).case(tied.project, 99)


def test_sent_back_to_anybody_asks_for_one_answer_more(tied: Desk) -> None:
    decide(tied, 1, action="send_back", grade=None)
    assert tied.cases()[1].state == "sent_back"
    assert tied.task(1).annotators_wanted == 3
    assert queued(tied)[-1] == "review.ask"
    tied.refresh()
    assert tied.cases()[1].state == "sent_back"  # the third answer is still missing
    (cy,) = tied.people("Cy")
    tied.answer(1, cy, "poor")
    assert tied.refresh().reopened == 1
    assert [reason["code"] for reason in tied.cases()[1].reasons] == ["issue:duplicate"]


def test_sent_back_to_one_annotator_makes_a_copy_that_is_pushed(tied: Desk) -> None:
    (cy,) = tied.people("Cy")
    decide(tied, 1, action="send_back", grade=None, assignee_id=cy)
    with tied.services.database.reading() as session:
        copy = session.exec(select(Task).where(Task.purpose == "relabel")).one()
        batch = session.get(Batch, copy.batch_id)
        assert batch is not None
        assert batch.pushed_at is None
    assert (copy.original_id, copy.attempt, copy.assignee_id) == (1, 2, cy)
    assert copy.key != tied.task(1).key
    tied.answer(copy.id, cy, "fair")
    assert tied.refresh().reopened == 1  # three answers, each another: still a tie, open again
    case = tied.cases()[1]
    assert case.state == "open"
    with tied.services.database.reading() as session:
        desk = ReviewDesk(session, tied.clock)
        shown = desk.case(tied.project, case.id)
    assert {(answer.annotator, answer.is_copy) for answer in shown.answers} == {
        ("Ana", False),
        ("Bo", False),
        ("Cy", True),
    }


def test_a_sent_back_case_that_is_taken_back_stays_open(tied: Desk) -> None:
    (cy,) = tied.people("Cy")
    for task, assignee in ((1, None), (2, cy)):
        made = decide(tied, task, action="send_back", grade=None, assignee_id=assignee)
        with tied.services.database.transaction() as session:
            held = session.get(Decision, made.id)
            assert held is not None
            Decisions(session, tied.clock).undo(tied.project, held, author="lead")
        tied.refresh()
        case = tied.cases()[task]
        assert case.state == "open"
        assert "tie" in {reason["code"] for reason in case.reasons}
    tied.answer(1, cy, "poor")  # it was on the way already, and counts
    tied.refresh()
    assert "tie" not in {reason["code"] for reason in tied.cases()[1].reasons}


@pytest.mark.parametrize("action", ["decide", "ambiguous"])
def test_what_was_decided_while_sent_back_and_reopened_stays_open(tied: Desk, action: str) -> None:
    (cy,) = tied.people("Cy")
    for task, assignee in ((1, None), (2, cy)):
        decide(tied, task, action="send_back", grade=None, assignee_id=assignee)
        decide(tied, task, action=action, grade="good" if action == "decide" else None)
        tied.refresh()
        decide(tied, task, action="reopen", grade=None)
        tied.refresh()
        case = tied.cases()[task]
        assert case.state == "open"
        assert "tie" in {reason["code"] for reason in case.reasons}


def test_what_was_decided_while_sent_back_and_taken_back_still_waits(tied: Desk) -> None:
    decide(tied, 1, action="send_back", grade=None)
    for answered, state in ((False, "sent_back"), (True, "open")):
        if answered:
            tied.answer(1, tied.people("Cy")[0], "fair")
        made = decide(tied, 1, grade="good")
        undo(tied, made)
        assert tied.cases()[1].state == state
        tied.refresh()
        assert tied.cases()[1].state == state


def undo(desk: Desk, decision: Decision) -> None:
    with desk.services.database.transaction() as session:
        held = session.get(Decision, decision.id)
        assert held is not None
        Decisions(session, desk.clock).undo(desk.project, held, author="lead")


def test_somebody_who_has_answered_is_asked_once_more(tied: Desk) -> None:
    with tied.services.database.reading() as session:
        desk = ReviewDesk(session, tied.clock)
        bo = next(number for number, name in desk.annotators(tied.project) if name == "Bo")
    decide(tied, 1, action="send_back", grade=None, assignee_id=bo)
    assert tied.task(1).annotators_wanted == 2  # the second answer will replace the first
    with tied.services.database.reading() as session:
        copy = session.exec(select(Task).where(Task.purpose == "relabel")).one()
    assert tied.refresh().reopened == 0
    assert tied.cases()[1].state == "sent_back"  # both have answered, and yet Bo is awaited
    tied.answer(copy.id, bo, "good", issues=["duplicate"])
    assert tied.refresh().settled == 1  # Bo now says what Ana says
    assert tied.cases()[1].state == "settled"
    with tied.services.database.reading() as session:
        state = answer_repository.states(session, tied.project_id)[1]
        assert (state.responses, state.asked.answers_wanted(2)) == (2, 2)


def test_an_unknown_assignee_is_refused(tied: Desk) -> None:
    with pytest.raises(NotFound, match="no annotator 999"):
        decide(tied, 1, action="send_back", grade=None, assignee_id=999)
    assert tied.cases()[1].state == "open"


def test_bulk_shows_then_does_then_undoes(tied: Desk) -> None:
    request = BulkRequest(
        action="ambiguous", reason="unclear rule", filter=CaseFilter(reason="tie")
    )
    with tied.services.database.transaction() as session:
        bulk = BulkDecisions(session, tied.clock)
        preview = bulk.preview(tied.project, request)
        assert (preview.total, preview.applicable) == (4, 4)
        assert preview.outcomes == {"ambiguous": 4}
    decide(tied, 2, "somebody else")
    apply = request.model_copy(update={"case_versions": preview.case_versions})
    with tied.services.database.transaction() as session:
        done = BulkDecisions(session, tied.clock).apply(tied.project, apply, author="lead")
    assert (done.decided, done.conflicts) == (3, [tied.cases()[2].id])
    assert tied.cases()[1].state == "ambiguous"
    decide(tied, 3, "somebody else")
    with tied.services.database.transaction() as session:
        undone = BulkDecisions(session, tied.clock).undo(tied.project, done.bulk_id, author="lead")
    assert (undone.undone, undone.conflicts) == (2, [tied.cases()[3].id])
    states = {task: case.state for task, case in tied.cases().items()}
    assert states == {1: "open", 2: "decided", 3: "decided", 4: "open"} | {5: states[5]}
    with tied.services.database.transaction() as session:
        again = BulkDecisions(session, tied.clock).undo(tied.project, done.bulk_id, author="lead")
    assert again.undone == 0


def test_bulk_cannot_accept_a_consensus_that_is_a_tie(tied: Desk) -> None:
    with tied.services.database.transaction() as session:
        preview = BulkDecisions(session, tied.clock).preview(
            tied.project, BulkRequest(action="accept_consensus")
        )
    # Record 5 has a grade that both gave; only its issue is split.
    assert (preview.applicable, preview.outcomes) == (1, {"good": 1})
    assert sum(preview.refused.values()) == 4


def test_an_undo_brings_the_earlier_decision_back(tied: Desk) -> None:
    first = decide(tied, 1, grade="good")
    second = decide(tied, 1, grade="poor")
    with tied.services.database.transaction() as session:
        Decisions(session, tied.clock).undo(tied.project, second, author="lead")
    case = tied.cases()[1]
    assert (case.state, case.decision_id) == ("decided", first.id)


def test_precedents_resemble_the_record(tied: Desk) -> None:
    decide(tied, 1, grade="good", reason="fine")
    case: ReviewCase = tied.cases()[2]
    with tied.services.database.reading() as session:
        desk = ReviewDesk(session, tied.clock)
        shown = desk.case(tied.project, case.id)
    (similar,) = shown.similar
    assert (similar.external_id, similar.grade) == ("r1", "good")
    assert 0.1 <= similar.similarity <= 1.0


def queued(desk: Desk) -> list[str]:
    with desk.services.database.reading() as session:
        return [job.name for job in session.exec(select(Job).where(Job.status == "queued"))]
