"""The few calls to Label Studio that Assay makes.

Nothing that creates is ever sent twice by itself: an import is committed even if we stop
waiting for it, and there is no unique key. Repeating is the business of ``sync``.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from labeling.exceptions import LabelStudioRefused, LabelStudioUnavailable
from labeling.label_studio.tasks import KEY
from labeling.label_studio.transport import Transport, failure, silence_as_unavailable
from labeling.label_studio.webhooks import ACTIONS
from labeling.words import Words

ALL = 1_000_000
"""Label Studio pages unless it is asked for more than there is."""
KEYS_A_CALL = 300
"""Chosen: short keys end here, long ones at ``ADDRESS_BYTES``."""
ADDRESS_BYTES = 13_000
"""Of keys in one address: Label Studio refuses one of about 20,000."""
TASKS_A_CALL = 400
"""Chosen: 100 calls for 40,000 tasks, and answers that fit into memory."""

ANNOTATION_FIELDS = (
    "id,annotations,updated_at,result,completed_by,was_cancelled,ground_truth,lead_time,"
    "created_at,parent_prediction,updated_by"
)


class LabelStudioClient(Transport):
    """Label Studio's API as one of its users; safe to share between threads."""

    # Projects

    def find_project(self, marker: str) -> int | None:
        """The project whose description is ``marker``; the oldest if there are several."""
        found = [
            int(project["id"])
            for project in self._get_json("/api/projects", {"page_size": ALL})["results"]
            if project.get("description") == marker
        ]
        return min(found, default=None)

    def create_project(
        self,
        *,
        title: str,
        description: str,
        label_config: str,
        maximum_annotations: int = 1,
        instruction: str = "",
    ) -> int:
        """A new project that serves its tasks in the order pushed; its id."""
        from label_studio_sdk import LabelStudio
        from label_studio_sdk.core.api_error import ApiError

        sdk = LabelStudio(
            base_url=self.url, api_key=self.token, timeout=self._timeout, httpx_client=self._http
        )
        try:
            with silence_as_unavailable(self.url):
                project = sdk.projects.create(
                    title=title[:50],
                    description=description,
                    label_config=label_config,
                    maximum_annotations=maximum_annotations,
                    expert_instruction=instruction,
                    show_instruction=bool(instruction),
                    show_collab_predictions=True,
                    request_options={"max_retries": 0},
                )
        except ApiError as error:
            raise failure(error.status_code, "POST /api/projects", error.body) from error
        assert project.id is not None
        return int(project.id)

    def update_project(self, project_id: int, changes: Mapping[str, Any]) -> None:
        """The project's settings are changed."""
        self._send("PATCH", f"/api/projects/{project_id}", json=dict(changes))

    def get_project(self, project_id: int) -> dict[str, Any]:
        """The project as Label Studio describes it."""
        return dict(self._get_json(f"/api/projects/{project_id}"))

    def delete_project(self, project_id: int) -> None:
        """The project is gone, with everything in it."""
        self._send("DELETE", f"/api/projects/{project_id}")

    # Webhooks

    def upsert_webhook(self, project_id: int, *, url: str, headers: Mapping[str, str]) -> None:
        """Exactly one active webhook of the project calls ``url`` with these headers."""
        wanted = {
            "project": project_id,
            "url": url,
            "send_payload": True,
            "send_for_all_actions": False,
            "actions": list(ACTIONS),
            "headers": dict(headers),
            "is_active": True,
        }
        hooks = self._get_json("/api/webhooks/", {"project": project_id})
        path = url.split("://", 1)[-1].partition("/")[2]
        ours = [hook for hook in hooks if str(hook["url"]).endswith(f"/{path}")]
        if not ours:
            self._send("POST", "/api/webhooks/", json=wanted)
            return
        first, *surplus = ours
        if any(first.get(key) != value for key, value in wanted.items()):
            # Always the whole object: a PATCH without actions silences the hook.
            self._send("PATCH", f"/api/webhooks/{first['id']}/", json=wanted)
        for hook in surplus:
            self._send("DELETE", f"/api/webhooks/{hook['id']}/")

    # Tasks

    def import_tasks(self, project_id: int, tasks: Sequence[Mapping[str, Any]]) -> list[int]:
        """The tasks are created; their ids in the order given. Never sent twice.

        Raises:
            LabelStudioUnavailable: no answer; they may have been created all the same.
        """
        answer = self._send_json(
            "POST",
            f"/api/projects/{project_id}/import",
            params={"return_task_ids": "true"},
            json=list(tasks),
        )
        ids = [int(task_id) for task_id in answer["task_ids"]]
        if len(ids) != len(tasks):
            raise LabelStudioUnavailable(
                Words(
                    "Label Studio made {made} of {wanted} tasks; push again to check.",
                    made=len(ids),
                    wanted=len(tasks),
                )
            )
        return ids

    def find_tasks(self, project_id: int, keys: Sequence[str]) -> dict[str, list[int]]:
        """Key to the ids of the tasks that carry it, ascending; keys without task are absent."""
        found: dict[str, list[int]] = {}
        for part in _parts_of_a_request(keys):
            tasks = self._list_tasks(
                project_id,
                include="id,data",
                filters=[_filter(f"data.{KEY}", "in_list", "List", part)],
            )
            for task in tasks:
                found.setdefault(str(task["data"][KEY]), []).append(int(task["id"]))
        return {key: sorted(ids) for key, ids in found.items()}

    def task_ids(self, project_id: int) -> list[int]:
        """Every task of the project, in one unpaged listing."""
        return [int(task["id"]) for task in self._list_tasks(project_id, include="id")]

    def count_tasks(self, project_id: int) -> int:
        """How many tasks the project has."""
        return int(self.get_project(project_id)["task_number"])

    def changed_tasks(self, project_id: int, since: datetime | None) -> list[tuple[int, datetime]]:
        """(id, updated_at) of the tasks touched at or after ``since``, oldest change first.

        One unpaged listing: page numbers shift while people work.
        """
        filters = []
        if since is not None:
            moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            filters = [_filter("updated_at", "greater_or_equal", "Datetime", moment)]
        tasks = self._list_tasks(
            project_id, include="id,updated_at", filters=filters, ordering="updated_at"
        )
        return sorted(
            ((int(task["id"]), datetime.fromisoformat(task["updated_at"])) for task in tasks),
            key=lambda pair: (pair[1], pair[0]),
        )

    def tasks_with_annotations(
        self, project_id: int, task_ids: Sequence[int]
    ) -> list[dict[str, Any]]:
        """These tasks with their complete present annotations; at most 400 a call."""
        return self._list_tasks(
            project_id,
            include=ANNOTATION_FIELDS,
            fields="all",
            filters=[_filter("id", "in_list", "List", list(task_ids))],
        )

    def export_tasks(self, project_id: int, task_ids: Iterable[int]) -> list[dict[str, Any]]:
        """These tasks as exported: annotations with their prediction snapshots.

        At most 500 a call; the export has no ``updated_at`` of the task.
        """
        params: list[tuple[str, str]] = [
            ("exportType", "JSON"),
            ("download_all_tasks", "true"),
            *(("ids[]", str(task_id)) for task_id in task_ids),
        ]
        return list(self._send_json("GET", f"/api/projects/{project_id}/export", params=params))

    def has_task(self, task_id: int) -> bool:
        """False if Label Studio says that there is no such task."""
        try:
            self._send("GET", f"/api/tasks/{task_id}/")
        except LabelStudioRefused as error:
            if error.status == 404:
                return False
            raise
        return True

    def update_task(self, task_id: int, changes: Mapping[str, Any]) -> None:
        """The task has these settings."""
        self._send("PATCH", f"/api/tasks/{task_id}/", json=dict(changes))

    def delete_task(self, task_id: int) -> None:
        """The task is gone, with its annotations."""
        self._send("DELETE", f"/api/tasks/{task_id}/")

    def model_versions(self, project_id: int) -> dict[str, int]:
        """Model version to its number of predictions."""
        answer = self._get_json(f"/api/projects/{project_id}/model-versions/")
        return {str(name): int(count) for name, count in dict(answer).items()}

    # Annotations

    def create_annotation(self, task_id: int, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new annotation of this client's user."""
        return dict(self._send_json("POST", f"/api/tasks/{task_id}/annotations/", json=dict(body)))

    def update_annotation(self, annotation_id: int, body: Mapping[str, Any]) -> dict[str, Any]:
        """The annotation is changed."""
        return dict(self._send_json("PATCH", f"/api/annotations/{annotation_id}/", json=dict(body)))

    def delete_annotation(self, annotation_id: int) -> None:
        """The annotation is gone."""
        self._send("DELETE", f"/api/annotations/{annotation_id}/")

    # Users

    def users(self) -> list[dict[str, Any]]:
        """Everyone in the organisation."""
        return list(self._get_json("/api/users/"))

    def invitation(self) -> str:
        """The token with which people sign up to the organisation."""
        return str(self._get_json("/api/invite")["token"])

    # Transport

    def _list_tasks(
        self,
        project_id: int,
        *,
        include: str,
        fields: str = "task_only",
        filters: Sequence[Mapping[str, Any]] = (),
        ordering: str | None = None,
    ) -> list[dict[str, Any]]:
        query: dict[str, Any] = {"filters": {"conjunction": "and", "items": list(filters)}}
        if ordering:
            query["ordering"] = [f"tasks:{ordering}"]
        answer = self._get_json(
            "/api/tasks",
            {
                "project": project_id,
                "page_size": ALL,
                "fields": fields,
                "include": include,
                "query": json.dumps(query, separators=(",", ":")),
            },
        )
        return list(answer["tasks"])


def _parts_of_a_request(keys: Sequence[str]) -> Iterator[list[str]]:
    """The keys in parts that fit into one request's address."""
    part: list[str] = []
    size = 0
    for key in keys:
        more = len(quote(json.dumps([key])))
        if part and (len(part) == KEYS_A_CALL or size + more > ADDRESS_BYTES):
            yield part
            part, size = [], 0
        part.append(key)
        size += more
    if part:
        yield part


def _filter(column: str, operator: str, kind: str, value: Any) -> dict[str, Any]:
    return {
        "filter": f"filter:tasks:{column}",
        "operator": operator,
        "type": kind,
        "value": value,
    }
