"""The answers to one record, and how many are wanted; which count says ``answer_repository``."""

from dataclasses import dataclass, field

from backend.loop.repository import IMPORTED_KEY
from backend.models import Annotation, Task

LABEL, RELABEL, GOLD = "label", "relabel", "gold"
"""Purposes of a task."""


@dataclass(frozen=True)
class Asked:
    """What a record's tasks ask for.

    Attributes:
        annotators_wanted: answers wanted; None: as many as the policy says.
        copies: copies that Label Studio holds, where the first task is gone from there: each
            brings one answer. None where the first task is still there.
        can_be_answered: people get to see one of the tasks, or will. Not those whose answers were
            imported, nor a task that was not pushed before its record changed.
    """

    annotators_wanted: int | None = None
    copies: int | None = None
    can_be_answered: bool = True

    def answers_wanted(self, annotators_per_record: int) -> int:
        """How many people are to answer."""
        most = self.annotators_wanted or annotators_per_record
        return most if self.copies is None else min(most, max(self.copies, 1))

    def is_complete(self, responses: int, annotators_per_record: int) -> bool:
        """True once as many as wanted answered or skipped, or nobody else can."""
        if not self.can_be_answered:
            return responses > 0
        return responses >= self.answers_wanted(annotators_per_record)

    def is_open(self, responses: int, annotators_per_record: int) -> bool:
        """True while answers are waited for."""
        return self.can_be_answered and responses < self.answers_wanted(annotators_per_record)


@dataclass
class RecordAnswers:
    """One record's task and the answers that count, one a person.

    ``tasks`` are the first task and the copies it was sent back as, without those that are deleted
    in Label Studio. Answers to hidden gold copies are not among the answers: their right answer
    was known before.
    """

    task: Task
    tasks: list[Task] = field(default_factory=list)
    answers: list[Annotation] = field(default_factory=list)
    skips: list[Annotation] = field(default_factory=list)
    asked: Asked = field(default_factory=Asked)

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

    def answers_wanted(self, annotators_per_record: int) -> int:
        """How many people are to answer."""
        return self.asked.answers_wanted(annotators_per_record)

    def is_complete(self, annotators_per_record: int) -> bool:
        """True once as many as wanted answered or skipped, or nobody else can."""
        return self.asked.is_complete(self.responses, annotators_per_record)


def is_imported(task: Task) -> bool:
    """True if the task holds answers given in another Label Studio."""
    return task.key.startswith(IMPORTED_KEY)
