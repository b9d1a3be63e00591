"""The generator: the same for a seed, and every truth holds against the fields."""

from collections import Counter
from itertools import islice

import pytest

from active_learning.encoders.record_text import record_text
from backend.demo.catalogue import FIELDS, FIELDS_OF_KIND, KINDS, NOT_APPLICABLE, gtin_check_digit
from backend.demo.errors import FAULT_COUNT_WEIGHTS, INJECTORS, ISSUE_WEIGHTS, PLACEHOLDERS
from backend.demo.records import CHINESE_SHARE, COLUMNS, KIND_WEIGHTS, flat_row, generate
from backend.demo.truth import DIMENSIONS, DemoRecord, Fault, Truth, grade_of
from backend.demo.vocabulary import load_vocabulary


@pytest.fixture(scope="module")
def records() -> list[DemoRecord]:
    return list(generate(12_000, seed=5))


def test_same_seed_same_records_and_a_prefix_is_a_prefix() -> None:
    assert list(generate(300, seed=1)) == list(islice(generate(1000, seed=1), 300))
    assert list(generate(300, seed=1)) != list(generate(300, seed=2))


def test_ids_are_unique_and_fields_are_those_of_the_kind(records: list[DemoRecord]) -> None:
    assert len({record.record_id for record in records}) == len(records)
    for record in records:
        assert tuple(record.fields) == FIELDS_OF_KIND[record.kind]
        assert record.truth.record_id == record.record_id


def test_kinds_languages_and_fault_counts_have_the_documented_shares(
    records: list[DemoRecord],
) -> None:
    n = len(records)
    kinds = Counter(record.kind for record in records)
    for kind, weight in KIND_WEIGHTS.items():
        assert kinds[kind] / n == pytest.approx(weight, abs=0.02)
    chinese = sum(record.language == "zh" for record in records)
    assert chinese / n == pytest.approx(CHINESE_SHARE, abs=0.02)
    good = sum(record.truth.grade == "good" for record in records)
    # A few drawn errors find nothing to break and leave the record good.
    assert FAULT_COUNT_WEIGHTS[0] - 0.02 < good / n < FAULT_COUNT_WEIGHTS[0] + 0.04


def test_weights_are_shares_of_known_issues() -> None:
    assert sum(FAULT_COUNT_WEIGHTS) == pytest.approx(1)
    assert sum(KIND_WEIGHTS.values()) == pytest.approx(1)
    assert set(ISSUE_WEIGHTS) == set(KINDS) == set(KIND_WEIGHTS)
    for weights in ISSUE_WEIGHTS.values():
        assert sum(weights.values()) == pytest.approx(1)
        assert set(weights) <= set(INJECTORS) | {"duplicate"}
    assert set(DIMENSIONS) == set(INJECTORS) | {"duplicate"}


def test_every_issue_occurs_and_every_correction_differs(records: list[DemoRecord]) -> None:
    assert {issue for record in records for issue in record.truth.issues} == set(DIMENSIONS)
    for record in records:
        truth = record.truth
        assert truth.faulty_fields == tuple(truth.corrected)
        assert (truth.grade == "good") == (not truth.issues)
        for name, right in truth.corrected.items():
            assert right
            assert record.fields[name] != right


def test_each_error_is_what_its_name_says(records: list[DemoRecord]) -> None:
    categories: dict[str, set[str]] = {
        language: {category.name for category in words.categories}
        for language, words in load_vocabulary().items()
    }
    for record in records:
        issues, fields, right = set(record.truth.issues), record.fields, record.truth.corrected
        if "missing_value" in issues:
            assert any(fields[name] in ("", *PLACEHOLDERS) for name in right)
        if "wrong_category" in issues:
            assert fields["category"] in categories[record.language] - {right["category"]}
        if "contradiction" in issues:
            assert abs(int(fields["rating"]) - int(right["rating"])) >= 3
        if "impossible_behaviour" in issues:
            seconds = fields.get("seconds", "0")
            assert seconds.startswith("-") or int(fields["purchases"]) > int(fields["clicks"])
        if "private_data" in issues:
            assert fields["text"].startswith(right["text"])
        if "duplicate" in issues:
            assert record.truth.duplicate_of
            assert not right


def test_clean_records_break_no_rule(records: list[DemoRecord]) -> None:
    for record in records:
        if record.truth.issues:
            continue
        fields = record.fields
        assert all(fields.values())
        if "gtin" in fields:
            assert gtin_check_digit(fields["gtin"][:12]) == fields["gtin"][12]
        if "size" in fields:
            assert fields["title"].upper().replace("  ", " ").endswith(fields["size"].upper())
        if "purchases" in fields:
            assert 0 <= int(fields["purchases"]) <= int(fields["clicks"])
        if "valid_until" in fields:
            assert fields["valid_until"] > fields["updated_at"]


def test_a_near_duplicate_repeats_an_earlier_clean_record(records: list[DemoRecord]) -> None:
    by_id = {record.record_id: record for record in records}
    copies = [record for record in records if record.truth.duplicate_of]
    assert copies
    for copy in copies:
        original = by_id[copy.truth.duplicate_of or ""]
        assert not original.truth.issues
        assert original.kind == copy.kind
        same = set(copy.fields) - {"title", "updated_at"}
        assert all(copy.fields[name] == original.fields[name] for name in same)


def test_gtin_check_digit_of_a_published_example() -> None:
    # GS1's own example: 629104150021 has check digit 3.
    assert gtin_check_digit("629104150021") == "3"


@pytest.mark.parametrize(
    ("faults", "grade"),
    [
        ([], "good"),
        ([Fault("typo", {"title": "a"})], "fair"),
        ([Fault("missing_value", {"brand": "a"})], "fair"),
        ([Fault("missing_value", {"price": "1"})], "poor"),
        ([Fault("spam", {"text": "a"})], "poor"),
        ([Fault("typo", {"title": "a"}), Fault("stale_date", {"updated_at": "a"})], "poor"),
    ],
)
def test_grade_by_severity(faults: list[Fault], grade: str) -> None:
    assert grade_of(faults) == grade


def test_flat_row_tells_not_applicable_from_missing(records: list[DemoRecord]) -> None:
    for record in records[:500]:
        row = flat_row(record)
        assert tuple(row) == COLUMNS
        for name in FIELDS:
            assert (row[name] == NOT_APPLICABLE) == (name not in FIELDS_OF_KIND[record.kind])


def test_the_classifier_does_not_take_not_applicable_for_missing() -> None:
    assert record_text({"stock": NOT_APPLICABLE, "size": ""}) == "stock: — | size: (missing)"


def test_truth_names_dimensions_and_survives_json() -> None:
    truth = Truth("r", "poor", ("spam", "private_data", "typo"), ("text",), {"text": "ok"})
    assert truth.dimensions == ("accuracy", "security")
    assert Truth.from_json(truth.as_json()) == truth
