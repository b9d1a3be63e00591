"""Pushing tasks and syncing annotations, ours against a plain loop over the SDK.

    python -m benchmarks.push_sync [--quick] [--tasks N] [--url URL --token TOKEN]

Without ``--url`` it starts a Label Studio of its own. The SDK loop is what its documentation
shows: one ``tasks.create`` and ``predictions.create`` a record; ``tasks.list(fields="all")``
page by page to collect every annotation. Pushing that way is measured on fewer tasks and
compared per task. ``push_ratio_to_bulk`` compares with the SDK's ``projects.import_tasks`` in
the same chunks, which makes every task again when it is repeated; ``repeat_seconds`` is our
push of tasks that are all there. Annotations are made by importing tasks that carry them.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from label_studio_sdk import LabelStudio

from labeling.label_schema import LabelSchema
from labeling.label_studio.annotations import Answer, build_result
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.direct import open_client
from labeling.label_studio.label_config import build_label_config
from labeling.label_studio.predictions import Suggestion, build_prediction
from labeling.label_studio.server import LabelStudioServer, free_port, stop_process
from labeling.label_studio.sync import PUSH_CHUNK, changes_since, push_tasks
from labeling.label_studio.tasks import build_task_data

TOKEN = "0123456789abcdef0123456789abcdef01234567"
SCHEMA = LabelSchema.default(["title", "price", "stock", "updated_at"])
RECORD = {"title": "Steel kettle 1.7 l", "price": "39.90", "stock": "12", "updated_at": ""}
CHANGED = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1,000 tasks")
    parser.add_argument("--tasks", type=int, help="tasks and annotations; default 10,000")
    parser.add_argument("--url", help="a running Label Studio")
    parser.add_argument("--token", default=TOKEN)
    arguments = parser.parse_args()
    count = arguments.tasks or (1_000 if arguments.quick else 10_000)
    with server(arguments.url, arguments.token) as (url, token):
        figures = measure(LabelStudioClient(url, token), count)
    print(json.dumps(figures))


@contextmanager
def server(url: str | None, token: str) -> Iterator[tuple[str, str]]:
    """A running Label Studio: the one named, or one of our own."""
    if url:
        yield url, token
        return
    program = os.environ.get("ASSAY_LABEL_STUDIO_BIN", ".label-studio/bin/label-studio")
    with tempfile.TemporaryDirectory() as folder:
        own = LabelStudioServer(
            Path(program), Path(folder), free_port(), "admin@example.com", "Passw0rd-1!", token
        )
        print("starting Label Studio")
        pid = own.start()
        try:
            yield own.url, token
        finally:
            stop_process(pid)


def measure(client: LabelStudioClient, count: int) -> dict[str, Any]:
    """Every figure, ours and the loop's on the same server, one after the other."""
    direct = open_client(client.url, timeout=60.0)
    sdk = LabelStudio(base_url=client.url, api_key=client.token, httpx_client=direct)
    looped = max(50, count // 20)
    project = new_project(client, "push ours")
    ours_push = timed(lambda: push_tasks(client, project, items(count)))
    other = new_project(client, "push loop")
    loop_push = timed(lambda: push_by_loop(sdk, other, items(looped)))
    repeat = timed(lambda: push_tasks(client, project, items(count)))
    bulk = new_project(client, "push bulk")
    bulk_push = timed(lambda: push_by_bulk(sdk, bulk, items(count)))
    print(
        f"push: {count / ours_push:.0f} against {looped / loop_push:.0f} tasks a second one by "
        f"one, {count / bulk_push:.0f} in bulk; repeated in {repeat:.1f} s"
    )
    assert client.count_tasks(project) == count, "a repeated push makes nothing"

    annotated = new_project(client, "sync")
    push_tasks(client, annotated, items(count, is_annotated=True))
    found: dict[int, int] = {}
    ours_sync = timed(lambda: found.update(sync(client, annotated)))
    collected: dict[int, int] = {}
    loop_sync = timed(lambda: collected.update(sync_by_loop(sdk, annotated)))
    assert found == collected, "both must find the same annotations"
    print(f"first sync: {ours_sync:.1f} s against {loop_sync:.1f} s")

    cursor = max(moment for _, moment in client.changed_tasks(annotated, None))
    for task_id in list(found.values())[:CHANGED]:
        client.create_annotation(task_id, {"result": result("poor")})
    seen: list[int] = []
    incremental = timed(
        lambda: seen.extend(
            s.task_id for part in changes_since(client, annotated, cursor, SCHEMA) for s in part
        )
    )
    assert len(set(seen) & set(list(found.values())[:CHANGED])) == CHANGED
    for made in (project, other, bulk, annotated):
        client.delete_project(made)
    return {
        "tasks": count,
        "sdk_tasks_measured": looped,
        "push_ratio": round((count / ours_push) / (looped / loop_push), 1),
        "push_ratio_to_bulk": round(bulk_push / ours_push, 2),
        "push_tasks_per_second": round(count / ours_push),
        "repeat_seconds": round(repeat, 2),
        "annotations": len(found),
        "sync_ratio": round(loop_sync / ours_sync, 2),
        "first_sync_seconds": round(ours_sync, 2),
        "incremental_changes": CHANGED,
        "incremental_seconds": round(incremental, 3),
        "incremental_ratio": round(loop_sync / incremental, 1),
    }


def new_project(client: LabelStudioClient, title: str) -> int:
    return client.create_project(
        title=title, description=f"benchmark {title}", label_config=build_label_config(SCHEMA)
    )


def items(count: int, *, is_annotated: bool = False) -> list[dict[str, Any]]:
    suggestion = Suggestion("fair", 0.7, "v1", {"missing_value": 0.8}, {"updated_at": 0.9})
    made = []
    for number in range(count):
        item: dict[str, Any] = {
            "data": build_task_data(f"key-{number}", str(number), RECORD, SCHEMA),
            "predictions": [build_prediction(suggestion, RECORD, SCHEMA)],
        }
        if is_annotated:
            item["annotations"] = [{"result": result("fair"), "ground_truth": False}]
        made.append(item)
    return made


def result(grade: str) -> list[dict[str, Any]]:
    answer = Answer("fair", ("missing_value",), ("updated_at",))
    return build_result(replace(answer, grade=grade), RECORD, SCHEMA)


def push_by_loop(sdk: LabelStudio, project: int, tasks: list[dict[str, Any]]) -> None:
    for item in tasks:
        task = sdk.tasks.create(data=item["data"], project=project)
        prediction = item["predictions"][0]
        sdk.predictions.create(
            task=task.id,
            result=prediction["result"],
            score=prediction["score"],
            model_version=prediction["model_version"],
        )


def push_by_bulk(sdk: LabelStudio, project: int, tasks: list[dict[str, Any]]) -> None:
    for start in range(0, len(tasks), PUSH_CHUNK):
        sdk.projects.import_tasks(
            id=project, request=tasks[start : start + PUSH_CHUNK], return_task_ids=True
        )


def sync(client: LabelStudioClient, project: int) -> dict[int, int]:
    return {
        annotation.label_studio_id: snapshot.task_id
        for part in changes_since(client, project, None, SCHEMA)
        for snapshot in part
        for annotation in snapshot.annotations
    }


def sync_by_loop(sdk: LabelStudio, project: int) -> dict[int, int]:
    return {
        annotation["id"]: task.id
        for task in sdk.tasks.list(project=project, fields="all")
        for annotation in task.annotations or []
    }


def timed(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
