"""What people said of one record: answers with their revisions, consensus, decisions."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from backend.core.clock import Clock
from backend.explorer import record_repository
from backend.loop.answers import LABEL
from backend.models import Annotation, ConsensusLabel, Project, ReviewCase, Task
from backend.review import repository as review_repository
from backend.review.schemas import CaseAnswerPublic, DecisionPublic
from backend.review.service import ReviewDesk
from backend.words import Message


@dataclass(frozen=True)
class PersonAnswer:
    """An answer that counts, by whom, and what it was before."""

    answer: CaseAnswerPublic
    who: Message
    changed_by: Message | None
    earlier: list[Annotation]
    """Revisions before the one that counts, newest first."""


@dataclass(frozen=True)
class VersionLabel:
    """What was said of one version of the record."""

    record_id: int
    task: Task
    """The first about that version."""
    consensus: ConsensusLabel | None
    answers: list[PersonAnswer]
    case: ReviewCase | None
    decisions: list[DecisionPublic]
    """Newest first."""


class RecordLabels:
    """Labels of records within one reading session.

    Args:
        session: reading.
        clock: of the application.
        are_named: whether who reads may know who answered, as on the review desk; people are
            numbered else.
    """

    def __init__(self, session: Session, clock: Clock, *, are_named: bool) -> None:
        self._session = session
        self._desk = ReviewDesk(session, clock)
        self._are_named = are_named

    def of_tasks(self, project: Project, tasks: Sequence[Task]) -> list[VersionLabel]:
        """What was said at these tasks of one record, the newest version of it first."""
        firsts = [task for task in tasks if task.purpose == LABEL and task.original_id is None]
        return [
            self._of_version(
                project, first, [each for each in tasks if first.id in (each.id, each.original_id)]
            )
            for first in reversed(firsts)
        ]

    def _of_version(self, project: Project, first: Task, tasks: Sequence[Task]) -> VersionLabel:
        case = record_repository.case_of_task(self._session, first.id)
        decisions = self._desk.decisions(case.id) if case else []
        return VersionLabel(
            record_id=first.record_id,
            task=first,
            consensus=review_repository.consensus(self._session, first.id),
            answers=self._answers(project, first, tasks),
            case=case,
            decisions=decisions[::-1],
        )

    def _answers(self, project: Project, first: Task, tasks: Sequence[Task]) -> list[PersonAnswer]:
        revisions: dict[int, list[Annotation]] = {}
        for row in record_repository.revisions(self._session, [task.id for task in tasks]):
            revisions.setdefault(row.label_studio_annotation_id, []).append(row)
        answers = self._desk.answers(project, first)
        numbers: dict[int | None, int] = {}
        for answer in answers:
            numbers.setdefault(answer.annotator_id, len(numbers) + 1)
        return [
            PersonAnswer(
                answer=answer,
                who=self._who(answer, numbers[answer.annotator_id]),
                changed_by=self._changed_by(answer),
                earlier=revisions.get(answer.annotation_id, [])[-2::-1],
            )
            for answer in answers
        ]

    def _who(self, answer: CaseAnswerPublic, number: int) -> Message:
        if answer.is_deleted_annotator:
            return Message("unknown annotator")
        if self._are_named:
            return Message("{name}", name=answer.annotator)
        return Message("person {number}", number=number)

    def _changed_by(self, answer: CaseAnswerPublic) -> Message | None:
        if answer.edited_by is None:
            return None
        if self._are_named:
            return Message("changed by {name}", name=answer.edited_by)
        return Message("changed by somebody else")
