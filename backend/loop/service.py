"""The loop's state and what is due: one function looks at the store and queues the next step."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from backend.core.clock import Clock
from backend.jobs.queue import enqueue, get
from backend.loop import answer_repository, repository
from backend.loop.job_names import ASK, NEXT_BATCH, PUSH, RETRAIN, REVIEW, SYNC
from backend.models import Project
from backend.projects.service import policy_of

RETRY_FAILED_AFTER = timedelta(minutes=5)
"""A step that failed is asked for again after this pause, so that a lasting fault costs little."""


@dataclass(frozen=True)
class LoopProgress:
    """Where the labelling of a project stands."""

    complete: int
    open: int
    open_in_last_batch: int
    last_round: int


class LoopService:
    """The loops of all projects, within one transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def after_intake(self, project: Project, revisions: int) -> None:
        """``revisions`` new ones reach the review desk; the loop's next step is queued if due.

        Where overlap is adaptive the review decides first whether more answers are wanted.
        """
        if revisions:
            self.request_review(project)
        if policy_of(project).overlap == "fixed" or not revisions:
            self.continue_loop(project)

    def request_review(self, project: Project) -> None:
        """Consensus labels and review cases will be brought up to date."""
        assert project.id is not None
        if not repository.has_queued_job(self._session, REVIEW, project.id):
            enqueue(self._session, REVIEW, project_id=project.id, now=self._clock())

    def request_asking(self, project: Project) -> None:
        """Label Studio will be told how many answers each task wants."""
        assert project.id is not None
        if not repository.has_queued_job(self._session, ASK, project.id):
            enqueue(self._session, ASK, project_id=project.id, now=self._clock())

    def request_sync(self, project_id: int, *, is_full: bool = False) -> str:
        """A reconciling sync is queued; ``is_full`` also lists deleted tasks."""
        now = self._clock()
        return enqueue(
            self._session,
            SYNC,
            project_id=project_id,
            args={"is_full": is_full},
            key=f"{SYNC}:{project_id}:{now.timestamp():.3f}",
            now=now,
        )

    def progress(self, project: Project) -> LoopProgress:
        """How many tasks have all the answers that the policy asks for."""
        assert project.id is not None
        wanted = policy_of(project).annotators_per_record
        batch = repository.latest_batch(self._session, project.id)
        states = answer_repository.states(self._session, project.id).values()
        waited_for = [each for each in states if each.asked.is_open(each.responses, wanted)]
        return LoopProgress(
            complete=sum(each.asked.is_complete(each.responses, wanted) for each in states),
            open=len(waited_for),
            open_in_last_batch=sum(
                batch is not None and each.batch_id == batch.id for each in waited_for
            ),
            last_round=batch.round if batch else 0,
        )

    def continue_loop(self, project: Project, *, is_retrained: bool = False) -> str | None:
        """The loop's next step is queued if it is due; its job id, else None.

        In this order: push what is not pushed; retrain on enough new labels or a finished
        batch; choose the next batch. Asking again changes nothing while the step is on its
        way; one that failed is tried again after a pause. ``is_retrained``: a retraining
        asks, so it is not asked for again.
        """
        assert project.id is not None
        policy = policy_of(project)
        progress = self.progress(project)
        unpushed = repository.batches_not_pushed(self._session, project.id)
        if unpushed:
            return self._ensure(PUSH, project.id, f"batch:{unpushed[0].id}")
        if progress.last_round == 0:
            return None
        version = repository.latest_model_version(self._session, project.id)
        trained_on = int(version.metrics.get("complete_tasks", 0)) if version else 0
        new = progress.complete - trained_on
        is_finished = progress.open <= policy.refill_at
        is_enough = new >= policy.labels_before_retraining or (new > 0 and is_finished)
        if is_enough and not is_retrained:
            key = f"{progress.last_round}:{progress.complete}"
            job_id = self._ensure(RETRAIN, project.id, key)
            if job_id is not None:
                return job_id
        if is_finished and progress.last_round < (policy.max_rounds or progress.last_round + 1):
            return self.request_batch(project, progress.last_round + 1)
        return None

    def request_batch(self, project: Project, round_number: int) -> str | None:
        """The choice of that round's batch is queued; None if it was made already."""
        assert project.id is not None
        newest = repository.newest_record(self._session, project.dataset_id)
        return self._ensure(
            NEXT_BATCH, project.id, f"{round_number}:{newest}", {"round": round_number}
        )

    def _ensure(
        self, name: str, project_id: int, key: str, args: dict[str, Any] | None = None
    ) -> str | None:
        """The job is queued, running or waiting: its id. None if it is done."""
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
        is_over = get(self._session, job_id).status in {"done", "cancelled"}
        return None if is_over else job_id
