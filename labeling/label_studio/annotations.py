"""What an annotator submitted, read from whichever form Label Studio gives it in.

Label Studio checks nothing in a result. Here nothing raises either: what does not fit the
label schema is named in ``problems`` and left out of the answer.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labeling.label_schema import LabelSchema
from labeling.label_studio.controls import (
    CORRECTED,
    EVIDENCE,
    FAULTY,
    FAULTY_LABEL,
    ISSUES,
    RATIONALE,
)
from labeling.label_studio.predictions import mark_field

_ROW = re.compile(r"/tr\[(\d+)\]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Answer:
    """The content of an annotation in the label schema's terms."""

    grade: str | None = None
    issues: tuple[str, ...] = ()
    faulty_fields: tuple[str, ...] = ()
    corrected_values: Mapping[str, str] | None = None
    rationale: str | None = None


@dataclass(frozen=True)
class ParsedAnnotation:
    """One annotation as Label Studio holds it at ``updated_at``."""

    label_studio_id: int
    task_id: int
    annotator_id: int | None
    updated_by: int | None
    grade: str | None
    issues: tuple[str, ...]
    faulty_fields: tuple[str, ...]
    corrected_values: Mapping[str, str]
    rationale: str | None
    was_cancelled: bool
    ground_truth: bool
    lead_time: float | None
    created_at: datetime
    updated_at: datetime
    origins: Mapping[str, str]
    prediction_snapshot: dict[str, Any] | None
    result: Any
    problems: tuple[str, ...]


def parse_annotation(
    raw: Mapping[str, Any], schema: LabelSchema | None, *, task_id: int | None = None
) -> ParsedAnnotation:
    """The annotation; without a schema only its identity and origins are read.

    Raises:
        KeyError: ``raw`` has no ``id``, or no task is known for it.
        ValueError: its times cannot be read.
    """
    result = raw.get("result")
    problems: list[str] = []
    regions = _regions(result, problems)
    answer = read_answer(regions, schema, problems) if schema else Answer()
    created = _time(raw.get("created_at"))
    is_cancelled = bool(raw.get("was_cancelled"))
    if schema and answer.grade is None and not is_cancelled:
        problems.append(no_grade(schema))
    snapshot = raw.get("prediction")
    return ParsedAnnotation(
        label_studio_id=int(raw["id"]),
        task_id=int(task_id if task_id is not None else raw["task"]),
        annotator_id=_user(raw.get("completed_by")),
        updated_by=_user(raw.get("updated_by")),
        grade=answer.grade,
        issues=answer.issues,
        faulty_fields=answer.faulty_fields,
        corrected_values=answer.corrected_values or {},
        rationale=answer.rationale,
        was_cancelled=is_cancelled,
        ground_truth=bool(raw.get("ground_truth")),
        lead_time=_number(raw.get("lead_time")),
        created_at=created,
        updated_at=_time(raw.get("updated_at"), default=created),
        origins=_origins(regions),
        prediction_snapshot=snapshot if isinstance(snapshot, dict) and snapshot else None,
        result=result,
        problems=tuple(problems),
    )


def no_grade(schema: LabelSchema) -> str:
    """The problem of an answer without the grade."""
    return f"no {schema.grade.name} is given"


def read_answer(
    regions: Sequence[Mapping[str, Any]], schema: LabelSchema, problems: list[str]
) -> Answer:
    """The answer in the regions; what does not fit the schema is added to ``problems``."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for region in regions:
        value = region.get("value")
        content = value if isinstance(value, Mapping) else {}
        found.setdefault(str(region.get("from_name")), []).append(content)
    controls = (schema.grade.name, ISSUES, FAULTY, CORRECTED, RATIONALE)
    problems += [f"unknown control {name!r}" for name in found if name not in controls]

    def texts(control: str, key: str) -> list[str]:
        return [text for content in found.get(control, ()) for text in _texts(content, key)]

    return Answer(
        grade=_only_grade(texts(schema.grade.name, "choices"), schema, problems),
        issues=tuple(
            dict.fromkeys(
                _allowed_values(texts(ISSUES, "choices"), schema.issue_values, ISSUES, problems)
            )
        ),
        faulty_fields=_marked_fields(found.get(FAULTY, ()), schema, problems),
        corrected_values=_corrections(found.get(CORRECTED, ()), schema, problems),
        rationale="\n".join(texts(RATIONALE, "text")) or None,
    )


def _only_grade(values: Sequence[str], schema: LabelSchema, problems: list[str]) -> str | None:
    name = schema.grade.name
    grades = _allowed_values(values, schema.grades, name, problems)
    if len(set(grades)) > 1:
        problems.append(f"{name} is given more than once: {grades}")
        return None
    return grades[0] if grades else None


def _marked_fields(
    contents: Iterable[Mapping[str, Any]], schema: LabelSchema, problems: list[str]
) -> tuple[str, ...]:
    marked: set[str] = set()
    for content in contents:
        labels = _texts(content, "hypertextlabels") or [FAULTY_LABEL]
        if FAULTY_LABEL not in _allowed_values(labels, (FAULTY_LABEL,), FAULTY, problems):
            continue
        fields = _fields_of(content, schema)
        marked.update(fields)
        if not fields:
            problems.append(f"a mark is on no field of the schema: {content.get('start')!r}")
    return tuple(name for name in schema.fields if name in marked)


def _corrections(
    contents: Iterable[Mapping[str, Any]], schema: LabelSchema, problems: list[str]
) -> dict[str, str]:
    corrected: dict[str, str] = {}
    for content in contents:
        fields, texts = _fields_of(content, schema), _texts(content, "text")
        if len(fields) != 1:
            problems.append(f"a corrected value is not on one field but on {list(fields)}")
        elif texts:
            corrected[fields[0]] = "\n".join(texts)
    return corrected


def build_result(
    answer: Answer, fields: Mapping[str, Any], schema: LabelSchema
) -> list[dict[str, Any]]:
    """The answer as a result that Label Studio's own screen could have written."""
    regions: list[dict[str, Any]] = []
    if answer.grade is not None:
        regions.append(_plain(schema.grade.name, "choices", {"choices": [answer.grade]}))
    if answer.issues:
        regions.append(_plain(ISSUES, "choices", {"choices": list(answer.issues)}))
    for name in answer.faulty_fields:
        mark = mark_field(name, fields, schema)
        regions.append(mark)
        if correction := (answer.corrected_values or {}).get(name):
            value = {k: v for k, v in mark["value"].items() if k != "hypertextlabels"}
            value["text"] = [correction]
            regions.append({**mark, "from_name": CORRECTED, "type": "textarea", "value": value})
    if answer.rationale:
        regions.append(_plain(RATIONALE, "textarea", {"text": [answer.rationale]}))
    return regions


def _plain(control: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": control,
        "from_name": control,
        "to_name": "record",
        "type": kind,
        "origin": "manual",
        "value": value,
    }


def _regions(result: object, problems: list[str]) -> list[Mapping[str, Any]]:
    if not isinstance(result, list):
        problems.append(f"the result is a {type(result).__name__}, not a list")
        return []
    regions = [region for region in result if isinstance(region, Mapping)]
    if len(regions) < len(result):
        problems.append("a part of the result is not an object")
    # What spoke for a suggestion is shown to people; it is no part of what they say.
    return [region for region in regions if region.get("from_name") != EVIDENCE]


def _allowed_values(
    values: Iterable[str], allowed: Sequence[str], control: str, problems: list[str]
) -> list[str]:
    found = []
    for value in values:
        if value in allowed:
            found.append(value)
        else:
            problems.append(f"{control}: {value!r} is not one of {list(allowed)}")
    return found


def _texts(content: Mapping[str, Any], key: str) -> list[str]:
    values = content.get(key)
    if isinstance(values, str):
        return [values]
    return [str(value) for value in values] if isinstance(values, list) else []


def _fields_of(content: Mapping[str, Any], schema: LabelSchema) -> tuple[str, ...]:
    """The fields from the row where the mark starts to the one where it ends."""
    first = _row(content.get("start"))
    last = _row(content.get("end")) or first
    if not first or not last:
        return ()
    if last > first and content.get("endOffset") == 0:
        last -= 1  # it ends before the first character of that row, as after a triple click
    return schema.fields[first - 1 : last]


def _row(path: object) -> int | None:
    match = _ROW.search(str(path))
    return int(match.group(1)) if match else None


def _origins(regions: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    seen: dict[str, set[str]] = {}
    for region in regions:
        control = str(region.get("from_name"))
        seen.setdefault(control, set()).add(str(region.get("origin") or "manual"))
    return {
        control: origins.pop() if len(origins) == 1 else "prediction-changed"
        for control, origins in seen.items()
    }


def _user(value: object) -> int | None:
    if isinstance(value, Mapping):
        value = value.get("id")
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _time(value: object, default: datetime = _EPOCH) -> datetime:
    if not isinstance(value, str):
        return default
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
