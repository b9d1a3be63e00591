"""Asking for another answer: of anybody who has not answered, or of one annotator."""

import uuid

from sqlmodel import Session

from backend.core.clock import Clock
from backend.core.exceptions import Conflict, NotFound
from backend.loop.answer_repository import answers_of
from backend.loop.answers import RELABEL, RecordAnswers
from backend.loop.service import LoopService
from backend.models import Decision, Project, ReviewCase, Task
from backend.notices.outbox import Outbox
from backend.projects.service import policy_of
from backend.review import decision_repository, repository
from backend.words import Message

MOST_ANSWERS = 20
"""As many as a project can ask for (``projects.schemas.MOST_ANNOTATORS``)."""
RELABEL_REASON = Message("sent back by the review desk")


class SendingBack:
    """Asks Label Studio for more answers, within one transaction and by jobs."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def send(self, project: Project, case: ReviewCase, assignee_id: int | None) -> Task:
        """The task that will bring the answer.

        Without an assignee the record's own task wants one answer more, and Label Studio gives it
        to somebody who has not answered it. For one annotator, or where that task is not in Label
        Studio any more, a copy of the task is pushed.

        Raises:
            NotFound: there is no such annotator.
            Conflict: the annotator is no longer known to Label Studio, or the record has as many
                answers as can be asked for.
        """
        original = repository.task(self._session, case.task_id)
        assert original is not None
        self._check(assignee_id)
        has_task = original.label_studio_task_id is not None and original.deleted_at is None
        if assignee_id is None and has_task:
            self.ask_one_more(project, original)
            return original
        return self._copy(project, original, assignee_id)

    def ask_one_more(self, project: Project, original: Task) -> None:
        """The task wants one answer more than it has, and Label Studio will be told.

        Raises:
            Conflict: it has as many answers as can be asked for.
        """
        wanted = self._answers(project, original).responses + 1
        if wanted > MOST_ANSWERS:
            raise Conflict(
                Message.ngettext(
                    "Task {task} has {n} answer; no more can be asked for.",
                    "Task {task} has {n} answers; no more can be asked for.",
                    n=wanted - 1,
                    task=original.id,
                ),
                field="task",
                value=original.id,
                remedy=Message("Decide the case."),
            )
        least = original.annotators_wanted or policy_of(project).annotators_per_record
        decision_repository.ask_more(self._session, original, max(wanted, least))
        LoopService(self._session, self._clock).request_asking(project)

    def tell(self, project: Project, case: ReviewCase, decision: Decision) -> None:
        """Whoever wants to know is told that the case's record was sent back."""
        task = repository.task(self._session, case.task_id)
        record = repository.record(self._session, task.record_id) if task else None
        assert record is not None
        outbox = Outbox(self._session, self._clock)
        outbox.tell_record_sent_back(project.id, decision, record.external_id)

    def is_awaited(self, project: Project, case: ReviewCase) -> bool:
        """True while an answer that was asked for is not there yet."""
        original = repository.task(self._session, case.task_id)
        assert original is not None
        held = self._answers(project, original)
        return held.awaits_copy or not held.is_complete(policy_of(project).annotators_per_record)

    def take_back(self, project: Project, case: ReviewCase) -> None:
        """No answer is waited for any more, so the case keeps the reasons that its answers give.

        Label Studio is not told: an answer that somebody is about to give there still counts.
        """
        original = repository.task(self._session, case.task_id)
        assert original is not None
        responses = self._answers(project, original).responses
        wanted = max(responses, policy_of(project).annotators_per_record)
        decision_repository.ask_more(self._session, original, wanted)
        decision_repository.mark_asked(self._session, original.id, wanted)

    def _copy(self, project: Project, original: Task, assignee_id: int | None) -> Task:
        attempt = decision_repository.last_attempt(self._session, original) + 1
        copy = Task(
            project_id=original.project_id,
            record_id=original.record_id,
            batch_id=original.batch_id,
            key=copy_key(original, attempt),
            position=original.position,
            is_audit=original.is_audit,
            reason=RELABEL_REASON,
            purpose=RELABEL,
            attempt=attempt,
            original_id=original.id,
            assignee_id=assignee_id,
            annotators_wanted=1,
        )
        decision_repository.add_task(self._session, copy)
        held = self._answers(project, original)
        # Somebody's second answer takes the place of the first: no more people are wanted then.
        wanted = held.responses + (assignee_id not in held.responders)
        decision_repository.ask_more(self._session, original, wanted)
        # The copy brings the answer: Label Studio's queue must not give the first task out again.
        decision_repository.mark_asked(self._session, original.id, wanted)
        LoopService(self._session, self._clock).request_asking(project)
        return copy

    def _answers(self, project: Project, original: Task) -> RecordAnswers:
        held = answers_of(self._session, project.id, task_ids=[original.id])
        return held.get(original.id) or RecordAnswers(original)

    def _check(self, assignee_id: int | None) -> None:
        if assignee_id is None:
            return
        annotator = repository.annotator(self._session, assignee_id)
        if annotator is None:
            raise NotFound(
                Message("There is no annotator {assignee_id}.", assignee_id=assignee_id),
                field="assignee_id",
                value=assignee_id,
                remedy=Message("Choose one of the annotators that the case page lists."),
            )


def copy_key(original: Task, attempt: int) -> str:
    """The key of a copy: the same for the same task and attempt."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{original.key}-{attempt}").hex
