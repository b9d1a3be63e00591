"""A label schema names what is wrong with it: field, value, remedy."""

from pathlib import Path

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


def test_the_screens_own_names_are_reserved() -> None:
    assert {RECORD, FAULTY, CORRECTED, EVIDENCE, ISSUES, RATIONALE} == RESERVED_NAMES


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelSchemaInvalid, match="absent"):
        LabelSchema.from_file(tmp_path / "absent.yaml")


def test_grades_and_issues_have_names_in_both_languages() -> None:
    schema = LabelSchema.default(["title"])
    english, chinese = schema.titles("en"), schema.titles("zh")
    assert english.keys() == chinese.keys() == {*schema.grades, *schema.issue_values}
    assert all(english.values())
    assert chinese["good"] != english["good"]
