"""Filters, orders and counts against a plain loop over shuffled random verdicts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from active_learning.types import RecordPredictions
from active_learning.verdicts.verdict_files import VerdictFacts, VerdictWriter
from backend.scoring.verdict_filter import ColumnCondition, VerdictFilter
from backend.scoring.verdict_labels import NO_LABEL, SOURCES, VerdictLabels, labels_by_record
from backend.scoring.verdict_table import VerdictTable, first_places

N = 300
GRADES, ISSUES, FIELDS = ("good", "fair", "poor"), ("spam", "stale"), ("title", "price", "brand")


@pytest.fixture
def table(tmp_path: Path) -> VerdictTable:
    rng = np.random.default_rng(3)
    grades = rng.dirichlet([0.5] * 3, N)
    said = RecordPredictions(grades, rng.random((N, 2)), rng.random((N, 3)))
    facts = VerdictFacts(N, GRADES, ISSUES, FIELDS, True, 1, (1, N, N), "2026-05-01T12:00:00+00:00")
    ids = np.sort(rng.choice(10 * N, N, replace=False))
    writer = VerdictWriter(tmp_path / "verdicts", tmp_path / "next", facts, ids)
    for part in np.array_split(np.arange(N), 4):
        writer.add(
            RecordPredictions(said.grades[part], said.issues[part], said.faulty_fields[part])
        )
    labels = VerdictLabels(
        rng.integers(0, len(SOURCES), N).astype(np.uint8),
        rng.integers(NO_LABEL, 3, N).astype(np.int16),
    )
    return VerdictTable(writer.finish(), labels)


def rows(table: VerdictTable) -> list[dict[str, Any]]:
    """Each record by itself."""
    verdicts, labels = table.verdicts, table.labels
    said = verdicts.predictions(slice(None))
    return [
        {
            "id": int(verdicts.record_ids[row]),
            "grade": GRADES[int(said.grades[row].argmax())],
            "confidence": float(said.grades[row].max()),
            "risk": float(1 - said.grades[row][0]),
            "issues": {name for name, p in zip(ISSUES, said.issues[row], strict=True) if p >= 0.5},
            "fields": {
                name for name, p in zip(FIELDS, said.faulty_fields[row], strict=True) if p >= 0.5
            },
            "source": SOURCES[labels.sources[row]],
            "label": None if labels.grades[row] == NO_LABEL else GRADES[labels.grades[row]],
        }
        for row in range(N)
    ]


CONDITIONS: list[tuple[dict[str, Any], Any]] = [
    ({}, lambda each: True),
    ({"grade": ["poor", "fair"]}, lambda each: each["grade"] in {"poor", "fair"}),
    ({"label": ["good"]}, lambda each: each["label"] == "good"),
    ({"issue": ["spam"]}, lambda each: "spam" in each["issues"]),
    ({"issue": ["spam", "stale"]}, lambda each: bool(each["issues"])),
    ({"faulty_field": ["price"]}, lambda each: "price" in each["fields"]),
    ({"source": ["people", "decision"]}, lambda each: each["source"] in {"people", "decision"}),
    ({"confidence_from": 0.6}, lambda each: each["confidence"] >= 0.6),
    ({"risk_to": 0.3}, lambda each: each["risk"] <= 0.3),
    (
        {"disagreement": True},
        lambda each: (
            each["source"] in {"people", "decision"}
            and each["label"] is not None
            and each["label"] != each["grade"]
        ),
    ),
    (
        {"disagreement": False, "grade": ["good"]},
        lambda each: (
            each["grade"] == "good"
            and not (
                each["source"] in {"people", "decision"}
                and each["label"] is not None
                and each["label"] != each["grade"]
            )
        ),
    ),
    ({"grade": ["unheard of"]}, lambda each: False),
    ({"issue": ["unheard of"]}, lambda each: False),
]


@pytest.mark.parametrize(("wanted", "holds"), CONDITIONS)
def test_a_filter_finds_what_a_loop_finds(
    table: VerdictTable, wanted: dict[str, Any], holds: Any
) -> None:
    mask = table.matches(VerdictFilter(**wanted))
    expected = [row for row, each in enumerate(rows(table)) if holds(each)]
    assert np.flatnonzero(mask).tolist() == expected
    each = rows(table)
    assert {one.value: one.count for one in table.grade_counts(mask)} == {
        name: sum(each[row]["grade"] == name for row in expected) for name in GRADES
    }
    assert {one.value: one.count for one in table.faulty_field_counts(mask)} == {
        name: sum(name in each[row]["fields"] for row in expected) for name in FIELDS
    }
    assert {one.value: one.count for one in table.source_counts(mask)} == {
        name: sum(each[row]["source"] == name for row in expected) for name in SOURCES
    }
    assert sum(bar.count for bar in table.histogram(table.verdicts.risk, mask)) == len(expected)


@pytest.mark.parametrize("smallest_first", [True, False])
@pytest.mark.parametrize(("offset", "limit"), [(0, 10), (7, 25), (290, 50), (0, 300), (400, 10)])
def test_an_order_is_that_of_a_stable_sort(smallest_first: bool, offset: int, limit: int) -> None:
    rng = np.random.default_rng(offset)
    key = rng.integers(0, 12, N).astype(np.float32)  # many equal ones
    key[rng.random(N) < 0.1] = np.nan
    mask = rng.random(N) < 0.7

    def rank(place: int) -> float:
        if np.isnan(key[place]):
            return np.inf
        return float(key[place]) if smallest_first else -float(key[place])

    expected = sorted(np.flatnonzero(mask).tolist(), key=rank)[offset : offset + limit]
    found = first_places(key, mask, smallest_first=smallest_first, offset=offset, limit=limit)
    assert found.tolist() == expected


def test_records_are_found_by_their_ids(table: VerdictTable) -> None:
    ids = table.verdicts.record_ids
    mask = table.of_records(np.array([ids[5], ids[0], -3, ids[-1] + 1]))
    assert np.flatnonzero(mask).tolist() == [0, 5]


def test_a_decision_goes_before_people_and_people_before_the_machine() -> None:
    labels = labels_by_record(
        5,
        GRADES,
        machine=(np.array([0, 1, 2]), ["good", "good", "good"]),
        people={1: "fair", 2: "fair", 3: None},
        decided={2: "poor"},
    )
    assert [SOURCES[code] for code in labels.sources] == [
        "machine",
        "people",
        "decision",
        "people",
        "model",
    ]
    assert labels.grades.tolist() == [0, 1, 2, NO_LABEL, NO_LABEL]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("price>=5", ColumnCondition("price", ">=", "5")),
        ("price=", ColumnCondition("price", "=", "")),
        ("price>=old=3", ColumnCondition("price>=old", "=", "3")),
        ("a=b=c", ColumnCondition("a", "=", "b=c")),
        ("colour=red", None),
        ("price", None),
    ],
)
def test_a_condition_on_a_column_names_the_longest_field_that_fits(
    text: str, expected: ColumnCondition | None
) -> None:
    assert ColumnCondition.parse(text, ("price", "price>=old", "a")) == expected
