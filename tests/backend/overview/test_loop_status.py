"""What the project's page, the API and the command line tell of the loop."""

import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlmodel import delete, select
from typer.testing import CliRunner

from backend.cli import app
from backend.core.services import Services
from backend.jobs.queue import list_recent
from backend.loop.job_names import NEXT_BATCH, PUSH, RETRAIN
from backend.models import Job, Project
from backend.overview.service import OverviewService
from backend.projects.schemas import ProjectCreate
from backend.projects.service import ProjectsService
from backend.words import Message
from tests.backend.conftest import ClientAs
from tests.backend.overview.conftest import NOW

NOTHING = Message("All labels are of one grade; there is nothing to tell apart yet.")


@pytest.fixture
def quiet(services: Services, project_id: int) -> int:
    """The project without the jobs that were made up for other tests."""
    with services.database.transaction() as session:
        session.execute(delete(Job))
    return project_id


def add_job(services: Services, project_id: int, name: str, status: str, **values: object) -> str:
    with services.database.transaction() as session:
        job = Job(
            id=f"{name}-{status}",
            name=name,
            project_id=project_id,
            args={"round": 5} if name == NEXT_BATCH else {},
            status=status,
            enqueued_at=NOW,
            finished_at=NOW if status in ("done", "failed", "cancelled") else None,
            **values,
        )
        session.add(job)
        return job.id


def told(services: Services, project_id: int) -> tuple[str, str]:
    with services.database.reading() as session:
        found = OverviewService(session, services.clock, services.settings).loop(project_id)
    return found.state, str(found.reason)


def test_what_is_missing_for_the_next_training(services: Services, quiet: int) -> None:
    state, reason = told(services, quiet)
    assert state == "labelling"
    assert "50 new labels" in reason
    assert "13 tasks still open" in reason


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        (RETRAIN, "queued", "trained as soon as a worker is free"),
        (PUSH, "running", "being pushed"),
        (NEXT_BATCH, "waiting", "what is needed is away"),
    ],
)
def test_what_is_at_work(
    services: Services, quiet: int, name: str, status: str, words: str
) -> None:
    add_job(services, quiet, name, status)
    state, reason = told(services, quiet)
    assert state == "at work"
    assert words in reason


def test_a_cancelled_batch_can_be_started_again_on_the_page(
    services: Services, quiet: int, browser_as: ClientAs
) -> None:
    job_id = add_job(services, quiet, NEXT_BATCH, "cancelled")
    lead = browser_as("lead")
    page = lead.get(f"/projects/{quiet}").text
    assert "The batch was cancelled" in page
    part = lead.get(f"/projects/{quiet}/loop", headers={"HX-Request": "true"}).text
    assert part.strip() in page
    assert "Start the batch again" in part
    assert "重新开始该批次" in lead.get(f"/projects/{quiet}?lang=zh").text
    token = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page)
    assert token
    form = {"csrf_token": token[1], "back": "project"}
    assert lead.post(f"/jobs/{job_id}/retry", data=form).status_code == 303
    assert told(services, quiet)[0] == "at work"
    viewer = browser_as("viewer").get(f"/projects/{quiet}").text
    assert "Start the batch again" not in viewer


def test_a_failure_is_told_with_its_error(services: Services, quiet: int) -> None:
    add_job(services, quiet, RETRAIN, "failed", error="Traceback …\nStorageFull: no space left.")
    state, reason = told(services, quiet)
    assert state == "stopped"
    assert reason.endswith("StorageFull: no space left.")


def test_why_nothing_was_trained_is_told_everywhere(
    services: Services,
    quiet: int,
    client_as: ClientAs,
    browser_as: ClientAs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = {"trained": False, "why": NOTHING.as_json()}
    add_job(services, quiet, RETRAIN, "done", result=result)
    report = client_as("viewer").get(f"/api/v1/status/projects/{quiet}").json()["loop"]
    assert report["nothing_trained"]["reason"] == str(NOTHING)
    viewer = browser_as("viewer")
    assert str(NOTHING) in viewer.get(f"/projects/{quiet}").text
    assert "所有标签都是同一个等级" in viewer.get(f"/projects/{quiet}?lang=zh").text
    monkeypatch.setattr("backend.bootstrap.open_services", lambda: services)
    shown = " ".join(CliRunner().invoke(app, ["status"]).output.replace("│", " ").split())
    assert str(NOTHING) in shown
    assert "loop labelling" in shown


def test_a_model_version_that_came_later_ends_the_telling(services: Services, quiet: int) -> None:
    result = {"trained": False, "why": NOTHING.as_json()}
    add_job(services, quiet, RETRAIN, "done", result=result)
    with services.database.transaction() as session:
        job = session.exec(select(Job)).one()
        job.finished_at = NOW - timedelta(hours=5)
        session.add(job)
    with services.database.reading() as session:
        found = OverviewService(session, services.clock, services.settings).loop(quiet)
    assert found.nothing_trained is None


def test_a_project_without_a_batch_is_started_on_its_page(
    services: Services, quiet: int, browser_as: ClientAs
) -> None:
    with services.database.transaction() as session:
        made = ProjectsService(session, services.clock).create(
            ProjectCreate(name="Fresh", dataset="Shop catalogue records"), actor="test"
        )
    assert told(services, made.id)[0] == "not started"
    engineer: TestClient = browser_as("engineer")
    page = engineer.get(f"/projects/{made.id}").text
    assert "Choose the first batch" in page
    token = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page)
    assert token
    form = {"csrf_token": token[1]}
    answer = engineer.post(f"/projects/{made.id}/next-batch", data=form)
    assert "The batch is being chosen." in engineer.get(answer.headers["location"]).text
    with services.database.reading() as session:
        assert [job.name for job in list_recent(session, project_id=made.id)] == [NEXT_BATCH]
        assert session.get_one(Project, made.id).label_studio_project_id is None
