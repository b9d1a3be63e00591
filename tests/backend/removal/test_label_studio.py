"""The project in Label Studio is deleted where that was wanted, and only if it is ours."""

import json
from collections.abc import Callable

import httpx
import pytest

from backend.bootstrap import build_registry
from backend.core.services import Services
from backend.jobs.inline import InlineRunner
from backend.jobs.queue import enqueue, list_recent
from backend.models import Job
from backend.removal.schemas import CLEAN_UP
from labeling.label_studio.client import LabelStudioClient

MARKER = "assay-project-1-1777000000000"


class Held:
    """A Label Studio with one project, 77."""

    def __init__(self, description: str, keys: tuple[str, ...] = (), status: int = 200) -> None:
        self.description = description
        self.keys = keys
        self.status = status
        self.deleted: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        project = {"id": 77, "description": self.description}
        if self.status != 200:
            return httpx.Response(self.status, json={})
        if request.method == "DELETE":
            self.deleted.append(request.url.path)
            return httpx.Response(204)
        if request.url.path == "/api/tasks":
            tasks = [{"id": 1, "data": {"assay_key": key}} for key in self.keys]
            return httpx.Response(200, json={"tasks": tasks})
        if request.url.path == "/api/projects":
            return httpx.Response(200, json={"results": [project]})
        return httpx.Response(200, json=project)


@pytest.fixture
def clean_up(services: Services) -> Callable[[Held, int | None], Job]:
    def run(held: Held, project: int | None) -> Job:
        transport = httpx.MockTransport(held.answer)
        services.label_studio = LabelStudioClient("http://ls.example", "t", transport=transport)
        there = {"project": project, "marker": MARKER, "keys": ["key-1", "key-2"]}
        args = json.loads(json.dumps({"folders": [], "label_studio": there}))
        with services.database.transaction() as session:
            enqueue(session, CLEAN_UP, args=args, now=services.clock())
        InlineRunner(services.database, build_registry(services), services.clock).run_pending(
            limit=1
        )
        with services.database.reading() as session:
            (job,) = list_recent(session, name=CLEAN_UP)
        return job

    return run


@pytest.mark.parametrize(
    ("held", "project", "told", "is_deleted"),
    [
        (Held(MARKER), 77, "deleted", True),
        (Held(MARKER), None, "deleted", True),
        (Held("rewritten by somebody", keys=("key-2",)), 77, "deleted", True),
        (Held("another project"), 77, "kept: it is another project now", False),
        (Held("another project"), None, "was not there", False),
        (Held(MARKER, status=404), 77, "was not there", False),
    ],
    ids=["ours", "ours, unknown here", "ours by its tasks", "another", "none", "gone"],
)
def test_what_becomes_of_it(
    clean_up: Callable[[Held, int | None], Job],
    held: Held,
    project: int | None,
    told: str,
    is_deleted: bool,
) -> None:
    job = clean_up(held, project)
    assert (job.status, job.result) == ("done", {"bytes": 0, "label_studio": told})
    assert held.deleted == (["/api/projects/77"] if is_deleted else [])


def test_it_is_tried_again_while_label_studio_is_away(
    clean_up: Callable[[Held, int | None], Job],
) -> None:
    job = clean_up(Held(MARKER, status=503), 77)
    assert (job.status, job.retries) == ("waiting", 1)
