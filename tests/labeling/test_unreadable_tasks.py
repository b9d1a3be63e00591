"""Tasks that Label Studio itself cannot show do not hide the others."""

import json

import httpx
import pytest

from labeling.exceptions import LabelStudioUnavailable
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.sync import changes_since

TASKS = range(1, 451)
AT = "2026-05-01T12:00:00.000000Z"


def client(broken: set[int], *, is_ill: bool = False) -> LabelStudioClient:
    """Of a Label Studio that stumbles over these tasks, or over everything."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/projects/1":
            return httpx.Response(500 if is_ill else 200, json={"task_number": len(TASKS)})
        if request.url.params["fields"] == "task_only":
            return httpx.Response(200, json={"tasks": [{"id": n, "updated_at": AT} for n in TASKS]})
        (wanted,) = json.loads(request.url.params["query"])["filters"]["items"]
        if broken.intersection(wanted["value"]):
            return httpx.Response(500, text="<html>")
        tasks = [{"id": n, "updated_at": AT, "annotations": []} for n in wanted["value"]]
        return httpx.Response(200, json={"tasks": tasks})

    return LabelStudioClient("http://ls.example", "token", transport=httpx.MockTransport(answer))


def test_all_others_are_read_and_these_are_named() -> None:
    unreadable: list[int] = []
    parts = changes_since(client({6, 7, 450}), 1, None, unreadable=unreadable.append)
    read = sorted(snapshot.task_id for part in parts for snapshot in part)
    assert read == sorted(set(TASKS) - {6, 7, 450})
    assert sorted(unreadable) == [6, 7, 450]


def test_without_somebody_to_tell_the_reading_ends() -> None:
    with pytest.raises(LabelStudioUnavailable):
        list(changes_since(client({6}), 1, None))


def test_a_server_that_is_ill_altogether_is_no_matter_of_tasks() -> None:
    unreadable: list[int] = []
    with pytest.raises(LabelStudioUnavailable):
        list(changes_since(client(set(TASKS), is_ill=True), 1, None, unreadable=unreadable.append))
    assert unreadable == []
