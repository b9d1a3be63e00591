"""What each task of a Label Studio is about, and whether anything may be said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlmodel import Session

from backend.core.plain_numbers import exact_number
from backend.loop.withheld import is_withheld
from backend.ml_backend import repository
from backend.ml_backend.repository import PushedTask
from backend.models import Dataset, Project, Record
from backend.projects.service import policy_of
from backend.records import repository as records
from backend.records.content import Value, is_same_value
from labeling.label_studio.ml_backend import TaskAsked


@dataclass(frozen=True)
class Question:
    """A record to be judged: what it says, and its row where that is a stored version."""

    fields: Mapping[str, Value]
    record_id: int | None = None


class Questions:
    """Finds the records of tasks, within one reading session."""

    def __init__(self, session: Session, project: Project, dataset: Dataset) -> None:
        self._session = session
        self._project = project
        self._dataset = dataset

    def of(self, tasks: Sequence[TaskAsked]) -> list[Question | None]:
        """Each task's question, in order; None where nothing is known or nothing may be said.

        A task of a push is about the version that it shows. Any other is about the current version
        of the record that it names, or, where its data have other values in the dataset's fields,
        about those. Data that name no record speak for themselves, unless they are a copy of one
        that people are to answer without a suggestion.
        """
        keys = [task.key for task in tasks if task.key]
        pushed = repository.by_keys(self._session, self._project.id, keys)
        shown = {
            each.id: each
            for each in records.by_ids(
                self._session, sorted({each.task.record_id for each in pushed.values()})
            )
        }
        named = [task.external_id for task in tasks if task.key not in pushed and task.external_id]
        current, blind = self._find_by_id(sorted(set(named)))
        found: list[Question | None] = []
        for task in tasks:
            if task.key in pushed:
                ours = pushed[task.key]
                found.append(
                    None if self._is_blind(ours) else _question_of(shown[ours.task.record_id])
                )
            elif task.external_id in blind:
                found.append(None)
            else:
                found.append(self._by_data(task, current.get(task.external_id or "")))
        return found

    def _find_by_id(self, external_ids: Sequence[str]) -> tuple[dict[str, Record], set[str]]:
        """The current versions by external id, and of which records nothing may be said.

        A record that has a task without suggestion, whichever version that shows, is judged for
        nobody: the same people may see both.
        """
        versions = list(records.versions_of(self._session, self._dataset.id, external_ids))
        external = {each.id: each.external_id for each in versions}
        current = [each.id for each in versions if each.is_current]
        tasks = repository.of_records(self._session, self._project.id, list(external))
        return (
            {each.external_id: each for each in records.by_ids(self._session, current)},
            {external[each.task.record_id] for each in tasks if self._is_blind(each)},
        )

    def _is_blind(self, pushed: PushedTask) -> bool:
        is_blind_on_audit = policy_of(self._project).is_blind_on_audit
        return pushed.came_without_suggestion or is_withheld(
            pushed.task, is_blind_on_audit=is_blind_on_audit
        )

    def _by_data(self, task: TaskAsked, record: Record | None) -> Question | None:
        own = {name: task.data[name] for name in self._dataset.fields if name in task.data}
        if record is not None and self._says_the_same(own, record):
            return _question_of(record)
        if not own or not all(map(_is_value, own.values())):
            return None
        return None if self._content_key(own) in self._blind_contents else Question(own)

    @cached_property
    def _blind_contents(self) -> set[tuple[object, ...]]:
        """What the blind records say: a copy of one may come without its id."""
        tasks = repository.of_project(self._session, self._project.id)
        blind = sorted({each.task.record_id for each in tasks if self._is_blind(each)})
        contents = records.contents_of(self._session, blind)
        return {self._content_key(content.fields) for _, content in contents}

    def _content_key(self, fields: Mapping[str, Value]) -> tuple[object, ...]:
        """Equal for equal values, whether numbers came as texts or not."""
        values = [fields.get(name) for name in self._dataset.fields]
        return tuple(
            ""
            if value is None
            else number
            if (number := exact_number(value)) is not None
            else value
            for value in values
        )

    def _says_the_same(self, own: Mapping[str, Any], record: Record) -> bool:
        return all(
            _is_value(value)
            and is_same_value(value, record.fields.get(name), self._dataset.types.get(name))
            for name, value in own.items()
        )


def _question_of(record: Record) -> Question:
    return Question(record.fields, record.id)


def _is_value(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)
