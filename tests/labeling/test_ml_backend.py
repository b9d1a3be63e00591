"""Label Studio's requests for predictions, and answers that it does not drop."""

import json
from typing import Any

import pytest
from label_studio_sdk.label_interface import LabelInterface

from labeling.exceptions import MalformedTasks
from labeling.label_schema import LabelSchema
from labeling.label_studio.label_config import build_label_config
from labeling.label_studio.ml_backend import (
    TaskAsked,
    build_prediction_answer,
    build_prediction_on_screen,
    parse_prediction_request,
)
from labeling.label_studio.predictions import Suggestion, build_prediction
from labeling.label_studio.screen import controls_of
from labeling.label_studio.tasks import build_task_data

SCHEMA = LabelSchema.default(["title", "price"])
SCREEN = build_label_config(SCHEMA)
FIELDS = {"title": "Mug", "price": -4}
SUGGESTION = Suggestion(
    grade=SCHEMA.grades[0],
    score=0.8,
    model_version="v7",
    issues={SCHEMA.issue_values[0]: 0.7, SCHEMA.issue_values[1]: 0.6},
    faulty_fields={"price": 0.9},
)
OURS = TaskAsked(build_task_data("k", "SKU-1", FIELDS, SCHEMA))
FOREIGN = """<View><Text name="text" value="$title"/>
<Choices name="grade" toName="text"><Choice value="{grade}"/></Choices></View>"""


def body(**values: Any) -> bytes:
    return json.dumps(
        {"tasks": [], "project": "27.1795230767", "label_config": SCREEN, "params": {}} | values
    ).encode()


def test_a_request_as_label_studio_sends_it() -> None:
    tasks = [{"id": 3, "data": OURS.data}, {"id": 4, "data": {"external_id": 12}}, "no task", {}]
    asked = parse_prediction_request(body(tasks=tasks, params={"login": None, "context": None}))
    assert [each.key for each in asked.tasks] == ["k", None, None, None]
    assert [each.external_id for each in asked.tasks] == ["SKU-1", "12", None, None]
    assert not asked.is_interactive
    assert asked.screen["grade"].about == "record"
    assert parse_prediction_request(body(params={"context": {"result": []}})).is_interactive


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"tasks": {}}', b"\xff"])
def test_what_is_no_request_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedTasks):
        parse_prediction_request(content)


def test_every_task_has_an_entry_and_nothing_said_stores_nothing() -> None:
    said = {"model_version": "v7", "score": 0.8, "result": []}
    asked = parse_prediction_request(body(tasks=[{}, {}, {}]))
    answer = build_prediction_answer(asked, [None, said, None], "v7")
    assert answer == {"results": [[], said, []], "model_version": "v7"}
    open_task = parse_prediction_request(body(tasks=[{}], params={"context": {}}))
    alone = build_prediction_answer(open_task, [None], None)
    assert alone["results"] == [{"model_version": None, "result": []}], "the page reads an object"


def test_on_our_screen_the_prediction_is_the_one_that_a_push_sends() -> None:
    made = build_prediction_on_screen(SUGGESTION, OURS, FIELDS, SCHEMA, controls_of(SCREEN))
    assert made == build_prediction(SUGGESTION, FIELDS, SCHEMA)


def test_marks_need_the_table_that_they_were_counted_on() -> None:
    other = TaskAsked(build_task_data("k", "SKU-1", {**FIELDS, "title": "Cup"}, SCHEMA))
    made = build_prediction_on_screen(SUGGESTION, other, FIELDS, SCHEMA, controls_of(SCREEN))
    assert made is not None
    assert [each["from_name"] for each in made["result"]] == ["grade", "issues"]


def test_a_choice_that_the_screen_lost_is_left_out() -> None:
    gone = f'<Choice value="{SCHEMA.issue_values[0]}"'
    screen = controls_of(SCREEN.replace(gone, '<Choice value="other"'))
    made = build_prediction_on_screen(SUGGESTION, OURS, FIELDS, SCHEMA, screen)
    assert made is not None
    assert made["result"][1]["value"] == {"choices": [SCHEMA.issue_values[1]]}


def test_another_screen_gets_what_it_asks_for_and_accepts_it() -> None:
    config = FOREIGN.format(grade=SCHEMA.grades[0])
    task = TaskAsked({"title": "Mug"})
    made = build_prediction_on_screen(SUGGESTION, task, FIELDS, SCHEMA, controls_of(config))
    assert made is not None
    assert [(each["from_name"], each["to_name"]) for each in made["result"]] == [("grade", "text")]
    assert LabelInterface(config).validate_prediction(made, return_errors=True) == []


@pytest.mark.parametrize("config", [FOREIGN.format(grade="other"), "<View/>", "no screen", ""])
def test_without_the_grade_nothing_is_said(config: str) -> None:
    made = build_prediction_on_screen(SUGGESTION, OURS, FIELDS, SCHEMA, controls_of(config))
    assert made is None
