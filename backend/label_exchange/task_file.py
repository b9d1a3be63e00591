"""Label Studio's JSON export, read a task at a time; and each task as a record with answers."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from backend.core.exceptions import UnreadableSource
from backend.ingestion.mapping import MAX_EXTERNAL_ID, RowRejected
from backend.ingestion.schemas import Reject, short_value
from backend.ingestion.values import UnusableValue, normalise
from backend.records.content import Value
from backend.words import Message
from labeling.label_studio.label_mapping import LabelMapping
from labeling.label_studio.shown_table import read_table
from labeling.label_studio.tasks import KEY

CHARACTERS_A_READ = 1024 * 1024
"""Chosen: bounds memory."""
MAX_TASK = 64 * 1024 * 1024
"""Characters. Chosen: bounds memory where a file is no list of tasks."""
REMEDY = Message(
    "Export it as JSON: in Label Studio, Export > JSON, or GET "
    "/api/projects/ID/export?exportType=JSON&download_all_tasks=true."
)
NEW_LINE = "\n"
OWN_DATA = frozenset({KEY, "record_id", "html"})


def read_tasks(path: Path) -> Iterator[tuple[int, Any]]:
    """(place from 1, element) of the file's array, one in memory at a time.

    Raises:
        UnreadableSource: no JSON array in UTF-8, cut off, or JSON_MIN.
    """
    try:
        with _open(path) as file:
            for place, element in enumerate(_elements(file, path), start=1):
                if place == 1:
                    _check_first(element, path)
                yield place, element
    except (OSError, UnicodeDecodeError, EOFError) as error:
        why = getattr(error, "strerror", None) or error  # without the path once more
        raise _unreadable(path, Message("cannot be read: {why}", why=why)) from error


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


def _elements(file: IO[str], path: Path) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    whole = file.read(CHARACTERS_A_READ)
    held = whole.lstrip()
    if not held.startswith("["):
        raise _unreadable(path, Message("holds no JSON array"))
    place, number, lines = 1, 0, 1 + whole[: -len(held)].count(NEW_LINE)
    while True:
        while place < len(held) and held[place] in " \t\r\n,":
            place += 1
        if place < len(held) and held[place] == "]":
            return
        problem: str = Message("it is cut off in line {line}", line=lines + held.count(NEW_LINE))
        if place < len(held):
            try:
                element, place = decoder.raw_decode(held, place)
                number += 1
                yield element
                continue
            except json.JSONDecodeError as error:
                if not _is_at_the_end(error, held):
                    line = lines + held.count(NEW_LINE, 0, error.pos)
                    problem = Message("{error} in line {line}", error=error.msg, line=line)
            except (ValueError, RecursionError) as error:
                problem = str(error)
        more = file.read(max(CHARACTERS_A_READ, len(held) - place))
        if not more or len(held) - place > MAX_TASK:
            raise _unreadable(
                path,
                Message("is broken after task {number}: {problem}", number=number, problem=problem),
            )
        lines += held.count(NEW_LINE, 0, place)
        held, place = held[place:] + more, 0


def _is_at_the_end(error: json.JSONDecodeError, held: str) -> bool:
    """True if more of the text could have made it right."""
    return error.msg.startswith("Unterminated string") or error.pos >= len(held.rstrip())


def _check_first(element: Any, path: Path) -> None:
    keys = set(element) if isinstance(element, dict) else set()
    if {"data", "annotations"} <= keys:
        return
    if keys & {"annotation_id", "annotator"}:
        raise _unreadable(
            path,
            Message(
                "is a JSON_MIN export, which does not hold the annotations "
                "themselves (marks, skips, revisions)"
            ),
        )
    if "completions" in keys:
        raise _unreadable(path, Message("is an export of a Label Studio before 1.0"))
    raise _unreadable(path, Message("holds no tasks with annotations"))


def _unreadable(path: Path, problem: str) -> UnreadableSource:
    return UnreadableSource(
        Message("{path} {problem}.", path=path.name, problem=problem),
        field="file",
        value=path.name,
        remedy=REMEDY,
    )


@dataclass(frozen=True)
class ImportedTask:
    """One task of the file: its record, and its annotations as Label Studio wrote them.

    ``table_fields`` are the rows of the table that annotators saw; ``html`` is given where the
    record is known from that table only, all of it text. ``label_of`` are the tasks of the
    project whose label we worked out and wrote: nobody's answer there.
    """

    line: int
    label_studio_id: int | None
    key: str | None
    external_id: str
    kind: str | None
    fields: Mapping[str, Value]
    table_fields: tuple[str, ...] | None
    html: str | None
    annotations: tuple[Any, ...]
    label_of: tuple[int, ...] = ()


def as_task(line: int, raw: Any, mapping: LabelMapping) -> ImportedTask:
    """The element as a task.

    Raises:
        RowRejected: it is none, or its data cannot be a record.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("data"), dict):
        wanted = Message("no task with data: an object with data is wanted")
        raise _rejection(line, "data", raw, wanted)
    data, annotations = raw["data"], raw.get("annotations")
    if not isinstance(annotations, list):
        wanted = Message("no list of annotations: write [] where nobody answered")
        raise _rejection(line, "annotations", annotations, wanted)
    told = (raw.get("meta") or {}).get("assay") if isinstance(raw.get("meta"), dict) else None
    told = told if isinstance(told, dict) else {}
    html = data.get("html")
    table = read_table(html) if isinstance(html, str) else None
    fields, is_told = _fields(data, told, table, mapping)
    values: dict[str, Value] = {}
    for name, value in fields.items():
        try:
            values[str(name)] = normalise(value)
        except UnusableValue as error:
            raise _rejection(line, str(name), value, Message.of_error(error)) from error
    kind = mapping.record.kind or told.get("kind")
    return ImportedTask(
        line=line,
        label_studio_id=raw["id"] if isinstance(raw.get("id"), int) else None,
        key=data[KEY] if isinstance(data.get(KEY), str) else None,
        external_id=_external_id(line, raw, mapping),
        kind=str(kind)[:50] if kind else None,
        fields=values,
        table_fields=tuple(table) if table is not None else None,
        html=html if table is not None and not is_told else None,
        annotations=tuple(annotations),
        label_of=_label_of(told),
    )


def _label_of(told: Mapping[str, Any]) -> tuple[int, ...]:
    tasks = told.get("task_ids") if told.get("label_from") else None
    return tuple(each for each in tasks if type(each) is int) if isinstance(tasks, list) else ()


def _fields(
    data: Mapping[str, Any],
    told: Mapping[str, Any],
    table: Mapping[str, str | None] | None,
    mapping: LabelMapping,
) -> tuple[Mapping[str, Any], bool]:
    """The record's fields, and whether they are more than the texts of the table."""
    if mapping.record.fields is not None:
        return {name: data.get(key) for key, name in mapping.record.fields.items()}, True
    if isinstance(told.get("fields"), dict):
        return told["fields"], True
    if table is not None:
        return table, False
    left_out = {*OWN_DATA, mapping.record.external_id}
    return {key: value for key, value in data.items() if key not in left_out}, True


def _external_id(line: int, raw: Mapping[str, Any], mapping: LabelMapping) -> str:
    data, key = raw["data"], mapping.record.external_id or "record_id"
    value = data.get(key)
    if isinstance(value, int | float | str) and not isinstance(value, bool) and str(value).strip():
        named = str(value)
    elif mapping.record.external_id is not None:
        why = Message("the record's id is missing: the mapping's record.external_id names this key")
        raise _rejection(line, key, value, why)
    elif raw.get("id") is None:
        raise _rejection(
            line, "id", None, Message("neither record_id nor a task id names the record")
        )
    else:
        named = "-".join(
            str(part) for part in ("label-studio", raw.get("project"), raw["id"]) if part
        )
    if len(named) > MAX_EXTERNAL_ID or "\x00" in named:
        raise _rejection(
            line,
            key,
            named,
            Message(
                "no id of at most {max_external_id} characters", max_external_id=MAX_EXTERNAL_ID
            ),
        )
    return named


def _rejection(line: int, field: str, value: object, reason: str) -> RowRejected:
    return RowRejected(Reject(line=line, field=field, value=short_value(value), reason=reason))
