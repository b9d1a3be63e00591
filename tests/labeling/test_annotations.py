"""Whatever Label Studio holds is read; what does not fit is named, never raised."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.label_schema import LabelSchema
from labeling.label_studio.annotations import Answer, build_result, parse_annotation
from labeling.label_studio.label_config import build_label_config
from labeling.label_studio.predictions import Suggestion, build_prediction
from labeling.label_studio.tasks import KEY, MISSING, build_table, build_task_data

FIELDS = ("title", "price", "备注")
SCHEMA = LabelSchema.default(FIELDS)
MOMENT = "2026-11-21T03:33:45.879Z"

values = st.one_of(st.none(), st.text(max_size=20), st.integers(), st.floats(allow_nan=False))
records = st.fixed_dictionaries(dict.fromkeys(FIELDS, values))
answers = st.builds(
    lambda grade, issues, marked, rationale: Answer(
        grade=grade,
        issues=tuple(v for v in SCHEMA.issue_values if v in issues),
        faulty_fields=tuple(name for name in FIELDS if name in marked),
        corrected_values={name: f"new {name}" for name in marked},
        rationale=rationale or None,
    ),
    st.sampled_from(SCHEMA.grades),
    st.sets(st.sampled_from(SCHEMA.issue_values)),
    st.sets(st.sampled_from(FIELDS)),
    st.text(max_size=30),
)


def raw(result: Any, **changes: Any) -> dict[str, Any]:
    return {
        "id": 5,
        "task": 9,
        "result": result,
        "completed_by": 3,
        "updated_by": 4,
        "created_at": MOMENT,
        "updated_at": MOMENT,
        **changes,
    }


@given(records, answers)
def test_an_answer_survives_the_way_through_a_result(
    record: dict[str, Any], answer: Answer
) -> None:
    parsed = parse_annotation(raw(build_result(answer, record, SCHEMA)), SCHEMA)
    assert parsed.problems == ()
    assert (parsed.grade, parsed.issues, parsed.rationale) == (
        answer.grade,
        answer.issues,
        answer.rationale,
    )
    assert parsed.faulty_fields == answer.faulty_fields
    assert parsed.corrected_values == answer.corrected_values


@pytest.mark.parametrize(
    ("result", "named"),
    [
        ("a text", "not a list"),
        (None, "not a list"),
        ([7], "not an object"),
        ([{"from_name": "colour", "value": {}}], "'colour'"),
        ([{"from_name": "grade", "value": {"choices": ["awful"]}}], "'awful'"),
        ([{"from_name": "grade", "value": {"choices": ["good", "poor"]}}], "more than once"),
        ([{"from_name": "issues", "value": {"choices": ["rust"]}}], "'rust'"),
        ([{"from_name": "faulty", "value": {"start": "/table[1]/tr[44]/x"}}], "no field"),
        ([{"from_name": "faulty", "value": {"start": "/table[1]/tr[0]/x"}}], "no field"),
        ([{"from_name": "faulty", "value": {"hypertextlabels": ["odd"]}}], "'odd'"),
        ([{"from_name": "corrected", "value": {"start": "/tr[9]/x", "text": ["7"]}}], "one field"),
        ([], "no grade"),
    ],
)
def test_what_does_not_fit_is_named(result: Any, named: str) -> None:
    parsed = parse_annotation(raw(result), SCHEMA)
    assert parsed.grade is None
    assert any(named in problem for problem in parsed.problems)


@pytest.mark.parametrize(
    ("first", "last", "end_offset", "fields"),
    [
        (1, 3, 2, FIELDS),
        (2, 3, 1, FIELDS[1:]),
        (1, 2, 0, FIELDS[:1]),
        (2, 2, 0, FIELDS[1:2]),
        (2, 9, 4, FIELDS[1:]),
        (3, 1, 4, ()),
    ],
)
def test_a_mark_over_several_rows_is_on_each_of_their_fields(
    first: int, last: int, end_offset: int, fields: tuple[str, ...]
) -> None:
    mark = {
        "from_name": "faulty",
        "value": {
            "start": f"/table[1]/tbody[1]/tr[{first}]/td[2]/text()[1]",
            "end": f"/table[1]/tbody[1]/tr[{last}]/td[2]/text()[1]",
            "startOffset": 0,
            "endOffset": end_offset,
            "hypertextlabels": ["faulty"],
        },
    }
    parsed = parse_annotation(raw([*build_result(Answer("fair"), {}, SCHEMA), mark]), SCHEMA)
    assert parsed.faulty_fields == fields
    assert bool(parsed.problems) is (not fields)


def test_text_is_shown_and_counted_as_a_browser_does() -> None:
    record = {"title": "a\r\nb\0 😀", "price": "\ud800", "备注": "\r"}
    (mark,) = build_result(Answer(faulty_fields=("title",)), record, SCHEMA)
    assert mark["value"]["text"] == "a\nb 😀"
    assert mark["value"]["endOffset"] == 6, "UTF-16 units"
    assert mark["value"]["globalOffsets"] == {"start": 5, "end": 10}, "code points"
    html = build_task_data("k", "r\ud800", record, SCHEMA)["html"]
    assert html.encode()
    assert "\r" not in html
    assert html.count(MISSING) == 1


def test_a_skip_needs_no_grade_and_a_deleted_user_is_nobody() -> None:
    parsed = parse_annotation(raw([], was_cancelled=True, completed_by=None), SCHEMA)
    assert parsed.was_cancelled
    assert parsed.problems == ()
    assert parsed.annotator_id is None


def test_origins_tell_what_the_annotator_did_with_the_suggestion() -> None:
    result = build_result(Answer("fair", ("duplicate",), ("title", "price")), {}, SCHEMA)
    for region, origin in zip(
        result, ["prediction", "prediction-changed", "prediction", "manual"], strict=True
    ):
        region["origin"] = origin
    parsed = parse_annotation(raw(result, prediction={"score": 0.4}), SCHEMA)
    assert parsed.origins == {
        "grade": "prediction",
        "issues": "prediction-changed",
        "faulty": "prediction-changed",
    }
    assert parsed.prediction_snapshot == {"score": 0.4}


@given(records)
def test_the_table_says_what_is_missing_and_escapes_the_rest(record: dict[str, Any]) -> None:
    cleaned = {k: "".join(c for c in str(v or "") if c.isprintable()) for k, v in record.items()}
    rows = ET.fromstring(build_table(cleaned, SCHEMA)).findall("tbody/tr")
    assert [row[0].text for row in rows] == list(FIELDS)
    for row, name in zip(rows, FIELDS, strict=True):
        assert row[1].text == (cleaned[name] if cleaned[name].strip() else MISSING)


@given(records)
def test_marks_point_at_the_text_of_their_cell(record: dict[str, Any]) -> None:
    record = {k: "".join(c for c in str(v or "") if c.isprintable()) for k, v in record.items()}
    table = ET.fromstring(build_table(record, SCHEMA))
    text = "".join(table.itertext())
    suggestion = Suggestion("poor", 0.9, "v3", {}, dict.fromkeys(FIELDS, 0.8))
    prediction = build_prediction(suggestion, record, SCHEMA)
    for region in prediction["result"][1:]:
        place = region["value"]["globalOffsets"]
        assert text[place["start"] : place["end"]] == region["value"]["text"]


def test_the_config_holds_odd_titles_and_values() -> None:
    schema = LabelSchema.model_validate(
        {
            "fields": ['a "b" <c>'],
            "grade": {"choices": [{"value": "<1>", "zh": "“一” & 😀"}, {"value": "2"}]},
            "instructions_en": "x < y",
        }
    )
    root = ET.fromstring(build_label_config(schema))
    choices = [c.get("value") for c in root.iter("Choice")]
    assert choices[:2] == ["<1>", "2"]
    data = build_task_data("k", "r", {'a "b" <c>': "<b>"}, schema)
    assert data[KEY] == "k"
    assert "<b>" not in data["html"]
