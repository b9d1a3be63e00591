"""Webhook bodies as typed events. They are hints: the reconciling sync is the guarantee."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labeling.exceptions import MalformedWebhook
from labeling.label_schema import LabelSchema
from labeling.label_studio.annotations import ParsedAnnotation, parse_annotation
from labeling.label_studio.payloads import read_object
from labeling.words import Words

SECRET_HEADER = "X-Assay-Webhook-Secret"
ACTIONS = (
    "ANNOTATION_CREATED",
    "ANNOTATIONS_CREATED",
    "ANNOTATION_UPDATED",
    "ANNOTATIONS_DELETED",
    "TASKS_CREATED",
    "TASKS_DELETED",
)


@dataclass(frozen=True)
class Event:
    """Something happened in a Label Studio project; the base says no more than that."""

    action: str
    project_id: int | None


@dataclass(frozen=True)
class AnnotationChanged(Event):
    """Annotations were created or updated; they come whole."""

    annotations: tuple[ParsedAnnotation, ...]


@dataclass(frozen=True)
class AnnotationsDeleted(Event):
    """Annotations were deleted; only their ids come."""

    annotation_ids: tuple[int, ...]


@dataclass(frozen=True)
class TasksCreated(Event):
    """Tasks were imported."""

    task_ids: tuple[int, ...]


@dataclass(frozen=True)
class TasksDeleted(Event):
    """Tasks were deleted."""

    task_ids: tuple[int, ...]


def verify_secret(headers: Mapping[str, str], secret: str) -> bool:
    """True if the secret came along; compared in constant time. No secret lets nobody in."""
    given = next((v for k, v in headers.items() if k.lower() == SECRET_HEADER.lower()), "")
    return bool(secret) and hmac.compare_digest(given.encode(), secret.encode())


def parse_event(body: bytes | str, *, schema: LabelSchema | None = None) -> Event:
    """The event in a webhook body; an action we do not know is a plain ``Event``.

    Raises:
        MalformedWebhook: not JSON, no action, or an annotation without identity.
    """
    payload = read_object(body, MalformedWebhook)
    action = payload.get("action")
    if not isinstance(action, str) or not action:
        raise MalformedWebhook(Words("field 'action' is missing or not a text"))
    project = payload.get("project")
    project_id = _id(project.get("id") if isinstance(project, Mapping) else project)
    match action:
        case "ANNOTATION_CREATED" | "ANNOTATION_UPDATED" | "ANNOTATIONS_CREATED":
            annotations = _annotations(payload, schema)
            if project_id is None and annotations:
                project_id = _project_of(payload)
            return AnnotationChanged(action, project_id, annotations)
        case "ANNOTATIONS_DELETED":
            return AnnotationsDeleted(action, project_id, _ids(payload, "annotations"))
        case "TASKS_CREATED":
            return TasksCreated(action, project_id, _ids(payload, "tasks"))
        case "TASKS_DELETED":
            return TasksDeleted(action, project_id, _ids(payload, "tasks"))
        case _:
            return Event(action, project_id)


def redact(body: bytes | str) -> str:
    """The body as text, less the access token that Label Studio puts into it.

    Raises:
        MalformedWebhook: not JSON.
    """
    payload = read_object(body, MalformedWebhook)
    project = payload.get("project")
    if isinstance(project, dict) and "token" in project:
        project["token"] = "redacted"
    return json.dumps(payload, ensure_ascii=False)


def _annotations(
    payload: Mapping[str, Any], schema: LabelSchema | None
) -> tuple[ParsedAnnotation, ...]:
    raw = payload.get("annotation")
    items = raw if isinstance(raw, list) else [raw] if raw is not None else []
    try:
        return tuple(parse_annotation(item, schema) for item in items)
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise MalformedWebhook(
            Words("field 'annotation' cannot be read: {error}", error=repr(error))
        ) from error


def _project_of(payload: Mapping[str, Any]) -> int | None:
    raw = payload.get("annotation")
    first = raw[0] if isinstance(raw, list) and raw else raw
    return _id(first.get("project")) if isinstance(first, Mapping) else None


def _ids(payload: Mapping[str, Any], key: str) -> tuple[int, ...]:
    items = payload.get(key)
    if not isinstance(items, list):
        return ()
    found = (_id(item.get("id") if isinstance(item, Mapping) else item) for item in items)
    return tuple(item for item in found if item is not None)


def _id(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
