"""Webhook bodies: every action Label Studio sends, and everything it does not."""

import json
from typing import Any

import pytest

from labeling.exceptions import MalformedWebhook
from labeling.label_schema import LabelSchema
from labeling.label_studio.annotations import Answer, build_result
from labeling.label_studio.webhooks import (
    SECRET_HEADER,
    AnnotationChanged,
    AnnotationsDeleted,
    Event,
    TasksCreated,
    TasksDeleted,
    parse_event,
    redact,
    verify_secret,
)

SCHEMA = LabelSchema.default(["title"])
ANNOTATION = {
    "id": 146,
    "task": 12,
    "result": build_result(Answer("fair"), {}, SCHEMA),
    "completed_by": 3,
    "created_at": "2026-11-21T03:33:45.879Z",
    "updated_at": "2026-11-21T03:34:45.879Z",
}


def body(action: str, **content: Any) -> bytes:
    return json.dumps({"action": action, "project": {"id": 24, "token": "t0k"}, **content}).encode()


@pytest.mark.parametrize("action", ["ANNOTATION_CREATED", "ANNOTATION_UPDATED"])
def test_one_annotation_comes_whole(action: str) -> None:
    event = parse_event(body(action, annotation=ANNOTATION), schema=SCHEMA)
    assert isinstance(event, AnnotationChanged)
    assert (event.project_id, event.annotations[0].grade) == (24, "fair")


def test_several_annotations_come_under_the_singular_key() -> None:
    event = parse_event(body("ANNOTATIONS_CREATED", annotation=[ANNOTATION, ANNOTATION]))
    assert isinstance(event, AnnotationChanged)
    assert len(event.annotations) == 2


def test_deletions_and_tasks_bring_ids() -> None:
    deleted = parse_event(body("ANNOTATIONS_DELETED", annotations=[{"id": 1}, {"id": 2}]))
    assert isinstance(deleted, AnnotationsDeleted)
    assert deleted.annotation_ids == (1, 2)
    created = parse_event(body("TASKS_CREATED", tasks=[{"id": 7, "data": {}}]))
    assert isinstance(created, TasksCreated)
    gone = parse_event(body("TASKS_DELETED", tasks=[{"id": 7}]))
    assert isinstance(gone, TasksDeleted)
    assert gone.task_ids == (7,)


def test_unknown_actions_and_bodies_without_payload_are_events_all_the_same() -> None:
    assert parse_event(body("PROJECT_UPDATED")) == Event("PROJECT_UPDATED", 24)
    bare = parse_event(b'{"action": "ANNOTATION_CREATED"}')
    assert isinstance(bare, AnnotationChanged)
    assert (bare.project_id, bare.annotations) == (None, ())


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"\xff\xfe", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "list"),
        (b"{}", "'action'"),
        (b'{"action": 5}', "'action'"),
        (b'{"action": "ANNOTATION_CREATED", "annotation": {"result": []}}', "'annotation'"),
        (b'{"action": "ANNOTATION_CREATED", "annotation": "x"}', "'annotation'"),
        (b'{"action": "ANNOTATION_CREATED", "annotation": {"id": 1e999}}', "'annotation'"),
        pytest.param(b"[" * 100_000, "not JSON", id="deep"),
    ],
)
def test_malformed_bodies_are_refused_with_the_field(content: bytes, named: str) -> None:
    with pytest.raises(MalformedWebhook, match=named):
        parse_event(content)


def test_the_project_token_does_not_stay_in_the_stored_body() -> None:
    kept = redact(body("TASKS_CREATED", tasks=[]))
    assert "t0k" not in kept
    assert json.loads(kept)["project"]["id"] == 24


def test_the_secret_must_match() -> None:
    assert verify_secret({SECRET_HEADER.lower(): "abc"}, "abc")
    assert not verify_secret({SECRET_HEADER: "abd"}, "abc")
    assert not verify_secret({}, "abc")
    assert not verify_secret({SECRET_HEADER: "ä"}, "abc")


def test_where_no_secret_is_set_nobody_has_it() -> None:
    assert not verify_secret({}, "")
    assert not verify_secret({SECRET_HEADER: ""}, "")
