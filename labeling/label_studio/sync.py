"""Push tasks once, and find everything that changed since a moment.

Label Studio has no unique key for imported tasks and its webhooks come at most once, so
both directions are made safe here: a push looks up by key what is there already, and a
sync reads whole annotation sets of every task touched since the cursor, minus an overlap.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from labeling.exceptions import LabelStudioUnavailable, PushInterrupted
from labeling.label_schema import LabelSchema
from labeling.label_studio.annotations import ParsedAnnotation, parse_annotation
from labeling.label_studio.client import TASKS_A_CALL, LabelStudioClient
from labeling.label_studio.tasks import KEY
from labeling.words import Words

logger = logging.getLogger(__name__)

PUSH_CHUNK = 500
"""Tasks a request. Chosen: what a failed one repeats is small."""
READERS = 2
"""Chosen: one answer is translated while Label Studio makes the next; more would take its threads
from people."""
TASKS_AN_EXPORT = 500
"""Chosen: an export is slow, and its time is lost if the request fails."""

Progress = Callable[[float, Words], None]


@dataclass(frozen=True)
class TaskSnapshot:
    """One task as Label Studio holds it: its last change and all its annotations."""

    task_id: int
    updated_at: datetime
    annotations: tuple[ParsedAnnotation, ...]


def push_tasks(
    client: LabelStudioClient,
    project_id: int,
    tasks: Sequence[dict[str, Any]],
    progress: Progress | None = None,
) -> dict[str, int]:
    """Every task is in Label Studio once; key to task id.

    ``tasks`` are import items whose ``data`` carries ``assay_key``; they keep their order.
    Of two with one key the first counts. Where two pushes raced, the smallest id counts and
    the others are named in the log.

    Raises:
        PushInterrupted: no answer midway; run it again, nothing will be made twice.
        LabelStudioRefused: Label Studio does not accept a task.
    """
    wanted: dict[str, dict[str, Any]] = {}
    for task in tasks:
        wanted.setdefault(str(task["data"][KEY]), task)
    ids: dict[str, int] = {}
    try:
        # Looking up takes its time even where there is nothing to find.
        is_empty = client.count_tasks(project_id) == 0
        found = {} if is_empty else client.find_tasks(project_id, list(wanted))
        ids = {key: held[0] for key, held in found.items()}
        if surplus := sorted(task_id for held in found.values() for task_id in held[1:]):
            logger.warning(
                "Label Studio project %d holds surplus tasks of the same keys: %s",
                project_id,
                surplus,
            )
        missing = [task for key, task in wanted.items() if key not in ids]
        for start in range(0, len(missing), PUSH_CHUNK):
            part = missing[start : start + PUSH_CHUNK]
            made = client.import_tasks(project_id, part)
            ids.update(
                (str(task["data"][KEY]), made_id) for task, made_id in zip(part, made, strict=True)
            )
            if progress:
                progress(
                    len(ids) / len(wanted),
                    Words("tasks pushed: {done} of {all}", done=len(ids), all=len(wanted)),
                )
    except LabelStudioUnavailable as error:
        raise PushInterrupted(error.args[0], ids) from error
    return ids


def changes_since(
    client: LabelStudioClient,
    project_id: int,
    cursor: datetime | None,
    schema: LabelSchema | None = None,
    *,
    overlap: timedelta = timedelta(0),
    unreadable: Callable[[int], None] | None = None,
    again: Sequence[int] = (),
) -> Iterator[list[TaskSnapshot]]:
    """Every task touched since ``cursor`` - ``overlap``, oldest change first, in chunks.

    Each comes with its complete annotation set, so that what is missing in it was deleted.
    Tasks deleted in Label Studio do not come; see ``missing_tasks``. The next cursor is the
    largest ``updated_at`` seen, by Label Studio's clock. A task that Label Studio itself cannot
    show is told to ``unreadable`` and left out; without it the reading ends there. The tasks
    ``again`` are read whenever they were touched, as if at the beginning of the overlap.
    """
    since = cursor - overlap if cursor is not None else None
    changed = client.changed_tasks(project_id, since)
    if since is not None:
        listed = {task_id for task_id, _ in changed}
        changed = [*((each, since) for each in sorted(set(again) - listed)), *changed]
    parts = [
        changed[start : start + TASKS_A_CALL] for start in range(0, len(changed), TASKS_A_CALL)
    ]

    def read(part: list[tuple[int, datetime]]) -> list[TaskSnapshot]:
        moved = dict(part)
        if unreadable is None:
            tasks = client.tasks_with_annotations(project_id, list(moved))
        else:
            tasks = _readable(client, project_id, list(moved), unreadable)
        # The listing's time, not the detail's: a change in between is read again next time.
        return sorted(
            (_snapshot(task, moved[int(task["id"])], schema) for task in tasks),
            key=lambda snapshot: (snapshot.updated_at, snapshot.task_id),
        )

    if len(parts) < 2:
        yield from map(read, parts)
        return
    with ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="sync") as readers:
        yield from readers.map(read, parts)


def _readable(
    client: LabelStudioClient,
    project_id: int,
    task_ids: list[int],
    unreadable: Callable[[int], None],
) -> list[dict[str, Any]]:
    """The tasks that Label Studio can show; one that it stumbles over does not hide the others."""
    try:
        return client.tasks_with_annotations(project_id, task_ids)
    except LabelStudioUnavailable as error:
        if error.status != HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        client.get_project(project_id)  # it answers, so it is these tasks
    if len(task_ids) == 1:
        unreadable(task_ids[0])
        return []
    middle = len(task_ids) // 2
    return [
        *_readable(client, project_id, task_ids[:middle], unreadable),
        *_readable(client, project_id, task_ids[middle:], unreadable),
    ]


def missing_tasks(client: LabelStudioClient, project_id: int, known: Sequence[int]) -> list[int]:
    """Those of the known task ids that Label Studio no longer has, each confirmed by itself."""
    held = set(client.task_ids(project_id))
    return [task_id for task_id in known if task_id not in held and not client.has_task(task_id)]


def with_predictions(
    client: LabelStudioClient,
    project_id: int,
    snapshots: Sequence[TaskSnapshot],
    task_ids: Sequence[int],
) -> list[TaskSnapshot]:
    """The snapshots; annotations of these tasks carry the prediction their annotator saw.

    Only webhooks and exports tell it, and exports are slow: name only tasks that need it.
    """
    seen = {
        int(annotation["id"]): annotation["prediction"]
        for start in range(0, len(task_ids), TASKS_AN_EXPORT)
        for task in client.export_tasks(project_id, task_ids[start : start + TASKS_AN_EXPORT])
        for annotation in task.get("annotations", [])
        if annotation.get("prediction")
    }
    return [
        replace(
            snapshot,
            annotations=tuple(
                replace(parsed, prediction_snapshot=seen.get(parsed.label_studio_id))
                for parsed in snapshot.annotations
            ),
        )
        for snapshot in snapshots
    ]


def _snapshot(
    task: dict[str, Any], updated_at: datetime, schema: LabelSchema | None
) -> TaskSnapshot:
    task_id = int(task["id"])
    return TaskSnapshot(
        task_id=task_id,
        updated_at=updated_at,
        annotations=tuple(
            parse_annotation(raw, schema, task_id=task_id) for raw in task["annotations"]
        ),
    )


def ask_for_answers(
    client: LabelStudioClient, task_id: int, wanted: int, *, is_queued: bool
) -> None:
    """Label Studio's queue gives the task out until so many people have answered it.

    A finished task comes back to the queue only if it is told not to be labelled. One that is not
    ``is_queued`` counts as labelled, so the queue gives it to nobody: whoever is to answer it opens
    it by its address.
    """
    client.update_task(task_id, {"overlap": wanted, "is_labeled": not is_queued})
