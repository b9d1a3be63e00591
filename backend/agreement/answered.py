"""The answers of a project as the mathematics wants them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from backend.agreement.schemas import DELETED, QuestionKind
from backend.loop.answers import RecordAnswers
from backend.models import Annotation
from labeling.consensus.base import LabelFrame
from labeling.consensus.choices import choice_frames
from labeling.label_schema import LabelSchema


@dataclass(frozen=True)
class SchemaQuestion:
    """One thing that people are asked about every record."""

    kind: QuestionKind
    name: str
    title: str
    title_zh: str
    frame: LabelFrame
    order: Sequence[str] | None = None


@dataclass(frozen=True)
class CountedAnswers:
    """The answers that count, and those to hidden copies.

    Attributes:
        rows: (first task's id, revision) of each answer with a grade that the schema has.
        not_counted: answers without such a grade.
        skips: annotator to the records skipped; ``DELETED`` for people who are not known.
        checks: (first task's id, revision) of each answer to a hidden copy.
    """

    rows: list[tuple[int, Annotation]]
    not_counted: int
    skips: Mapping[int, int]
    checks: list[tuple[int, Annotation]]


def counted_answers(
    held: Mapping[int, RecordAnswers],
    gold_answers: Sequence[tuple[int, Annotation]],
    schema: LabelSchema,
) -> CountedAnswers:
    """The answers of a project; ``gold_answers`` are those to hidden copies."""
    known = set(schema.grades)
    given = [(place, row) for place, each in held.items() for row in each.answers]
    rows = [(place, row) for place, row in given if row.grade in known]
    skips: dict[int, int] = {}
    checks = []
    skipped = [row for each in held.values() for row in each.skips]
    for place, row in gold_answers:
        if row.was_cancelled:
            skipped.append(row)
        elif row.grade in known:
            checks.append((place, row))
    for row in skipped:
        who = row.annotator_id or DELETED
        skips[who] = skips.get(who, 0) + 1
    return CountedAnswers(rows, len(given) - len(rows), skips, checks)


def questions_of(answers: CountedAnswers, schema: LabelSchema) -> list[SchemaQuestion]:
    """The grade, each issue and each field, with who said what to it.

    Somebody whom Label Studio no longer knows is one person an annotation, with a negative id.
    """
    rows = [(place, row.annotator_id or -row.id, row) for place, row in answers.rows]
    en, zh = schema.titles("en"), schema.titles("zh")
    order = schema.grades if schema.grade.ordered else None
    frame = LabelFrame.from_rows((item, who, str(row.grade)) for item, who, row in rows)
    found = [
        SchemaQuestion("grade", schema.grade.name, en.question, zh.question, frame, order),
    ]
    issues = [
        (item, who, _names_in_schema(row.issues, schema.issue_values)) for item, who, row in rows
    ]
    frames = choice_frames(issues, schema.issue_values)
    for issue in schema.issues:
        name = issue.value
        found.append(SchemaQuestion("issue", name, en.issue(name), zh.issue(name), frames[name]))
    if schema.faulty_fields:
        marks = [
            (item, who, _names_in_schema(row.faulty_fields, schema.fields))
            for item, who, row in rows
        ]
        frames = choice_frames(marks, schema.fields)
        found += [SchemaQuestion("field", name, name, name, frames[name]) for name in schema.fields]
    return found


def _names_in_schema(chosen: Sequence[str], names: Sequence[str]) -> frozenset[str]:
    return frozenset(chosen) & frozenset(names)


def days_of_second_answers(answers: CountedAnswers) -> dict[int, date]:
    """First task's id to the day on which two answers were there; later ones never move it."""
    moments: dict[int, list[date]] = {}
    for place, row in answers.rows:
        moments.setdefault(place, []).append(row.annotated_at.date())
    return {place: sorted(days)[1] for place, days in moments.items() if len(days) > 1}


@dataclass(frozen=True)
class WorkFrame:
    """Everything that everybody answered, hidden copies too; rows of all arrays belong together.

    Attributes:
        frame: items are first tasks' ids; people who are not known are all ``DELETED``.
        seconds: (n,) how long each answer took; nan where unknown.
        times: (n,) when it was given, seconds since 1970.
        suggestions: (n,) the grade that was suggested; empty where none was shown.
        is_check: (n,) whether it answers a hidden copy.
    """

    frame: LabelFrame
    seconds: NDArray[np.float64]
    times: NDArray[np.float64]
    suggestions: NDArray[np.str_]
    is_check: NDArray[np.bool_]


def work_frame(answers: CountedAnswers, schema: LabelSchema) -> WorkFrame:
    """Everybody's answers; who answered a record and its hidden copy counts with the latter."""
    chosen: dict[tuple[int, int], tuple[int, Annotation, bool]] = {}
    for is_check, rows in ((False, answers.rows), (True, answers.checks)):
        for place, row in rows:
            who = row.annotator_id or -row.id
            chosen[place, who] = (place, row, is_check)
    found = list(chosen.values())
    return WorkFrame(
        LabelFrame.from_rows(
            (place, row.annotator_id or DELETED, str(row.grade)) for place, row, _ in found
        ),
        np.array([row.lead_time or np.nan for _, row, _ in found], dtype=np.float64),
        np.array([row.annotated_at.timestamp() for _, row, _ in found], dtype=np.float64),
        np.array([_suggestion(row, schema) for _, row, _ in found], dtype=np.str_),
        np.array([is_check for _, _, is_check in found], dtype=np.bool_),
    )


def _suggestion(row: Annotation, schema: LabelSchema) -> str:
    """The grade of the suggestion that Label Studio says the annotator saw."""
    result = (row.prediction_snapshot or {}).get("result")
    for region in result if isinstance(result, list) else []:
        if isinstance(region, dict) and region.get("from_name") == schema.grade.name:
            value = region.get("value")
            choices = value.get("choices") if isinstance(value, dict) else None
            if isinstance(choices, list) and choices:
                return str(choices[0])
    return ""
