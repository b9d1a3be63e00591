"""Verdicts as CSV, Parquet or JSON lines, some hundred in memory at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backend.core.tabular import as_json, csv_pieces, json_lines, parquet_pieces
from backend.scoring.schemas import VerdictFormat, VerdictPublic
from labeling.label_schema import LabelSchema

if TYPE_CHECKING:
    import pyarrow as pa

MEDIA_TYPES: dict[VerdictFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "jsonl": "application/x-ndjson",
}


@dataclass(frozen=True)
class VerdictColumn:
    """One column of the table; ``kind`` is text, whole, number or yes_no."""

    name: str
    kind: str
    value: Callable[[VerdictPublic], Any]


def verdict_columns(schema: LabelSchema, fields: Sequence[str]) -> list[VerdictColumn]:
    """The columns in order: identity, verdict, what counts beside it, the record's ``fields``.

    A field that is called like a column before it is ``field.NAME``.
    """
    own = [
        VerdictColumn("record_id", "whole", lambda each: each.record_id),
        VerdictColumn("external_id", "text", lambda each: each.external_id),
        VerdictColumn("kind", "text", lambda each: each.kind),
        VerdictColumn("grade", "text", lambda each: each.grade),
        VerdictColumn("confidence", "number", lambda each: each.confidence),
        *(_probability(name) for name in schema.grades),
        *(_issue(name) for name in schema.issue_values),
        VerdictColumn("issues", "text", lambda each: ", ".join(one.name for one in each.issues)),
        VerdictColumn(
            "faulty_fields", "text", lambda each: ", ".join(one.field for one in each.faulty_fields)
        ),
        VerdictColumn("reasons", "text", _reasons),
        VerdictColumn("risk", "number", lambda each: each.risk),
        VerdictColumn("doubt", "number", lambda each: each.doubt),
        VerdictColumn("model_version", "whole", lambda each: each.model_version),
        VerdictColumn("source", "text", lambda each: each.source),
        VerdictColumn("label", "text", lambda each: each.label),
        VerdictColumn("is_disagreement", "yes_no", lambda each: each.is_disagreement),
    ]
    taken = {column.name for column in own}
    return [*own, *(_field(name, taken) for name in fields)]


def export(
    verdicts: Iterable[VerdictPublic],
    schema: LabelSchema,
    fields: Sequence[str],
    verdict_format: VerdictFormat,
) -> Iterator[bytes]:
    """The file's bytes, piece by piece; JSON lines hold the verdicts as the API shows them."""
    if verdict_format == "jsonl":
        return json_lines(each.model_dump(mode="json") for each in verdicts)
    columns = verdict_columns(schema, fields)
    rows = ([column.value(each) for column in columns] for each in verdicts)
    if verdict_format == "csv":
        return csv_pieces([column.name for column in columns], rows)
    return parquet_pieces(_arrow_schema(columns), rows)


def _probability(grade: str) -> VerdictColumn:
    return VerdictColumn(
        f"probability.{grade}", "number", lambda each: each.probabilities.get(grade)
    )


def _issue(name: str) -> VerdictColumn:
    return VerdictColumn(f"issue.{name}", "number", lambda each: each.issue_probabilities.get(name))


def _field(name: str, taken: set[str]) -> VerdictColumn:
    return VerdictColumn(
        f"field.{name}" if name in taken else name,
        "text",
        lambda each: _text(each.fields.get(name)),
    )


def _reasons(verdict: VerdictPublic) -> str:
    return "; ".join(f"{each.field}: {each.reason}" for each in verdict.faulty_fields)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else as_json(value)


def _arrow_schema(columns: Sequence[VerdictColumn]) -> "pa.Schema":
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "whole": pa.int64(),
        "number": pa.float64(),
        "yes_no": pa.bool_(),
    }
    return pa.schema([(column.name, types[column.kind]) for column in columns])
