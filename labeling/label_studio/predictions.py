"""A classifier's suggestion as Label Studio's prediction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labeling.label_schema import LabelSchema
from labeling.label_studio.controls import (
    AGAINST_LABEL,
    EVIDENCE,
    FAULTY,
    FAULTY_LABEL,
    ISSUES,
    RECORD,
    SUPPORTS_LABEL,
)
from labeling.label_studio.tasks import clean, shown_value

MOST_MARKS = 5
"""Chosen: as many as a person reads at a glance."""
TOKENS_OF_A_FIELD = 2
"""Chosen: pieces of one field leave room for marks of the others."""


@dataclass(frozen=True)
class EvidenceMark:
    """A value, or a piece of it, that speaks for the suggested grade; below zero against it."""

    field: str
    contribution: float
    text: str | None = None
    """The piece as it stands in the value; None marks the whole value."""
    start: int = 0
    """Where the piece begins, in code points of the value's text."""


@dataclass(frozen=True)
class Suggestion:
    """What the annotator is shown: issues and fields map to their probabilities."""

    grade: str
    score: float
    model_version: str
    issues: Mapping[str, float] = field(default_factory=dict)
    faulty_fields: Mapping[str, float] = field(default_factory=dict)
    evidence: Sequence[EvidenceMark] = ()
    """Only for a project whose screen has the control; see ``build_label_config``."""


def build_prediction(
    suggestion: Suggestion, fields: Mapping[str, Any], schema: LabelSchema
) -> dict[str, Any]:
    """The prediction that pre-fills the form; ``score`` is the confidence in the grade.

    Label Studio serves the lowest score first when it samples by uncertainty.
    """
    results: list[dict[str, Any]] = [
        _choice("grade", schema.grade.name, [suggestion.grade], suggestion.score)
    ]
    if suggestion.issues:
        results.append(
            _choice("issues", ISSUES, list(suggestion.issues), max(suggestion.issues.values()))
        )
    if schema.faulty_fields:
        results += [
            mark_field(name, fields, schema, score=probability)
            for name, probability in suggestion.faulty_fields.items()
        ]
    # After the faulty marks: where two lie on one value, a click reaches the earlier one.
    results += [
        _mark_evidence(number, mark, fields, schema)
        for number, mark in enumerate(suggestion.evidence, 1)
        if mark.field in schema.fields
    ]
    return {
        "model_version": suggestion.model_version,
        "score": suggestion.score,
        "result": results,
    }


def _choice(region_id: str, control: str, values: list[str], score: float) -> dict[str, Any]:
    return {
        "id": region_id,
        "from_name": control,
        "to_name": RECORD,
        "type": "choices",
        "score": score,
        "value": {"choices": values},
    }


def strongest_evidence(explanation: Sequence[Mapping[str, Any]]) -> tuple[EvidenceMark, ...]:
    """The few marks worth showing of a stored explanation, strongest field first.

    Each entry names ``field`` and ``contribution`` and may have ``tokens`` with ``start``,
    ``text`` and ``contribution``. Where pieces of a value are known, the strongest of them
    that agree with the value's own sign stand for it.
    """
    return tuple(mark for entry in explanation for mark in _marks_of(entry))[:MOST_MARKS]


def _marks_of(entry: Mapping[str, Any]) -> Iterator[EvidenceMark]:
    name, contribution = str(entry["field"]), float(entry["contribution"])
    tokens = [
        EvidenceMark(name, float(token["contribution"]), str(token["text"]), int(token["start"]))
        for token in entry.get("tokens") or ()
        if float(token["contribution"]) * contribution > 0
    ]
    if not tokens:
        yield EvidenceMark(name, contribution)
        return
    yield from sorted(tokens, key=lambda mark: -abs(mark.contribution))[:TOKENS_OF_A_FIELD]


def mark_field(
    name: str, fields: Mapping[str, Any], schema: LabelSchema, *, score: float | None = None
) -> dict[str, Any]:
    """The mark over the whole value of a field, as Label Studio's own screen would write it."""
    row = schema.fields.index(name)
    whole = (0, len(shown_value(fields.get(name))))
    mark = _mark(f"field-{row + 1}", FAULTY, FAULTY_LABEL, name, fields, schema, whole)
    if score is not None:
        mark["score"] = score
    return mark


def _mark_evidence(
    number: int, mark: EvidenceMark, fields: Mapping[str, Any], schema: LabelSchema
) -> dict[str, Any]:
    label = SUPPORTS_LABEL if mark.contribution > 0 else AGAINST_LABEL
    span = _span(mark, fields.get(mark.field))
    region = _mark(f"evidence-{number}", EVIDENCE, label, mark.field, fields, schema, span)
    return {**region, "readonly": True}


def _span(mark: EvidenceMark, value: object) -> tuple[int, int]:
    """[start, end) of the mark in the text that is shown; the whole of it if it is not found."""
    shown = shown_value(value)
    if mark.text:
        piece = clean(mark.text)
        before = len(clean(str(value)[: mark.start]))
        # The positions may be of a text without the value's outer blanks.
        for start in (before, shown.find(piece, before), shown.find(piece)):
            if piece and start >= 0 and shown.startswith(piece, start):
                return start, start + len(piece)
    return 0, len(shown)


def _mark(
    region_id: str,
    control: str,
    label: str,
    name: str,
    fields: Mapping[str, Any],
    schema: LabelSchema,
    span: tuple[int, int],
) -> dict[str, Any]:
    """A mark in the value of a field.

    Offsets within the cell count UTF-16 units, as browsers do; global ones run over the
    table's text and count Unicode code points.
    """
    row = schema.fields.index(name)
    text = shown_value(fields.get(name))
    start, end = span
    before = sum(
        len(clean(other)) + len(shown_value(fields.get(other))) for other in schema.fields[:row]
    ) + len(clean(name))
    path = f"/table[1]/tbody[1]/tr[{row + 1}]/td[2]/text()[1]"
    return {
        "id": region_id,
        "from_name": control,
        "to_name": RECORD,
        "type": "hypertextlabels",
        "value": {
            "start": path,
            "end": path,
            "startOffset": _units(text[:start]),
            "endOffset": _units(text[:end]),
            "globalOffsets": {"start": before + start, "end": before + end},
            "text": text[start:end],
            "hypertextlabels": [label],
        },
    }


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
