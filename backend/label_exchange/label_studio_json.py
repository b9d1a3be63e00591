"""Exports as Label Studio's own JSON: tasks with annotations, which it imports again.

Label Studio refuses an import that names people it does not know. Where the export is to be read
by another server, ask for pseudonyms: then annotations name nobody, and belong to the importer.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from backend.core.tabular import as_json
from backend.label_exchange.columns import as_object
from backend.label_exchange.schemas import AnnotationRow, LabelRow
from labeling.label_schema import LabelSchema
from labeling.label_studio.annotations import Answer, build_result
from labeling.label_studio.controls import CORRECTED, EVIDENCE, FAULTY, ISSUES, RATIONALE
from labeling.label_studio.tasks import build_task_data

META = "assay"
KEPT_APART = ("fields", "answers", "result", "rationale")


def label_studio_pieces(
    rows: Iterable[LabelRow | AnnotationRow], schema: LabelSchema
) -> Iterator[bytes]:
    """One JSON array of tasks, one task a line. The lineage is in each task's ``meta``."""
    separator = "[\n"
    for _, group in groupby(rows, key=_task_id):
        task = _task(list(group), schema)
        yield f"{separator}{as_json(task)}".encode()
        separator = ",\n"
    yield b"[]\n" if separator == "[\n" else b"\n]\n"


def _task_id(row: LabelRow | AnnotationRow) -> int:
    return row.task_id if isinstance(row, AnnotationRow) else row.task_ids[0]


def _task(rows: list[LabelRow | AnnotationRow], schema: LabelSchema) -> dict[str, Any]:
    first = rows[0]
    annotations = [each for row in rows for each in _annotations(row, schema)]
    told = {name: value for name, value in as_object(first).items() if name not in KEPT_APART}
    if isinstance(first, AnnotationRow):
        told = {name: told[name] for name in ("dataset", "source", "content_hash", "is_audit")}
    skipped = sum(each["was_cancelled"] for each in annotations)
    return {
        "id": _task_id(first),
        # Without the key of a pushed task: it is another task of another project there.
        "data": _data(first, schema),
        "annotations": annotations,
        "predictions": [],
        "drafts": [],
        "meta": {META: {**told, "kind": first.kind, "fields": first.fields}},
        "created_at": min((each["created_at"] for each in annotations), default=None),
        "updated_at": max((each["updated_at"] for each in annotations), default=None),
        "total_annotations": len(annotations) - skipped,
        "cancelled_annotations": skipped,
        "total_predictions": 0,
    }


def _data(row: LabelRow | AnnotationRow, schema: LabelSchema) -> dict[str, Any]:
    data = build_task_data("", row.external_id, row.fields, schema)
    return {name: value for name, value in data.items() if value != ""}


def _annotations(row: LabelRow | AnnotationRow, schema: LabelSchema) -> list[dict[str, Any]]:
    if isinstance(row, AnnotationRow):
        return [
            {
                "id": row.annotation_id,
                **_author(row.annotator),
                "result": row.result if _is_ours(row.result, schema) else _result(row, schema),
                "was_cancelled": row.was_cancelled,
                "ground_truth": row.ground_truth,
                "lead_time": row.lead_time,
                "created_at": row.annotated_at,
                "updated_at": row.revised_at,
                "task": row.task_id,
            }
        ]
    if row.grade is None:
        return []
    moment = row.decided_at or row.consensus_at
    return [
        {
            "id": row.task_ids[0],
            "result": _result(row, schema),
            "was_cancelled": False,
            "ground_truth": row.label_from == "gold",
            "lead_time": None,
            "created_at": moment,
            "updated_at": moment,
            "task": row.task_ids[0],
        }
    ]


def _is_ours(result: object, schema: LabelSchema) -> bool:
    """True if the project's own screen could show it; what came through a mapping it cannot."""
    own = {schema.grade.name, ISSUES, FAULTY, CORRECTED, RATIONALE, EVIDENCE}
    return isinstance(result, list) and all(
        isinstance(region, dict) and region.get("from_name") in own for region in result
    )


def _author(annotator: str | None) -> dict[str, Any]:
    return {"completed_by": {"email": annotator}} if annotator and "@" in annotator else {}


def _result(row: LabelRow | AnnotationRow, schema: LabelSchema) -> list[dict[str, Any]]:
    answer = Answer(
        grade=row.grade,
        issues=tuple(row.issues),
        faulty_fields=tuple(name for name in row.faulty_fields if name in schema.fields),
        corrected_values=row.corrected_values,
        rationale=row.rationale if isinstance(row, AnnotationRow) else row.decision_reason,
    )
    return build_result(answer, row.fields, schema)
