"""Answers of records by hand, for what is computed from them; which count decides the store."""

from collections.abc import Mapping, Sequence

from backend.consensus.rule import consensus_of, fit_grades
from backend.consensus.service import ProjectLabels
from backend.loop.answers import Asked, RecordAnswers
from backend.loop.repository import Learnt
from backend.models import Annotation, Decision, Task
from labeling.label_schema import LabelSchema


def held_of(tasks: Sequence[Task], answers: Sequence[Annotation]) -> dict[int, RecordAnswers]:
    """First task's id to its answers: all of them."""
    found = {}
    for task in sorted(tasks, key=lambda each: each.id):
        given = sorted((row for row in answers if row.task_id == task.id), key=lambda row: row.id)
        found[task.id] = RecordAnswers(
            task,
            [task],
            [row for row in given if not row.was_cancelled],
            [row for row in given if row.was_cancelled],
            Asked(task.annotators_wanted),
        )
    return found


def labels_by_hand(
    tasks: Sequence[Task],
    answers: Sequence[Annotation],
    schema: LabelSchema,
    people: int,
    decisions: Mapping[int, Decision] | None = None,
) -> ProjectLabels:
    """The labels of these answers, without a classifier's opinions."""
    held = held_of(tasks, answers)
    model = fit_grades(held, {}, schema)
    found = consensus_of(held, {}, schema, annotators_per_record=people, model=model)
    return ProjectLabels(held, found, decisions or {}, {}, {}, model, people, Learnt())
