"""From what Label Studio holds to revisions of ours: pure functions, no queries.

A revision is identified by Label Studio's ``updated_at``; a deletion by ``deleted``. The
revision that counts is the latest by ``(revised_at, revision)``, so that an update which
arrives after a later one is kept as history and changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from backend.models import Annotation
from labeling.label_studio.annotations import ParsedAnnotation

DELETED = "deleted"
HELD = "held"


@dataclass(frozen=True)
class SyncCounts:
    """What one pass over annotations changed."""

    created: int = 0
    updated: int = 0
    deleted: int = 0
    tasks_deleted: int = 0

    def __add__(self, other: "SyncCounts") -> "SyncCounts":
        return SyncCounts(
            self.created + other.created,
            self.updated + other.updated,
            self.deleted + other.deleted,
            self.tasks_deleted + other.tasks_deleted,
        )

    @property
    def total(self) -> int:
        """Revisions written."""
        return self.created + self.updated + self.deleted


def identity_of(moment: datetime) -> str:
    """The identity of the revision that Label Studio wrote at that moment."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def revision_row(
    parsed: ParsedAnnotation,
    *,
    project_id: int,
    task_id: int,
    revision: int,
    annotators: Mapping[int, int],
    via: str,
    now: datetime,
    identity: str | None = None,
    revised_at: datetime | None = None,
) -> dict[str, Any]:
    """The row of one revision. ``annotators`` maps Label Studio's user ids to ours."""
    return {
        "project_id": project_id,
        "task_id": task_id,
        "annotator_id": annotators.get(parsed.annotator_id or 0),
        "updated_by_id": annotators.get(parsed.updated_by or 0),
        "label_studio_annotation_id": parsed.label_studio_id,
        "revision": revision,
        "identity": identity or identity_of(parsed.updated_at),
        "is_deleted": False,
        "was_cancelled": parsed.was_cancelled,
        "ground_truth": parsed.ground_truth,
        "grade": parsed.grade,
        "issues": list(parsed.issues),
        "faulty_fields": list(parsed.faulty_fields),
        "corrected_values": dict(parsed.corrected_values),
        "rationale": parsed.rationale,
        "problems": list(parsed.problems),
        "origins": dict(parsed.origins),
        "prediction_snapshot": parsed.prediction_snapshot,
        "result": parsed.result,
        "lead_time": parsed.lead_time,
        "annotated_at": parsed.created_at,
        "revised_at": revised_at or parsed.updated_at,
        "via": via,
        "received_at": now,
    }


def deletion_row(
    last: Annotation, *, revision: int, deleted_at: datetime, via: str, now: datetime
) -> dict[str, Any]:
    """The revision that says that the annotation is gone; its content stays readable."""
    row = last.model_dump(exclude={"id"})
    row.update(
        revision=revision,
        identity=f"{DELETED}:{revision}",
        is_deleted=True,
        revised_at=max(deleted_at, last.revised_at),
        via=via,
        received_at=now,
    )
    return row


def user_ids(annotations: Iterable[ParsedAnnotation]) -> set[int]:
    """Every Label Studio user who made or changed one of these."""
    found: set[int] = set()
    for parsed in annotations:
        found.update(user for user in (parsed.annotator_id, parsed.updated_by) if user)
    return found
