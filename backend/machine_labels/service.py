"""Which records the machine labels now, asking for more, and taking them back."""

from datetime import datetime
from typing import Any

import numpy as np
from sqlmodel import Session

from backend.audit.service import AuditTrail
from backend.consensus.repository import settled_labels
from backend.core.clock import Clock
from backend.core.exceptions import Conflict
from backend.jobs.queue import enqueue
from backend.loop.answer_repository import answers_of
from backend.loop.job_names import NEXT_BATCH
from backend.loop.service import LoopService
from backend.machine_labels import repository
from backend.machine_labels.checks import MachineLabelCheck, completed_checks
from backend.models import Acceptance, Project
from backend.projects.service import policy_of
from backend.registry.service import RegistryService
from backend.words import Message

ACCEPT = "training.accept"


class AcceptanceService:
    """Machine labels of all projects, within one transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._audit = AuditTrail(session, clock)

    def latest(self, project_id: int) -> Acceptance | None:
        """The newest decision, whatever it was."""
        return repository.latest(self._session, project_id)

    def standing_acceptance(self, project_id: int) -> Acceptance | None:
        """The decision whose machine labels count now; None if none do.

        The promise of an accepted model version is about its own labels: it holds on when a
        later version is refused.
        """
        return repository.standing_acceptance(self._session, project_id)

    def machine_labelled(self, project_id: int) -> set[int]:
        """Ids of the records that need no person while the standing decision holds."""
        standing = self.standing_acceptance(project_id)
        if standing is None:
            return set()
        return repository.labelled_record_ids(self._session, standing.id)

    def checks_due(self, project_id: int, limit: int, *, seed: int) -> list[int]:
        """Up to ``limit`` records whose machine label is to be checked next, at random."""
        standing = self.standing_acceptance(project_id)
        if standing is None:
            return []
        due = repository.unchecked_record_ids(self._session, standing)
        drawn = np.random.default_rng(seed).permutation(len(due))[:limit]
        return [due[place] for place in drawn]

    def checks(self, project: Project, acceptance: Acceptance) -> list[MachineLabelCheck]:
        """What people say about the decision's machine labels, in the order they came.

        People's labels are those that the desk shows; ``shown_labels`` brings them up to date.
        """
        drawn = repository.tasks_of_checks(self._session, acceptance)
        held = answers_of(self._session, project.id, task_ids=list(drawn))
        labels = settled_labels(self._session, project.id, list(drawn))
        return completed_checks(drawn, held, labels)

    def request(self, project: Project, *, actor: str) -> str:
        """The champion will be asked whether it may label alone; the job's id.

        Raises:
            Conflict: the policy promises nothing, or there is no champion yet.
        """
        if policy_of(project).accept_error is None:
            raise Conflict(
                Message(
                    "The policy of project {project} allows no machine labels.", project=project.id
                ),
                field="policy.accept_error",
                value=None,
                remedy=Message(
                    "Set the greatest share of wrong ones first: accept_error in the policy."
                ),
            )
        if RegistryService(self._session, self._clock).champion(project.id) is None:
            raise Conflict(
                Message("Project {project} has no champion yet.", project=project.id),
                field="project",
                value=project.id,
                remedy=Message("Label the first batch; a model version is trained then."),
            )
        now = self._clock()
        self._audit.append(actor, "acceptance.requested", f"project:{project.id}")
        return enqueue(
            self._session,
            ACCEPT,
            project_id=project.id,
            args={"is_asked": True},
            key=f"by-hand:{now.isoformat(timespec='seconds')}",
            now=now,
        )

    def withdraw(
        self,
        project: Project,
        *,
        reason: Message | str,
        evidence: dict[str, Any] | None = None,
        actor: str,
    ) -> Acceptance:
        """No machine label counts any more; their records may be chosen for people again.

        Raises:
            Conflict: no machine labels stand.
        """
        standing = self.standing_acceptance(project.id)
        if standing is None:
            raise Conflict(
                Message("Project {project} has no machine labels to withdraw.", project=project.id),
                field="project",
                value=project.id,
                remedy=Message("The project's page tells which stand."),
            )
        row = Acceptance(
            project_id=project.id,
            model_version_id=standing.model_version_id,
            state="withdrawn",
            target_error=standing.target_error,
            delta=standing.delta,
            threshold=standing.threshold,
            evidence={"acceptance": standing.id, "withdrawn_by": actor, **(evidence or {})},
            records=0,
            reason=Message.of(reason),
            created_at=self._clock(),
        )
        repository.add(self._session, row)
        self._audit.append(
            actor,
            "acceptance.withdrawn",
            f"project:{project.id}",
            {"acceptance": standing.id, "records": standing.records, "reason": str(reason)},
        )
        self._continue_loop(project, row)
        return row

    def _continue_loop(self, project: Project, withdrawn: Acceptance) -> None:
        """A loop that had run out of records goes on with those that are free again."""
        progress = LoopService(self._session, self._clock).progress(project)
        policy, round_number = policy_of(project), progress.last_round + 1
        if progress.open_in_rounds > policy.refill_at or round_number > (
            policy.max_rounds or round_number
        ):
            return
        enqueue(
            self._session,
            NEXT_BATCH,
            project_id=project.id,
            args={"round": round_number},
            key=f"{round_number}:withdrawn:{withdrawn.id}",
            now=self._clock(),
        )


def request_acceptance(session: Session, project: Project, now: datetime) -> str | None:
    """The champion is asked whether it may label alone, if the policy wants machine labels.

    Call it when a retraining ends. Asking again on the same answers changes nothing. The job's
    id; None where there is nothing to ask or to watch.
    """
    is_watched = repository.standing_acceptance(session, project.id) is not None
    if policy_of(project).accept_error is None and not is_watched:
        return None
    champion = RegistryService(session, lambda: now).champion(project.id)
    if champion is None:
        return None
    newest = repository.newest_annotation(session, project.id)
    return enqueue(
        session,
        ACCEPT,
        project_id=project.id,
        key=f"{champion.id}:{newest}",
        now=now,
    )
