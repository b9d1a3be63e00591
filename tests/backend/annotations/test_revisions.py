"""Rows of revisions, from what Label Studio holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from backend.annotations.revisions import (
    SyncCounts,
    deletion_row,
    identity_of,
    revision_row,
    user_ids,
)
from backend.models import Annotation
from labeling.label_studio.annotations import ParsedAnnotation

THEN = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
NOW = THEN + timedelta(hours=1)
PARSED = ParsedAnnotation(
    label_studio_id=5,
    task_id=1001,
    annotator_id=70,
    updated_by=80,
    grade="good",
    issues=("missing",),
    faulty_fields=("price",),
    corrected_values={"price": "3"},
    rationale="why",
    was_cancelled=False,
    ground_truth=True,
    lead_time=4.5,
    created_at=THEN - timedelta(minutes=1),
    updated_at=THEN,
    origins={"grade": "manual"},
    prediction_snapshot={"score": 0.5},
    result=[{"id": "x"}],
    problems=("grade 'superb'",),
)


def _row(parsed: ParsedAnnotation = PARSED, **changes: object) -> dict[str, object]:
    given = {
        "project_id": 1,
        "task_id": 2,
        "revision": 3,
        "annotators": {70: 7, 80: 8},
        "via": "sync",
        "now": NOW,
        **changes,
    }
    return revision_row(parsed, **given)  # type: ignore[arg-type]


def test_a_revision_keeps_all_that_label_studio_holds() -> None:
    assert _row() == {
        "project_id": 1,
        "task_id": 2,
        "annotator_id": 7,
        "updated_by_id": 8,
        "label_studio_annotation_id": 5,
        "revision": 3,
        "identity": "2026-05-01T12:00:00.000000+00:00",
        "is_deleted": False,
        "was_cancelled": False,
        "ground_truth": True,
        "grade": "good",
        "issues": ["missing"],
        "faulty_fields": ["price"],
        "corrected_values": {"price": "3"},
        "rationale": "why",
        "problems": ["grade 'superb'"],
        "origins": {"grade": "manual"},
        "prediction_snapshot": {"score": 0.5},
        "result": [{"id": "x"}],
        "lead_time": 4.5,
        "annotated_at": PARSED.created_at,
        "revised_at": THEN,
        "via": "sync",
        "received_at": NOW,
    }


def test_a_restoration_has_an_identity_and_a_moment_of_its_own() -> None:
    row = _row(identity="held:3", revised_at=NOW)
    assert (row["identity"], row["revised_at"]) == ("held:3", NOW)


def test_people_without_an_id_are_nobody() -> None:
    row = _row(replace(PARSED, annotator_id=None, updated_by=99), annotators={0: 1, 70: 7, 1: 2})
    assert row["updated_by_id"] is None
    assert (
        _row(replace(PARSED, annotator_id=None), annotators={70: 7, 1: 2})["annotator_id"] is None
    )
    assert _row(replace(PARSED, updated_by=None), annotators={70: 7, 1: 2})["updated_by_id"] is None


def test_the_identity_is_the_moment_wherever_it_was_told() -> None:
    elsewhere = THEN.astimezone(timezone(timedelta(hours=8)))
    assert identity_of(elsewhere) == identity_of(THEN)
    assert identity_of(THEN + timedelta(microseconds=1)) != identity_of(THEN)


def test_a_deletion_is_never_before_what_it_deletes_and_keeps_its_content() -> None:
    last = Annotation(id=40, **_row())  # type: ignore[arg-type]
    for deleted_at in (THEN - timedelta(days=1), THEN, THEN + timedelta(days=1)):
        row = deletion_row(last, revision=4, deleted_at=deleted_at, via="webhook", now=NOW)
        assert row["revised_at"] == max(deleted_at, THEN)
        assert (row["identity"], row["is_deleted"], row["revision"]) == ("deleted:4", True, 4)
        assert (row["grade"], row["via"], row["received_at"]) == ("good", "webhook", NOW)
        assert "id" not in row


def test_counts_add_up_kind_by_kind() -> None:
    both = SyncCounts(1, 2, 4, 7) + SyncCounts(10, 20, 40, 5)
    assert both == SyncCounts(11, 22, 44, 12)
    assert both.total == 77
    assert SyncCounts().total == 0


def test_everybody_who_made_or_changed_an_answer_is_a_user() -> None:
    other = replace(PARSED, annotator_id=None, updated_by=0)
    assert user_ids([PARSED, other, replace(other, annotator_id=9)]) == {70, 80, 9}
