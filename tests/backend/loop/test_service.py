"""When the loop's next step is due, and which, on both kinds of database."""

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.core.services import Services
from backend.core.settings import Settings
from backend.jobs.queue import get
from backend.loop.job_names import ASK, NEXT_BATCH, PUSH, RETRAIN, REVIEW, SYNC
from backend.loop.repository import IMPORTED_ROUND, Learnt
from backend.loop.service import (
    LEARNT,
    RETRY_FAILED_AFTER,
    LoopService,
    Step,
    after_intake,
    continue_loop,
)
from backend.models import Annotation, Batch, Decision, Job, ReviewCase
from backend.records import repository as records
from tests.backend.annotations.conftest import NOW, TASKS, Seeded
from tests.backend.loop.store import Store
from tests.fixtures.model_version import model_version

LATER = NOW + timedelta(hours=1)


def with_policy(store: Store, **policy: object) -> None:
    """One answer a record is wanted, and what the test asks for."""
    store.seeded.project.policy = {"batch_size": TASKS, "annotators_per_record": 1, **policy}


def due(store: Store, *, is_retrained: bool = False, now: datetime = LATER) -> Job | None:
    """The job that the loop queues."""
    loop = LoopService(store.session, lambda: now)
    job_id = loop.continue_loop(store.seeded.project, is_retrained=is_retrained)
    return None if job_id is None else get(store.session, job_id)


def named(job: Job | None) -> str | None:
    return None if job is None else job.name


def answer(store: Store, first: int, last: int) -> None:
    """Person 7 answers the tasks from ``first`` to ``last``."""
    for number in range(first, last + 1):
        store.say(store.task(number), 7, "good")


def trained(store: Store, number: int = 1, **metrics: object) -> None:
    store.session.add(model_version(store.seeded.project_id, number, metrics=metrics))
    store.session.flush()


@pytest.mark.parametrize("refill_at", [0, 3])
def test_the_next_batch_is_asked_for_when_as_few_tasks_are_open_as_wanted_and_not_before(
    store: Store, refill_at: int
) -> None:
    with_policy(store, refill_at=refill_at)
    answer(store, 1, TASKS - refill_at - 1)
    assert due(store, is_retrained=True) is None
    answer(store, TASKS - refill_at, TASKS - refill_at)
    job = due(store, is_retrained=True)
    assert job is not None
    assert (job.name, job.args) == (NEXT_BATCH, {"round": 2})


def test_as_few_open_tasks_as_refill_at_start_a_retraining_before_the_batch(store: Store) -> None:
    with_policy(store, refill_at=2)
    answer(store, 1, TASKS - 3)
    assert due(store) is None
    answer(store, TASKS - 2, TASKS - 2)
    assert named(due(store)) == RETRAIN


def test_as_many_new_labels_as_wanted_start_a_retraining_and_one_less_does_not(
    store: Store,
) -> None:
    with_policy(store, retrain_after=4)
    answer(store, 1, 3)
    assert due(store) is None
    answer(store, 4, 4)
    job = due(store)
    assert named(job) == RETRAIN
    assert due(store) == job, "asking again changes nothing"
    assert due(store, is_retrained=True) is None, "a retraining asks for none"


def test_a_version_that_does_not_say_what_it_learnt_has_learnt_from_the_tasks_it_counts(
    store: Store,
) -> None:
    with_policy(store, retrain_after=2)
    trained(store, complete_tasks=3)
    answer(store, 1, 4)
    assert due(store) is None
    answer(store, 5, 5)
    assert named(due(store)) == RETRAIN


def learnt(annotation: int, decision: int = 0, people: int = 1) -> dict[str, object]:
    return asdict(Learnt(annotation, decision, people, 0.9))


def test_only_what_came_after_the_newest_version_is_new(store: Store) -> None:
    with_policy(store, retrain_after=2)
    answer(store, 1, 5)
    trained(store, 1, **{LEARNT: learnt(0)})
    trained(store, 2, **{LEARNT: learnt(5)})
    assert due(store) is None
    answer(store, 6, 6)
    assert due(store) is None
    store.say(store.task(1), 7, "poor", annotation=1, revision=2)
    assert named(due(store)) == RETRAIN, "one more record, and one with another answer"


def test_an_answer_that_was_taken_away_is_new_though_its_record_is_open_again(
    store: Store,
) -> None:
    with_policy(store, retrain_after=1)
    answer(store, 1, 1)
    trained(store, **{LEARNT: learnt(1)})
    assert due(store) is None
    store.say(store.task(1), 7, "good", annotation=1, revision=2, is_deleted=True)
    assert named(due(store)) == RETRAIN


def test_an_answer_to_a_record_that_waits_for_more_is_not_new(store: Store) -> None:
    with_policy(store, annotators_per_record=2, retrain_after=1)
    trained(store, **{LEARNT: learnt(0, people=2)})
    answer(store, 1, 3)
    assert due(store) is None
    store.say(store.task(3), 8, "poor")
    assert named(due(store)) == RETRAIN


def test_another_policy_of_answers_makes_every_complete_record_new(store: Store) -> None:
    with_policy(store, retrain_after=3)
    answer(store, 1, 3)
    trained(store, 1, **{LEARNT: learnt(3)})
    assert due(store) is None
    trained(store, 2, **{LEARNT: learnt(3, people=2)})
    assert named(due(store)) == RETRAIN
    with_policy(store, retrain_after=4)
    assert due(store) is None, "three records are complete"


def test_a_decision_makes_its_record_new_once(store: Store) -> None:
    with_policy(store, retrain_after=2)
    trained(store, **{LEARNT: learnt(0)})
    for number in (1, 2):
        case = ReviewCase(
            project_id=store.seeded.project_id,
            task_id=store.task(number).id,
            state="decided",
            opened_at=NOW,
            changed_at=NOW,
        )
        store.session.add(case)
        store.session.flush()
        for action in ("decide", "undo"):
            store.session.add(
                Decision(case_id=case.id, action=action, author="a", case_version=1, created_at=NOW)
            )
        store.session.flush()
        assert named(due(store)) == (None if number == 1 else RETRAIN)


def test_nothing_is_due_before_the_first_batch_and_after_the_last(store: Store) -> None:
    with_policy(store, max_rounds=1)
    answer(store, 1, TASKS)
    assert due(store, is_retrained=True) is None
    with_policy(store, max_rounds=2)
    assert named(due(store, is_retrained=True)) == NEXT_BATCH
    batch = store.session.exec(select(Batch)).one()
    batch.round = IMPORTED_ROUND
    store.session.flush()
    assert due(store, is_retrained=True) is None


def test_what_is_not_pushed_is_pushed_before_anything_else(store: Store) -> None:
    with_policy(store, retrain_after=1)
    answer(store, 1, 3)
    store.task(5).label_studio_task_id = None
    store.session.flush()
    job = due(store)
    assert named(job) == PUSH
    assert due(store) == job
    store.task(6).label_studio_task_id = None
    store.session.flush()
    again = due(store)
    assert named(again) == PUSH
    assert again != job, "another number of tasks is due"


def test_a_step_that_failed_is_tried_again_after_the_pause_and_not_before(store: Store) -> None:
    with_policy(store, retrain_after=1)
    answer(store, 1, 1)
    job = due(store)
    assert job is not None
    job.status, job.finished_at = "failed", LATER
    store.session.add(job)
    store.session.flush()
    early = due(store, now=LATER + RETRY_FAILED_AFTER - timedelta(seconds=1))
    assert early is not None
    assert early.id == job.id
    again = due(store, now=LATER + RETRY_FAILED_AFTER)
    assert again is not None
    assert again.id != job.id
    assert (again.name, again.status) == (RETRAIN, "queued")


@pytest.mark.parametrize("status", ["done", "cancelled"])
def test_a_step_that_is_over_is_not_asked_for_again(store: Store, status: str) -> None:
    with_policy(store, retrain_after=1)
    answer(store, 1, 1)
    job = due(store)
    assert job is not None
    job.status, job.finished_at = status, LATER
    store.session.add(job)
    store.session.flush()
    assert due(store) is None


def test_open_tasks_are_told_of_all_batches_and_of_the_last(store: Store) -> None:
    with_policy(store)
    batch = Batch(
        project_id=store.seeded.project_id,
        round=2,
        strategy="entropy",
        seed=0,
        created_at=NOW,
        pushed_at=NOW,
    )
    store.session.add(batch)
    store.session.flush()
    for number in (1, 2, 3):
        store.task(number).batch_id = batch.id  # type: ignore[assignment]
    store.session.flush()
    answer(store, 1, 1)
    answer(store, 9, 9)
    found = LoopService(store.session, lambda: LATER).progress(store.seeded.project)
    assert (found.open, found.open_in_last_batch, found.last_round) == (TASKS - 2, 2, 2)
    assert found.complete_tasks == {store.task(1).id, store.task(9).id}


@pytest.mark.parametrize(
    ("overlap", "revisions", "expected"),
    [
        ("fixed", 1, [RETRAIN]),
        ("fixed", 0, [RETRAIN]),
        ("adaptive", 1, []),
        ("adaptive", 0, [RETRAIN]),
    ],
)
def test_with_adaptive_overlap_the_review_decides_first_whether_more_answers_are_wanted(
    store: Store, overlap: str, revisions: int, expected: list[str]
) -> None:
    with_policy(store, overlap=overlap, annotators_at_most=2, retrain_after=1)
    answer(store, 1, 1)
    loop = LoopService(store.session, lambda: LATER)
    steps = loop.look_after_intake(store.seeded.project, revisions).steps
    assert [step.name for step in steps] == expected


def test_whoever_answers_or_decides_again_after_a_retraining_starts_another(store: Store) -> None:
    """As many records have changed as before: that somebody did it again tells them apart."""
    with_policy(store, retrain_after=1)
    trained(store, **{LEARNT: learnt(0)})
    case = ReviewCase(
        project_id=store.seeded.project_id,
        task_id=store.task(1).id,
        state="decided",
        opened_at=NOW,
        changed_at=NOW,
    )
    store.session.add(case)
    store.session.flush()
    seen = set()
    for action in ("decide", "undo", "answer", "revise"):
        if action in {"answer", "revise"}:
            revision = 1 if action == "answer" else 2
            store.say(store.task(1), 7, "good", annotation=1, revision=revision)
        else:
            store.session.add(
                Decision(case_id=case.id, action=action, author="a", case_version=1, created_at=NOW)
            )
            store.session.flush()
        job = due(store)
        assert job is not None, action
        assert job.name == RETRAIN
        seen.add(job.id)
        job.status, job.finished_at = "done", LATER
        store.session.add(job)
        store.session.flush()
        assert due(store) is None
    assert len(seen) == 4


def queued(store: Store, name: str) -> list[dict[str, Any]]:
    """What the waiting jobs of that name are to do."""
    jobs = store.session.exec(
        select(Job).where(Job.name == name, Job.status == "queued").order_by(col(Job.id))
    )
    return [job.args for job in jobs]


@pytest.mark.parametrize("is_full", [False, True])
def test_reviews_askings_and_syncs_are_asked_for_once_while_they_wait(
    store: Store, is_full: bool
) -> None:
    loop, project = LoopService(store.session, lambda: LATER), store.seeded.project
    for _ in range(2):
        loop.request_review(project, is_full=is_full)
        loop.request_asking(project)
        sync = loop.request_sync(project.id, is_full=is_full)
    assert queued(store, REVIEW) == [{"is_full": True} if is_full else {}]
    assert queued(store, ASK) == [{}]
    assert queued(store, SYNC) == [{"is_full": is_full}]
    assert get(store.session, sync).project_id == project.id
    jobs = store.session.exec(select(Job)).all()
    assert {job.enqueued_at for job in jobs} == {LATER}


def test_what_is_asked_for_without_more_is_not_full(store: Store) -> None:
    loop, project = LoopService(store.session, lambda: LATER), store.seeded.project
    loop.request_review(project)
    loop.request_sync(project.id)
    assert queued(store, REVIEW) == [{}]
    assert queued(store, SYNC) == [{"is_full": False}]


def test_the_choice_of_a_batch_is_asked_for_once_a_round_and_version_of_the_records(
    store: Store,
) -> None:
    loop, project = LoopService(store.session, lambda: LATER), store.seeded.project
    first = loop.request_batch(project, 3)
    assert first is not None
    assert loop.request_batch(project, 3) == first
    assert loop.request_batch(project, 4) not in {None, first}
    assert queued(store, NEXT_BATCH) in ([{"round": 3}, {"round": 4}], [{"round": 4}, {"round": 3}])
    job = get(store.session, first)
    job.status, job.finished_at = "done", LATER
    store.session.add(job)
    store.session.flush()
    assert loop.request_batch(project, 3) is None, "it was made already"
    records.raise_generation(store.session, project.dataset_id)
    assert loop.request_batch(project, 3) not in {None, first}


def test_the_first_step_that_is_not_over_is_queued(store: Store) -> None:
    loop, project = LoopService(store.session, lambda: LATER), store.seeded.project
    assert loop.queue_step(project, []) is None
    steps = [Step(RETRAIN, "a"), Step(NEXT_BATCH, "b", {"round": 2}), Step(PUSH, "c")]
    done = loop.queue_step(project, steps[:1])
    assert done is not None
    job = get(store.session, done)
    job.status, job.finished_at = "done", LATER
    store.session.add(job)
    store.session.flush()
    second = loop.queue_step(project, steps)
    assert second is not None
    assert get(store.session, second).name == NEXT_BATCH
    assert queued(store, PUSH) == []
    assert loop.queue_step(project, steps[:1]) is None


def test_looking_writes_what_is_due_and_nothing_else(seeded: Seeded, tmp_path: Path) -> None:
    services = Services(
        settings=Settings(data_dir=tmp_path), database=seeded.database, clock=lambda: LATER
    )

    def jobs() -> list[str]:
        with seeded.database.reading() as session:
            return [job.name for job in session.exec(select(Job).order_by(col(Job.name)))]

    continue_loop(services, seeded.project)
    after_intake(services, seeded.project, 5)
    assert jobs() == []
    with Session(seeded.database.engine) as session:
        filled = Store(seeded, session)
        for number in range(1, TASKS + 1):
            filled.say(filled.task(number), 7, "good")
            filled.say(filled.task(number), 8, "good")
        session.commit()
    seeded.project.policy = {**seeded.project.policy, "overlap": "adaptive"}
    after_intake(services, seeded.project, 1)
    assert jobs() == [], "the review decides first"
    after_intake(services, seeded.project, 0)
    assert jobs() == [RETRAIN]
    continue_loop(services, seeded.project)
    assert jobs() == [RETRAIN]


def test_a_batch_that_was_never_pushed_is_pushed_by_one_job_and_one_with_more_due_by_another(
    store: Store,
) -> None:
    with_policy(store)
    batch = store.session.exec(select(Batch)).one()
    assert due(store) is None
    store.task(5).label_studio_task_id = None
    batch.pushed_at = None
    store.session.flush()
    first = due(store)
    assert named(first) == PUSH
    store.task(6).label_studio_task_id = None
    store.session.flush()
    assert due(store) == first, "whatever is due, it is all pushed at first"
    batch.pushed_at = NOW
    store.session.flush()
    second = due(store)
    assert named(second) == PUSH
    assert second != first
    records.raise_generation(store.session, store.seeded.project.dataset_id)
    assert due(store) not in (first, second), "other records are current"


def test_the_state_of_what_is_not_learnt_counts_records_once(store: Store) -> None:
    """A record that was answered and decided is one; several answers to it too."""
    with_policy(store, retrain_after=2)
    trained(store, **{LEARNT: learnt(0)})
    answer(store, 1, 1)
    store.say(store.task(1), 8, "poor")
    case = ReviewCase(
        project_id=store.seeded.project_id,
        task_id=store.task(1).id,
        state="decided",
        opened_at=NOW,
        changed_at=NOW,
    )
    store.session.add(case)
    store.session.flush()
    store.session.add(
        Decision(case_id=case.id, action="decide", author="a", case_version=1, created_at=NOW)
    )
    store.session.flush()
    assert due(store) is None
    answer(store, 2, 2)
    assert named(due(store)) == RETRAIN


def test_of_several_batches_the_oldest_is_pushed_first(store: Store) -> None:
    with_policy(store)
    for number in (3, 2):
        batch = Batch(
            project_id=store.seeded.project_id,
            round=number,
            strategy="entropy",
            seed=0,
            created_at=NOW,
            pushed_at=None,
        )
        store.session.add(batch)
    store.session.flush()
    oldest = store.session.exec(select(Batch).where(Batch.round == 2)).one()
    loop = LoopService(store.session, lambda: LATER)
    assert loop.steps_due(store.seeded.project) == [Step(PUSH, f"batch:{oldest.id}")]


@pytest.mark.parametrize("answered", [0, 2])
def test_the_labels_that_a_retraining_takes_up_name_it(store: Store, answered: int) -> None:
    """By the round, how many records are complete, and the newest answer and decision."""
    with_policy(store, retrain_after=1)
    trained(store, **{LEARNT: learnt(0)})
    answer(store, 1, answered)
    case = ReviewCase(
        project_id=store.seeded.project_id,
        task_id=store.task(9).id,
        state="decided",
        opened_at=NOW,
        changed_at=NOW,
    )
    store.session.add(case)
    store.session.flush()
    row = Decision(case_id=case.id, action="decide", author="a", case_version=1, created_at=NOW)
    store.session.add(row)
    store.session.flush()
    loop = LoopService(store.session, lambda: LATER)
    (step,) = loop.steps_due(store.seeded.project)
    newest = store.session.exec(select(func.max(Annotation.id))).one() or 0
    assert step == Step(RETRAIN, f"1:{answered}:{newest}:{row.id}:{answered + 1}")
    assert loop.steps_due(store.seeded.project, is_retrained=True) == []


def test_a_version_of_another_policy_or_that_counts_tasks_names_a_retraining_by_what_is_complete(
    store: Store,
) -> None:
    with_policy(store, retrain_after=1)
    answer(store, 1, 4)
    loop = LoopService(store.session, lambda: LATER)

    def key() -> str:
        (step,) = loop.steps_due(store.seeded.project)
        return step.key

    assert key() == "1:4"
    trained(store, 1, complete_tasks=3)
    assert key() == "1:4"
    trained(store, 2, **{LEARNT: learnt(4, people=2)})
    assert key() == "1:4:(1, 0.9)"
    trained(store, 3, **{LEARNT: learnt(4)})
    assert loop.steps_due(store.seeded.project) == []
    store.say(store.task(1), 7, "poor", annotation=1, revision=2)
    assert key() == "1:4:5:0:1", "no decision yet"
    with_policy(store, retrain_after=1, confidence_wanted=0.8)
    assert key() == "1:4:(1, 0.8)"


def test_a_single_new_label_is_enough_once_nothing_is_waited_for(store: Store) -> None:
    with_policy(store, retrain_after=50, max_rounds=1)
    answer(store, 1, TASKS)
    trained(store, **{LEARNT: learnt(TASKS)})
    assert due(store) is None
    store.say(store.task(1), 7, "poor", annotation=1, revision=2)
    assert named(due(store)) == RETRAIN
