"""Whose answers count for which record: one answer an annotator, copies of a task included."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from backend.loop.repository import IMPORTED_KEY
from backend.models import Annotation, Task

LABEL, RELABEL, GOLD = "label", "relabel", "gold"
"""Purposes of a task."""


@dataclass
class RecordAnswers:
    """One record's task and the revisions that count, one an annotator.

    ``tasks`` are the first task and the copies it was sent back as. Answers to hidden gold
    copies are not among the answers: their right answer was known before.
    """

    task: Task
    tasks: list[Task] = field(default_factory=list)
    answers: list[Annotation] = field(default_factory=list)
    skips: list[Annotation] = field(default_factory=list)

    @property
    def responses(self) -> int:
        """How many people answered or skipped."""
        return len(self.answers) + len(self.skips)

    @property
    def responders(self) -> set[int]:
        """Ids of the annotators who answered or skipped and are still known."""
        rows = (*self.answers, *self.skips)
        return {row.annotator_id for row in rows if row.annotator_id is not None}

    @property
    def awaits_copy(self) -> bool:
        """True while nobody has answered the newest copy that the record was sent back as.

        Whoever is asked once more has answered before, so counting answers cannot tell.
        """
        copies = [task for task in self.tasks if task.purpose == RELABEL and not is_imported(task)]
        if not copies:
            return False
        newest = max(copies, key=lambda task: task.attempt)
        return all(row.task_id != newest.id for row in (*self.answers, *self.skips))

    def wanted(self, annotators_per_record: int) -> int:
        """How many people are to answer."""
        return self.task.annotators_wanted or annotators_per_record

    def is_complete(self, annotators_per_record: int) -> bool:
        """True once as many as wanted answered or skipped."""
        return self.responses >= self.wanted(annotators_per_record)


def is_imported(task: Task) -> bool:
    """True if the task holds answers given in another Label Studio."""
    return task.key.startswith(IMPORTED_KEY)


def answers_by_record(
    tasks: Sequence[Task], revisions: Iterable[Annotation]
) -> dict[int, RecordAnswers]:
    """First task's id to its answers, in the tasks' order.

    Someone who answered a task and its copy counts with the later answer; an annotator whom
    Label Studio no longer knows counts as one person an annotation. A task that was deleted in
    Label Studio is left out; its copies go on.
    """
    found = {_id(task): RecordAnswers(task) for task in tasks if task.purpose == LABEL}
    first = {_id(task): task.original_id or _id(task) for task in tasks if task.purpose != GOLD}
    for task in tasks:
        place = first.get(_id(task))
        if place in found and task.deleted_at is None:
            found[place].tasks.append(task)
    open_tasks = {_id(task) for task in tasks if task.deleted_at is None}
    latest: dict[int, dict[object, Annotation]] = defaultdict(dict)
    for row in revisions:
        original = first.get(row.task_id)
        if original not in found or row.task_id not in open_tasks:
            continue
        who: object = row.annotator_id or f"annotation {row.label_studio_annotation_id}"
        before = latest[original].get(who)
        if before is None or (before.revised_at, before.id or 0) < (row.revised_at, row.id or 0):
            latest[original][who] = row
    for original, rows in latest.items():
        for row in sorted(rows.values(), key=lambda each: each.id or 0):
            (found[original].skips if row.was_cancelled else found[original].answers).append(row)
    return {place: each for place, each in found.items() if each.tasks}


def _id(task: Task) -> int:
    assert task.id is not None
    return task.id
