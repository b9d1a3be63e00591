"""A classifier's suggestion as Label Studio's prediction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labeling.label_schema import LabelSchema
from labeling.label_studio.label_config import FAULTY, FAULTY_LABEL, ISSUES, RECORD
from labeling.label_studio.tasks import clean, shown_value


@dataclass(frozen=True)
class Suggestion:
    """What the annotator is shown: issues and fields map to their probabilities."""

    grade: str
    score: float
    model_version: str
    issues: Mapping[str, float] = field(default_factory=dict)
    faulty_fields: Mapping[str, float] = field(default_factory=dict)


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


def mark_field(
    name: str, fields: Mapping[str, Any], schema: LabelSchema, *, score: float | None = None
) -> dict[str, Any]:
    """The mark over the whole value of a field, as Label Studio's own screen would write it.

    Offsets within the cell count UTF-16 units, as browsers do; global ones run over the
    table's text and count Unicode code points.
    """
    row = schema.fields.index(name)
    text = shown_value(fields.get(name))
    before = sum(
        len(clean(other)) + len(shown_value(fields.get(other))) for other in schema.fields[:row]
    ) + len(clean(name))
    path = f"/table[1]/tbody[1]/tr[{row + 1}]/td[2]/text()[1]"
    mark: dict[str, Any] = {
        "id": f"field-{row + 1}",
        "from_name": FAULTY,
        "to_name": RECORD,
        "type": "hypertextlabels",
        "value": {
            "start": path,
            "end": path,
            "startOffset": 0,
            "endOffset": len(text.encode("utf-16-le")) // 2,
            "globalOffsets": {"start": before, "end": before + len(text)},
            "text": text,
            "hypertextlabels": [FAULTY_LABEL],
        },
    }
    if score is not None:
        mark["score"] = score
    return mark
