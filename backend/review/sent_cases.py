"""Labels that somebody has sent to the desk: each has a case until it is decided."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from backend.audit.service import AuditTrail
from backend.core.clock import Clock
from backend.core.exceptions import Conflict
from backend.loop.service import LoopService
from backend.models import Project
from backend.projects.repository import lock_project
from backend.review import sent_case_repository as repository
from backend.words import Message


@dataclass(frozen=True)
class DeskPlan:
    """What becomes of records that are sent to the desk.

    Attributes:
        going: first tasks of the records whose label goes there.
        unanswered: record ids left out because nobody has answered about them.
        on_desk: how many are left out because they were sent before and are not decided yet.
    """

    going: tuple[int, ...]
    unanswered: tuple[int, ...]
    on_desk: int


class SentCases:
    """Sendings to the desk of all projects, within one transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def plan(self, project: Project, record_ids: Sequence[int]) -> DeskPlan:
        """What would become of these records; nothing is written."""
        answered = repository.answered_tasks(self._session, project.id, record_ids)
        waiting = repository.open_sendings(self._session, project.id, [*answered.values()])
        return DeskPlan(
            going=tuple(task_id for task_id in answered.values() if task_id not in waiting),
            unanswered=tuple(each for each in record_ids if each not in answered),
            on_desk=len(waiting),
        )

    def send(
        self, project: Project, record_ids: Sequence[int], *, actor: str, sending: str
    ) -> DeskPlan:
        """The labels are on their way to the desk, which opens their cases; what was left out.

        Sending the same again under the same ``sending`` changes nothing.

        Raises:
            Conflict: none of them can be sent.
        """
        lock_project(self._session, project.id)
        sent = repository.tasks_of(self._session, project.id, sending)
        if sent:
            return DeskPlan(going=tuple(sent), unanswered=(), on_desk=0)
        plan = self.plan(project, record_ids)
        if not plan.going:
            raise _nothing_to_send(plan)
        repository.add(
            self._session,
            [
                {
                    "project_id": project.id,
                    "task_id": task_id,
                    "sending": sending,
                    "author": actor,
                    "sent_at": self._clock(),
                }
                for task_id in plan.going
            ],
        )
        self._note(project, actor, "case.sent", len(plan.going))
        LoopService(self._session, self._clock).request_review(project)
        return plan

    def count(self, project: Project, sending: str) -> int:
        """How many labels were sent by that click."""
        return len(repository.tasks_of(self._session, project.id, sending))

    def can_be_taken_back(self, project: Project, sending: str) -> int:
        """How many labels of that sending nobody has decided yet."""
        sent = repository.tasks_of(self._session, project.id, sending)
        return len(repository.open_sendings(self._session, project.id, sent))

    def take_back(self, project: Project, sending: str, *, actor: str) -> int:
        """What is not decided yet was not sent; how many.

        A case that has other reasons stays with those.
        """
        lock_project(self._session, project.id)
        sent = repository.tasks_of(self._session, project.id, sending)
        waiting = repository.open_sendings(self._session, project.id, sent)
        repository.drop(self._session, sending, sorted(waiting))
        if waiting:
            self._note(project, actor, "case.sent_undone", len(waiting))
            LoopService(self._session, self._clock).request_review(project)
        return len(waiting)

    def _note(self, project: Project, actor: str, action: str, records: int) -> None:
        AuditTrail(self._session, self._clock).append(
            actor, action, f"project:{project.id}", {"records": records}
        )


def _nothing_to_send(plan: DeskPlan) -> Conflict:
    return Conflict(
        Message("None of these records can be sent to the desk."),
        field="record_id",
        value=len(plan.unanswered) + plan.on_desk,
        remedy=Message(
            "{unanswered:,} have no answer yet: send those to be labelled. {on_desk:,} are on the "
            "desk already.",
            unanswered=len(plan.unanswered),
            on_desk=plan.on_desk,
        ),
    )
