"""A Label Studio in memory: what the application's client would find in a real one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from labeling.exceptions import LabelStudioUnavailable
from labeling.label_studio.tasks import KEY

PROJECT = 77
START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@dataclass
class HeldTask:
    """A task with its annotations by id, as Label Studio's API tells them."""

    key: str
    updated_at: datetime
    card: str = ""
    """What annotators read of the record."""
    annotations: dict[int, dict[str, Any]] = field(default_factory=dict)
    drafts: int = 0
    is_broken: bool = False


class LabelStudioInMemory:
    """Holds one project; every change moves its clock by a second."""

    def __init__(self, description: str, label_config: str) -> None:
        self.description = description
        self.label_config = label_config
        self.tasks: dict[int, HeldTask] = {}
        self.people = {user: f"person{user}@example.org" for user in (1, 2, 3)}
        self.now = START
        self.last_task = 1000
        self._last_annotation = 0

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    # What people do there.

    def say(self, task_id: int, user: int | None, grade: str | None) -> dict[str, Any]:
        """A new annotation; no grade is a skip."""
        self._last_annotation += 1
        moment = self.tick().isoformat()
        made = {
            "id": self._last_annotation,
            "task": task_id,
            "completed_by": user,
            "created_at": moment,
            **_content(grade, moment),
        }
        return self._keep(task_id, made)

    def change(self, task_id: int, annotation_id: int, grade: str | None) -> dict[str, Any]:
        """The annotation says something else."""
        before = self.tasks[task_id].annotations[annotation_id]
        return self._keep(task_id, {**before, **_content(grade, self.tick().isoformat())})

    def delete_annotation(self, task_id: int, annotation_id: int) -> None:
        del self.tasks[task_id].annotations[annotation_id]
        self.tasks[task_id].updated_at = self.tick()

    def draft(self, task_id: int) -> None:
        """Somebody has begun an answer: the task was touched, and there is no annotation."""
        self.tasks[task_id].drafts += 1
        self.tasks[task_id].updated_at = self.tick()

    def forget_person(self, user: int) -> None:
        """The person is deleted there: their annotations are nobody's."""
        self.people.pop(user, None)
        for task in self.tasks.values():
            for annotation in task.annotations.values():
                if annotation["completed_by"] == user:
                    annotation["completed_by"] = None

    def _keep(self, task_id: int, annotation: dict[str, Any]) -> dict[str, Any]:
        self.tasks[task_id].annotations[annotation["id"]] = annotation
        self.tasks[task_id].updated_at = self.now
        return dict(annotation)

    # What the application's client asks for.

    def get_project(self, _project_id: int) -> dict[str, Any]:
        return {
            "description": self.description,
            "label_config": self.label_config,
            "task_number": len(self.tasks),
        }

    def update_project(self, _project_id: int, _changes: Mapping[str, Any]) -> None: ...

    def upsert_webhook(self, _project_id: int, **_settings: Any) -> None: ...

    def users(self) -> list[dict[str, Any]]:
        return [{"id": user, "email": email} for user, email in self.people.items()]

    def count_tasks(self, _project_id: int) -> int:
        return len(self.tasks)

    def find_tasks(self, _project_id: int, keys: Sequence[str]) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for task_id, task in self.tasks.items():
            if task.key in keys:
                found.setdefault(task.key, []).append(task_id)
        return found

    def import_tasks(self, _project_id: int, tasks: Sequence[Mapping[str, Any]]) -> list[int]:
        made = []
        for item in tasks:
            self.last_task += 1
            data = item["data"]
            self.tasks[self.last_task] = HeldTask(str(data[KEY]), self.tick(), data["html"])
            made.append(self.last_task)
        return made

    def update_task(self, task_id: int, _changes: Mapping[str, Any]) -> None:
        self.tasks[task_id].updated_at = self.tick()

    def task_ids(self, _project_id: int) -> list[int]:
        return list(self.tasks)

    def has_task(self, task_id: int) -> bool:
        return task_id in self.tasks

    def changed_tasks(self, _project_id: int, since: datetime | None) -> list[tuple[int, datetime]]:
        found = [(task_id, task.updated_at) for task_id, task in self.tasks.items()]
        return sorted(
            (pair for pair in found if since is None or pair[1] >= since),
            key=lambda pair: (pair[1], pair[0]),
        )

    def tasks_with_annotations(
        self, _project_id: int, task_ids: Sequence[int]
    ) -> list[dict[str, Any]]:
        held = [(task_id, self.tasks[task_id]) for task_id in task_ids if task_id in self.tasks]
        if any(task.is_broken for _, task in held):
            raise LabelStudioUnavailable("500", status=HTTPStatus.INTERNAL_SERVER_ERROR)
        return [
            {
                "id": task_id,
                "updated_at": task.updated_at.isoformat(),
                "annotations": [dict(each) for each in task.annotations.values()],
            }
            for task_id, task in held
        ]

    def export_tasks(self, project_id: int, task_ids: Sequence[int]) -> list[dict[str, Any]]:
        return self.tasks_with_annotations(project_id, task_ids)


def _content(grade: str | None, moment: str) -> dict[str, Any]:
    choice = {"from_name": "grade", "to_name": "record", "type": "choices"}
    return {
        "updated_at": moment,
        "was_cancelled": grade is None,
        "result": [{**choice, "value": {"choices": [grade]}}] if grade else [],
    }
