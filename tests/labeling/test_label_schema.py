"""A label schema names what is wrong with it: field, value, remedy."""

from pathlib import Path
from typing import Any

import pytest

from labeling.exceptions import LabelSchemaInvalid
from labeling.label_schema import RESERVED_NAMES, LabelSchema
from labeling.label_studio.controls import CORRECTED, EVIDENCE, FAULTY, ISSUES, RATIONALE, RECORD


def test_the_default_has_three_grades_and_an_issue_for_every_dimension() -> None:
    schema = LabelSchema.default(["title"])
    assert schema.grades == ("good", "fair", "poor")
    assert len({issue.dimension for issue in schema.issues}) == 7
    assert LabelSchema.model_validate(schema.model_dump(mode="json")) == schema


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_read_from_a_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"schema{suffix}"
    path.write_text(
        '{"fields": ["text"], "issues": [], "grade": {"name": "polarity", '
        '"choices": [{"value": "positive", "zh": "好评"}, {"value": "negative"}]}}',
        encoding="utf-8",
    )
    schema = LabelSchema.from_file(path)
    assert schema.grades == ("positive", "negative")
    assert schema.grade.choices[0].title == "positive 好评"


def test_fields_come_from_the_caller_where_the_file_names_none(tmp_path: Path) -> None:
    path = tmp_path / "schema.yaml"
    path.write_text("rationale: false\n", encoding="utf-8")
    assert LabelSchema.from_file(path, fields=["a", "b"]).fields == ("a", "b")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("- a list", "list"),
        ("fields: [a\n", "cannot be read"),
        ("fields: [a, a]", "fields has ['a'] twice"),
        ("fields: []", "fields"),
        ("fields: [a]\ngrade: {choices: [{value: only}]}", "at least two"),
        ("fields: [a]\nissues: [{value: x, fields: [b]}]", "['b']"),
        ("fields: [a]\nissues: [{value: x, dimension: beauty}]", "beauty"),
        ("fields: [a]\nunknown: 1", "unknown"),
        ("fields: [a]\ngrade: {name: issues}", "'issues'"),
    ],
)
def test_errors_name_file_and_value(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "schema.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LabelSchemaInvalid) as caught:
        LabelSchema.from_file(path)
    assert str(path) in str(caught.value)
    assert named.replace("has ['a'] twice", "names ['a'] twice") in str(caught.value)


def test_texts_stand_for_choices_and_issues_with_that_value() -> None:
    schema = schema_of({"choices": ["toys", {"value": "shoes", "en": "Shoes"}]}, issues=["typo"])
    assert schema.grades == ("toys", "shoes")
    assert schema.issue_values == ("typo",)
    assert schema.issues[0].dimension == "accuracy"


def test_the_screens_own_names_are_reserved() -> None:
    assert {RECORD, FAULTY, CORRECTED, EVIDENCE, ISSUES, RATIONALE} == RESERVED_NAMES


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelSchemaInvalid, match="absent"):
        LabelSchema.from_file(tmp_path / "absent.yaml")


def test_grades_and_issues_have_names_in_both_languages() -> None:
    schema = LabelSchema.default(["title"])
    english, chinese = schema.titles("en"), schema.titles("zh")
    assert english.grades.keys() == chinese.grades.keys() == {*schema.grades}
    assert english.issues.keys() == chinese.issues.keys() == {*schema.issue_values}
    assert all([*english.grades.values(), *english.issues.values()])
    assert chinese.grade("good") != english.grade("good")
    assert (english.question, chinese.question) == ("Grade", "等级")
    assert english.grade("gone") == "gone"


def test_a_grade_and_an_issue_of_one_value_keep_titles_of_their_own() -> None:
    titles = schema_of(
        {"choices": [{"value": "ok", "en": "fine"}, {"value": "stale", "en": "too old"}]},
        issues=[{"value": "stale", "en": "stale date"}],
    ).titles("en")
    assert (titles.grade("stale"), titles.issue("stale")) == ("too old", "stale date")
    assert titles.subject("stale") == "too old"
    assert titles.of_reason("issue:stale") == "stale date"
    assert titles.of_reason("field:stale") == "stale"


TOYS = [{"value": "toys"}, {"value": "shoes"}]
OWN_WORDS = [{"value": value, "en": value.upper()} for value in ("good", "fair", "poor")]


@pytest.mark.parametrize(
    ("grade", "ordered", "en", "zh"),
    [
        ({}, True, "Grade", "等级"),
        ({"choices": TOYS}, False, "Class", "类别"),
        ({"choices": TOYS, "ordered": True}, True, "Grade", "等级"),
        ({"choices": OWN_WORDS}, True, "Grade", "等级"),
        ({"ordered": False}, False, "Class", "类别"),
        ({"choices": TOYS, "en": "Which shelf?"}, False, "Which shelf?", "Which shelf?"),
        ({"choices": TOYS, "en": "Shelf", "zh": "货架"}, False, "Shelf", "货架"),
    ],
)
def test_own_choices_are_classes_unless_they_are_declared_to_be_ordered(
    grade: dict[str, Any], ordered: bool, en: str, zh: str
) -> None:
    schema = schema_of(grade)
    assert schema.grade.ordered is ordered
    assert schema.titles("en").question == en
    assert schema.titles("zh").question == zh
    again = LabelSchema.model_validate(schema.model_dump(mode="json"))
    assert again == schema


def test_a_record_shows_the_fields_of_the_schema_in_its_order_and_nothing_else() -> None:
    schema = LabelSchema(fields=("price", "title", "brand"))
    record = {"truth": "poor", "title": "kettle", "supplier": "x", "price": 3}
    assert list(schema.shown_fields(record).items()) == [
        ("price", 3),
        ("title", "kettle"),
        ("brand", None),
    ]


def schema_of(grade: dict[str, Any], **parts: Any) -> LabelSchema:
    return LabelSchema.model_validate({"fields": ["title"], "grade": grade, **parts})
