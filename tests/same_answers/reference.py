"""What counts, read off the store row by row: slow, plain, and not with the product's queries."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from backend.models import Annotation, Decision, Record, ReviewCase, Task
from backend.projects.schemas import LoopPolicy


@dataclass
class Expected:
    """One record: its first task, who answered what, and whether anything is waited for."""

    first: Task
    answers: dict[object, Annotation] = field(default_factory=dict)
    open_tasks: list[Task] = field(default_factory=list)
    is_current: bool = True
    decision: Decision | None = None

    def wanted(self, policy: LoopPolicy) -> int:
        wanted = self.first.annotators_wanted or policy.annotators_per_record
        if self.first.deleted_at is None:
            return wanted
        copies = [task for task in self.open_tasks if not task.key.startswith("imported-")]
        return min(wanted, max(len(copies), 1))  # a copy brings one answer

    @property
    def can_be_answered(self) -> bool:
        return any(
            not task.key.startswith("imported-")
            and (task.label_studio_task_id is not None or self.is_current)
            for task in self.open_tasks
        )

    def is_open(self, policy: LoopPolicy) -> bool:
        return self.can_be_answered and len(self.answers) < self.wanted(policy)

    def is_complete(self, policy: LoopPolicy) -> bool:
        return bool(self.answers) and not self.is_open(policy)

    @property
    def graded(self) -> list[Annotation]:
        return [row for row in self.answers.values() if row.grade is not None]

    @property
    def winners(self) -> set[str]:
        """The grades that most people gave."""
        votes = Counter(str(row.grade) for row in self.graded)
        return {grade for grade, given in votes.items() if given == max(votes.values())}


def standing(session: Session, project_id: int) -> dict[int, Annotation]:
    """Annotation to its latest revision, where that is no deletion."""
    latest: dict[int, Annotation] = {}
    for row in session.exec(select(Annotation).where(Annotation.project_id == project_id)):
        before = latest.get(row.label_studio_annotation_id)
        if before is None or (before.revised_at, before.revision) < (row.revised_at, row.revision):
            latest[row.label_studio_annotation_id] = row
    return {key: row for key, row in latest.items() if not row.is_deleted}


def expected(session: Session, project_id: int) -> dict[int, Expected]:
    """First task to what counts for its record; records that Label Studio lost are left out."""
    tasks = {
        task.id: task
        for task in session.exec(
            select(Task).where(Task.project_id == project_id).order_by(col(Task.id))
        )
    }
    found: dict[int, Expected] = {}
    for task in tasks.values():
        first = tasks[task.original_id or task.id]
        if task.purpose == "gold" or task.deleted_at is not None:
            continue
        found.setdefault(first.id, Expected(first)).open_tasks.append(task)
    for place, each in found.items():
        record = session.get(Record, each.first.record_id)
        assert record is not None
        each.is_current = record.is_current
        case = session.exec(select(ReviewCase).where(ReviewCase.task_id == place)).one_or_none()
        if case is not None and case.decision_id is not None:
            each.decision = session.get(Decision, case.decision_id)
    given: dict[int, list[Annotation]] = defaultdict(list)
    for row in standing(session, project_id).values():
        task = tasks[row.task_id]
        if task.deleted_at is None and task.purpose != "gold":
            given[task.original_id or row.task_id].append(row)
    for place, rows in given.items():
        for row in sorted(rows, key=lambda each: (each.revised_at, each.id)):
            who: object = row.annotator_id or f"annotation {row.id}"
            found[place].answers[who] = row
    return found
