"""Hidden gold records: in the batch, asked of everybody, each once, and nobody's label."""

from sqlmodel import select

from backend.loop.job_names import ASK, REVIEW
from backend.loop.service import LoopService
from backend.models import Batch, Job, Task
from backend.review.decisions import Decisions
from backend.review.gold import add_gold_records
from backend.review.schemas import DecisionRequest
from backend.words import Message
from tests.backend.annotations.conftest import NOW
from tests.backend.review.conftest import Desk


def decided(desk: Desk, tasks: int) -> None:
    ana, bo, cy = desk.people("Ana", "Bo", "Cy")
    for task in range(1, tasks + 1):
        desk.answer(task, ana, "good")
        desk.answer(task, (bo, cy)[task % 2], "poor")
    desk.refresh()
    for task in range(1, tasks + 1):
        case = desk.cases()[task]
        with desk.services.database.transaction() as session:
            Decisions(session, desk.clock).decide(
                desk.project,
                case.id,
                DecisionRequest(version=case.version, action="decide", grade="poor"),
                author="lead",
            )


def mix(desk: Desk, round_number: int) -> list[Task]:
    with desk.services.database.transaction() as session:
        batch = Batch(
            project_id=desk.project_id,
            round=round_number,
            strategy="default",
            seed=0,
            created_at=NOW,
        )
        session.add(batch)
        session.flush()
        add_gold_records(
            session,
            desk.clock,
            desk.project,
            batch.id,
            reason=Message("drawn at random"),
            seed=round_number,
        )
        return list(session.exec(select(Task).where(Task.batch_id == batch.id)))


def test_gold_records_are_mixed_in_once(desk: Desk) -> None:
    decided(desk, 3)
    assert mix(desk, 2) == []  # no share, no gold
    desk.set_policy(gold_share=0.15)  # 12 others to a batch: 2 gold records
    first, second, third = mix(desk, 3), mix(desk, 4), mix(desk, 5)
    assert (len(first), len(second), len(third)) == (2, 1, 0)
    originals = [task.original_id for task in (*first, *second)]
    assert sorted(originals) == [1, 2, 3]  # type: ignore[type-var]
    assert {task.annotators_wanted for task in first} == {3}
    assert {task.reason for task in first} == {Message("drawn at random")}
    with desk.services.database.reading() as session:
        assert {job.name for job in session.exec(select(Job))} == {ASK, REVIEW}


def test_answers_to_gold_change_no_label_and_hold_nothing_up(desk: Desk) -> None:
    decided(desk, 2)
    desk.set_policy(gold_share=0.15)
    (check, _) = mix(desk, 3)
    before = desk.cases()
    desk.answer(check.id, 1, "good")
    desk.refresh()
    assert {case.version for case in desk.cases().values()} == {
        case.version for case in before.values()
    }
    with desk.services.database.transaction() as session:
        progress = LoopService(session, desk.clock).progress(desk.project)
    assert (progress.complete, progress.open, progress.open_in_last_batch) == (2, 10, 0)
