"""Ask for a retraining or a batch, by hand."""

from typing import Literal

from sqlmodel import Session

from backend.audit.service import AuditTrail
from backend.core.clock import Clock
from backend.core.exceptions import Conflict
from backend.jobs.queue import enqueue
from backend.loop import repository as loop_repository
from backend.loop.job_names import RETRAIN
from backend.loop.service import LoopService
from backend.models import Project
from backend.words import Message

LabelWeights = Literal["none", "value"]
"""Every label counts alike, or by the probability that it is right."""


class TrainingService:
    """The loop's levers, within one transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._audit = AuditTrail(session, clock)

    def request_retraining(
        self, project: Project, *, actor: str, weights: LabelWeights | None = None
    ) -> str:
        """A retraining on the labels of now is queued; its job id.

        ``weights``: how labels count; None leaves that to the policy.
        """
        now = self._clock()
        asked = {} if weights is None else {"weights": weights}
        self._audit.append(actor, "training.requested", f"project:{project.id}", asked)
        return enqueue(
            self._session,
            RETRAIN,
            project_id=project.id,
            args=asked,
            key=":".join(["by-hand", now.isoformat(timespec="seconds"), *asked.values()]),
            now=now,
        )

    def request_batch(self, project: Project, *, actor: str) -> str:
        """The next batch is queued, also while the last one is still open; its job id.

        Raises:
            Conflict: the next batch has been chosen already and awaits its push.
        """
        last = loop_repository.latest_batch(self._session, project.id)
        if last is not None and last.pushed_at is None:
            raise Conflict(
                Message("Batch {round} is on its way to Label Studio.", round=last.round),
                remedy=Message("Wait for its push; the project's page tells how far it is."),
            )
        self._audit.append(actor, "batch.requested", f"project:{project.id}")
        service = LoopService(self._session, self._clock)
        job_id = service.request_batch(project, last.round + 1 if last else 1)
        if job_id is None:
            raise Conflict(
                Message("There are no records left to choose from."), remedy=Message("Import more.")
            )
        return job_id
