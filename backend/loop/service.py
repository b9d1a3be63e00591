"""The loop's state and what is due: one function looks at the store and queues the next step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from backend.core.clock import Clock
from backend.core.services import Services
from backend.jobs.queue import (
    UNSUCCESSFUL,
    enqueue,
    enqueue_if_none_waiting,
    get,
    newest_attempt,
    retry,
)
from backend.loop import answer_repository, repository
from backend.loop.job_names import ASK, NEXT_BATCH, PUSH, RETRAIN, REVIEW, SYNC
from backend.loop.outlook import LoopProgress, Outlook
from backend.loop.repository import Learnt
from backend.models import Batch, Job, Project
from backend.notices.outbox import Outbox
from backend.projects.service import policy_of
from backend.records import repository as records

LEARNT = "learnt"
"""Among a model version's metrics: up to where the answers and decisions were known to it."""
RETRY_FAILED_AFTER = timedelta(minutes=5)
"""A step that failed is asked for again after this pause, so that a lasting fault costs little.
Chosen."""


@dataclass(frozen=True)
class Step:
    """A job of the loop; its key is the same until something else is to be done."""

    name: str
    key: str
    args: dict[str, Any] | None = None


@dataclass(frozen=True)
class Due:
    """What is to be done next, the most urgent first, and a batch that has just been finished."""

    steps: Sequence[Step]
    finished_batch: int | None = None


class LoopService:
    """The loops of all projects, within one transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def request_review(self, project: Project, *, is_full: bool = False) -> None:
        """Consensus labels and review cases will be brought up to date.

        ``is_full``: what is known of the annotators is renewed, and every record looked at.
        """
        enqueue_if_none_waiting(
            self._session,
            REVIEW,
            project_id=project.id,
            args={"is_full": True} if is_full else {},
            now=self._clock(),
        )

    def request_asking(self, project: Project) -> None:
        """Label Studio will be told how many answers each task wants."""
        enqueue_if_none_waiting(self._session, ASK, project_id=project.id, now=self._clock())

    def request_sync(self, project_id: int, *, is_full: bool = False) -> str:
        """A reconciling sync is queued; ``is_full`` also lists deleted tasks."""
        return enqueue_if_none_waiting(
            self._session,
            SYNC,
            project_id=project_id,
            args={"is_full": is_full},
            now=self._clock(),
        )

    def progress(self, project: Project) -> LoopProgress:
        """How many tasks have all the answers that the policy asks for."""
        wanted = policy_of(project).annotators_per_record
        batch = repository.latest_batch(self._session, project.id)
        states = answer_repository.states(self._session, project.id)
        waited_for = [
            each for each in states.values() if each.asked.is_open(each.responses, wanted)
        ]
        complete = frozenset(
            task_id
            for task_id, each in states.items()
            if each.asked.is_complete(each.responses, wanted)
        )
        return LoopProgress(
            complete_tasks=complete,
            open=len(waited_for),
            open_in_last_batch=sum(
                batch is not None and each.batch_id == batch.id for each in waited_for
            ),
            last_round=batch.round if batch else 0,
        )

    def continue_loop(self, project: Project, *, is_retrained: bool = False) -> str | None:
        """The loop's next step is queued if it is due; its job id, else None.

        Looking takes as long as the project is large: ``continue_loop`` of this module looks
        before it takes a transaction that writes.
        """
        return self.queue_step(project, self.steps_due(project, is_retrained=is_retrained))

    def queue_step(self, project: Project, steps: Sequence[Step]) -> str | None:
        """The first of the steps that is not over is queued; its job id, else None."""
        for step in steps:
            job_id = self._ensure(step.name, project.id, step.key, step.args)
            if job_id is not None:
                return job_id
        return None

    def look_after_intake(self, project: Project, revisions: int) -> Due:
        """What is due now that there are so many new revisions; nothing is written.

        Where overlap is adaptive the review desk decides first whether more answers are wanted.
        """
        is_reviewed_first = policy_of(project).overlap != "fixed" and revisions > 0
        return Due([]) if is_reviewed_first else self.look(project)

    def steps_due(self, project: Project, *, is_retrained: bool = False) -> list[Step]:
        """The steps that are due, the most urgent first; nothing is written."""
        return list(self.look(project, is_retrained=is_retrained).steps)

    def look(self, project: Project, *, is_retrained: bool = False) -> Due:
        """What is due; nothing is written.

        In this order: push what is not pushed; retrain on enough new labels or a finished
        batch; choose the next batch. Asking again changes nothing while the step is on its
        way; one that failed is tried again after a pause. ``is_retrained``: a retraining
        asks, so it is not asked for again.
        """
        unpushed = repository.batches_not_pushed(self._session, project.id)
        if unpushed:
            return Due([self._push_step(project, unpushed[0])])
        outlook = self.outlook(project)
        last_round = outlook.progress.last_round
        if last_round == 0:
            return Due(self._first_steps(project))
        steps = []
        if outlook.is_training_due and not is_retrained:
            steps.append(Step(RETRAIN, f"{last_round}:{outlook.new_state}"))
        if outlook.is_batch_finished and not outlook.is_last_round:
            steps.append(self._batch_step(project, last_round + 1))
        return Due(steps, self._batch_just_finished(project, outlook.progress))

    def finish_batch(self, batch_id: int) -> None:
        """The batch is finished from now on, and whoever wants to know is told, once."""
        batch = repository.finish_batch(self._session, batch_id, self._clock())
        if batch is not None:
            Outbox(self._session, self._clock).tell_batch_finished(batch)

    def _batch_just_finished(self, project: Project, progress: LoopProgress) -> int | None:
        batch = repository.latest_batch(self._session, project.id)
        is_news = (
            batch is not None and batch.finished_at is None and not progress.open_in_last_batch
        )
        return batch.id if batch is not None and is_news else None

    def outlook(self, project: Project) -> Outlook:
        """What the loop waits for; nothing is written."""
        progress, policy = self.progress(project), policy_of(project)
        new, new_state = self._not_learnt(project, progress)
        return Outlook(
            progress,
            new=new,
            new_state=new_state,
            wanted=policy.labels_before_retraining,
            refill_at=policy.refill_at,
            max_rounds=policy.max_rounds,
        )

    def _first_steps(self, project: Project) -> list[Step]:
        """The first batch, where somebody has asked for it and it did not come about."""
        step = self._batch_step(project, 1)
        assert step.args is not None
        is_asked = repository.was_asked_for(self._session, step.name, project.id, step.args)
        return [step] if is_asked else []

    def _not_learnt(self, project: Project, progress: LoopProgress) -> tuple[int, str]:
        """How many records have another label than the newest model version learnt, or may have.

        Also what they are in a word: the same until somebody answers or decides again. What is
        still open does not count, but for records that an answer was taken away from.
        """
        version = repository.latest_model_version(self._session, project.id)
        if version is None or LEARNT not in version.metrics:
            trained_on = int(version.metrics.get("complete_tasks", 0)) if version else 0
            return progress.complete - trained_on, str(progress.complete)
        learnt, policy = Learnt(**version.metrics[LEARNT]), policy_of(project)
        by_policy = (policy.annotators_per_record, policy.confidence_wanted)
        if by_policy != (learnt.annotators_per_record, learnt.confidence_wanted):
            return progress.complete, f"{progress.complete}:{by_policy}"
        answered = [
            (task_id, newest)
            for task_id, newest, is_gone in repository.answers_since(
                self._session, project.id, learnt
            )
            if is_gone or task_id in progress.complete_tasks
        ]
        decided = repository.decisions_since(self._session, project.id, learnt)
        records_changed = {task_id for task_id, _ in (*answered, *decided)}
        newest_answer = max((newest for _, newest in answered), default=0)
        newest_decision = max((newest for _, newest in decided), default=0)
        return (
            len(records_changed),
            f"{progress.complete}:{newest_answer}:{newest_decision}:{len(records_changed)}",
        )

    def _push_step(self, project: Project, batch: Batch) -> Step:
        key = f"batch:{batch.id}"
        if batch.pushed_at is not None:
            generation = records.generation(self._session, project.dataset_id)
            due = repository.count_due(self._session, batch.id)
            key = f"{key}:{generation}:{due}"
        return Step(PUSH, key)

    def request_batch(self, project: Project, round_number: int) -> str | None:
        """The choice of that round's batch is queued, also where it failed or was cancelled.

        None if it was made already.
        """
        step = self._batch_step(project, round_number)
        job = self._newest(step.name, project.id, step.key, step.args)
        if job.status in UNSUCCESSFUL:
            return retry(self._session, job.id, now=self._clock()).id
        return None if job.status == "done" else job.id

    def _batch_step(self, project: Project, round_number: int) -> Step:
        generation = records.generation(self._session, project.dataset_id)
        return Step(NEXT_BATCH, f"{round_number}:{generation}", {"round": round_number})

    def _ensure(
        self, name: str, project_id: int, key: str, args: dict[str, Any] | None = None
    ) -> str | None:
        """The job is queued, running or waiting: its id. None if it is done or was cancelled."""
        job = self._newest(name, project_id, key, args)
        return None if job.status in {"done", "cancelled"} else job.id

    def _newest(self, name: str, project_id: int, key: str, args: dict[str, Any] | None) -> Job:
        """The job of the step, queued if there was none; if it was tried again, that one."""
        now = self._clock()
        failures = repository.count_failures(
            self._session, name, project_id, before=now - RETRY_FAILED_AFTER
        )
        job_id = enqueue(
            self._session,
            name,
            project_id=project_id,
            args=args,
            key=f"{key}:{failures}",
            now=now,
        )
        return newest_attempt(self._session, get(self._session, job_id))


def continue_loop(services: Services, project: Project) -> None:
    """The project's next step is queued if it is due.

    What is due is found out before the transaction that writes, which is short. Should another
    answer come in between, its own refresh looks again.
    """
    with services.database.reading() as session:
        due = LoopService(session, services.clock).look(project)
    _queue(services, project, due)


def after_intake(services: Services, project: Project, revisions: int) -> None:
    """The loop's next step is queued if it is due after ``revisions`` new ones."""
    with services.database.reading() as session:
        due = LoopService(session, services.clock).look_after_intake(project, revisions)
    _queue(services, project, due)


def _queue(services: Services, project: Project, due: Due) -> None:
    if due.steps or due.finished_batch:
        with services.database.transaction() as session:
            loop = LoopService(session, services.clock)
            if due.finished_batch:
                loop.finish_batch(due.finished_batch)
            loop.queue_step(project, due.steps)
