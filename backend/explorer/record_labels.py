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


@dataclass(frozen=True)
class PersonAnswer:
    """An answer that counts, by whom, and what it was before."""

    answer: CaseAnswerPublic
    name: str | None
    """None where it is not known, or not to be known by who reads."""
    number: int
    """Of the person among those who answered, from 1 on."""
    changed_by: str | None
    """Somebody else who changed the answer last; empty where that is not to be known."""
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
                name=self._name(answer),
                number=numbers[answer.annotator_id],
                changed_by=answer.edited_by if self._are_named or not answer.edited_by else "",
                earlier=revisions.get(answer.annotation_id, [])[-2::-1],
            )
            for answer in answers
        ]

    def _name(self, answer: CaseAnswerPublic) -> str | None:
        return answer.annotator if self._are_named and not answer.is_deleted_annotator else None
