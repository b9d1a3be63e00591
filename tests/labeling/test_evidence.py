"""What spoke for a suggestion: marks that people see and that are never read as an answer."""

import pytest
from pydantic import ValidationError

from labeling.label_schema import LabelSchema
from labeling.label_studio.annotations import Answer, build_result, parse_annotation
from labeling.label_studio.controls import EVIDENCE
from labeling.label_studio.label_config import (
    build_label_config,
    has_evidence,
    validate_label_config,
)
from labeling.label_studio.predictions import (
    EvidenceMark,
    Suggestion,
    build_prediction,
    mark_field,
    strongest_evidence,
)
from labeling.label_studio.tasks import MISSING

SCHEMA = LabelSchema.default(["标题", "price", "note"])
RECORD = {"标题": " 😀红 cup\r\n<b>茶壶 😀 new", "price": None, "note": "fine"}


def regions_of(*marks: EvidenceMark) -> list[dict]:
    suggestion = Suggestion("fair", 0.7, "v1", {}, {"note": 0.9}, marks)
    result = build_prediction(suggestion, RECORD, SCHEMA)["result"]
    return [region for region in result if region["from_name"] == EVIDENCE]


def test_a_piece_is_marked_in_browser_units_and_global_code_points() -> None:
    piece = "茶壶 😀"
    (region,) = regions_of(EvidenceMark("标题", -0.4, piece, RECORD["标题"].index(piece)))
    shown = " 😀红 cup\n<b>茶壶 😀 new"
    start = shown.index(piece)
    value = region["value"]
    assert value["text"] == piece
    assert value["startOffset"] == start + 1  # one emoji before it counts twice
    assert value["endOffset"] == start + 1 + len(piece) + 1
    assert value["globalOffsets"] == {"start": 2 + start, "end": 2 + start + len(piece)}
    assert value["hypertextlabels"] == ["against"]
    assert value["start"] == value["end"] == "/table[1]/tbody[1]/tr[1]/td[2]/text()[1]"


def test_a_whole_value_is_marked_where_a_faulty_mark_would_be() -> None:
    for name in SCHEMA.fields:
        (region,) = regions_of(EvidenceMark(name, 0.4))
        faulty = mark_field(name, RECORD, SCHEMA)["value"]
        assert region["value"] == {**faulty, "hypertextlabels": ["supports"]}
    (missing,) = regions_of(EvidenceMark("price", -1.0))
    assert missing["value"]["text"] == MISSING


@pytest.mark.parametrize("start", [0, 1, 2, 3, 500])
def test_a_piece_is_found_again_when_its_place_was_counted_on_another_text(start: int) -> None:
    (region,) = regions_of(EvidenceMark("标题", 0.4, "cup", start))
    assert region["value"]["text"] == "cup"


def test_a_piece_that_is_not_there_marks_the_whole_value() -> None:
    (region,) = regions_of(EvidenceMark("note", 0.4, "other", 1))
    assert region["value"]["text"] == "fine"
    assert regions_of(EvidenceMark("no such field", 0.4)) == []


def test_at_most_five_marks_strongest_field_first_and_pieces_of_the_fields_sign() -> None:
    tokens = [
        {"start": 0, "end": 1, "text": "a", "contribution": -0.1},
        {"start": 2, "end": 3, "text": "b", "contribution": -0.5},
        {"start": 4, "end": 5, "text": "c", "contribution": 0.9},
        {"start": 6, "end": 7, "text": "d", "contribution": -0.3},
    ]
    explanation = [
        {"field": "x", "contribution": -2.0, "tokens": tokens},
        *({"field": name, "contribution": 1.0, "tokens": []} for name in "pqrs"),
    ]
    assert strongest_evidence(explanation) == (
        EvidenceMark("x", -0.5, "b", 2),
        EvidenceMark("x", -0.3, "d", 6),
        EvidenceMark("p", 1.0),
        EvidenceMark("q", 1.0),
        EvidenceMark("r", 1.0),
    )
    assert strongest_evidence([]) == ()


@pytest.mark.parametrize("change", ["kept", "moved", "relabelled", "drawn", "deleted"])
def test_evidence_is_no_answer_whatever_people_do_with_it(change: str) -> None:
    answer = Answer("fair", (), ("note",), {}, None)
    evidence = regions_of(EvidenceMark("note", 1.0), EvidenceMark("price", -1.0))
    for region in evidence:
        region["origin"] = "prediction"
        if change == "moved":
            region["value"]["start"] = "/div[1]"
            region["origin"] = "prediction-changed"
        elif change == "relabelled":
            region["value"]["hypertextlabels"] = ["有误"]
        elif change == "drawn":
            region["origin"] = "manual"
    if change == "deleted":
        evidence = []
    raw = {"id": 1, "task": 2, "result": evidence + build_result(answer, RECORD, SCHEMA)}
    parsed = parse_annotation(raw, SCHEMA)
    assert parsed.problems == ()
    assert parsed.faulty_fields == ("note",)
    assert parsed.origins == {"grade": "manual", "faulty": "manual"}


def test_a_screen_without_evidence_is_as_before() -> None:
    plain, marked = build_label_config(SCHEMA, evidence=False), build_label_config(SCHEMA)
    assert not has_evidence(plain)
    assert has_evidence(marked)
    assert EVIDENCE not in plain
    assert 'perRegion="true" maxSubmissions="1" editable' in plain


@pytest.mark.parametrize("changes", [{"faulty_fields": False}, {"corrected_value": False}])
def test_every_screen_can_show_it(changes: dict[str, bool]) -> None:
    schema = LabelSchema(fields=("a", "b"), **changes)
    xml = build_label_config(schema)
    assert has_evidence(xml)
    validate_label_config(xml, schema)


def test_no_grade_may_take_its_name() -> None:
    with pytest.raises(ValidationError, match="evidence"):
        LabelSchema.model_validate({"fields": ["a"], "grade": {"name": EVIDENCE}})


def test_the_screen_says_how_to_give_a_corrected_value_where_one_is_asked_for() -> None:
    schema = LabelSchema.default(["title", "price"])
    hint = "Click a mark to give the corrected value"
    assert hint in build_label_config(schema.model_copy(update={"corrected_value": True}))
    assert hint not in build_label_config(schema.model_copy(update={"corrected_value": False}))
