"""The lists of jobs: filter, cancel and try again, over pages and API."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from backend.core.services import Services
from backend.models import AuditEvent, Job
from tests.backend.conftest import ClientAs

ROW = re.compile(r'<tr id="job-([^"]+)"')


def token_of(page: str) -> dict[str, str]:
    found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page)
    assert found
    return {"csrf_token": found[1]}


@pytest.fixture
def engineer(project_id: int, browser_as: ClientAs) -> TestClient:
    return browser_as("engineer")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("status=failed", ["failed-1"]),
        ("name=training.retrain", ["done-1", "running-1"]),
        ("text=UTF-8", ["failed-1"]),
        ("text=60+labels", ["running-1"]),
        ("text=100%25", []),
        ("project_id=2", []),
        ("status=&name=&project_id=&text=", 6),
        ("project_id=1&status=done", ["done-1"]),
    ],
)
def test_the_list_is_filtered_by_its_address(
    engineer: TestClient, query: str, shown: list[str] | int
) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        page = engineer.get(f"/jobs?{query}", headers=headers).text
        found = sorted(ROW.findall(page))
        assert found == shown if isinstance(shown, list) else len(found) == shown
        assert ("No job fits." in page) == (shown == [])


def test_the_filter_shows_what_is_chosen(engineer: TestClient) -> None:
    page = engineer.get("/jobs?status=failed&name=training.retrain&text=a%22b").text
    assert '<option value="failed" selected>failed</option>' in page
    assert '<option value="training.retrain" selected>Retrain</option>' in page
    assert 'value="a&#34;b"' in page
    assert engineer.get("/jobs?status=odd").status_code == 422


def test_a_page_that_is_gone_back_to_is_whole(engineer: TestClient) -> None:
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in engineer.get("/jobs?status=failed", headers=headers).text


def test_a_failed_job_is_tried_again_from_the_project_s_page(
    engineer: TestClient, services: Services, project_id: int
) -> None:
    path = f"/projects/{project_id}"
    page = engineer.get(path).text
    assert page.index('class="curve"') < page.index('id="jobs"'), "jobs stand below the curve"
    assert 'action="/jobs/failed-1/retry"' in page
    assert 'action="/jobs/done-1/retry"' not in page
    answer = engineer.post("/jobs/failed-1/retry", data={**token_of(page), "back": "project"})
    assert answer.headers["location"] == f"{path}?notice=retried"
    page = engineer.get(answer.headers["location"]).text
    assert "The job is queued anew." in page
    assert 'action="/jobs/failed-1/retry"' not in page
    with services.database.reading() as session:
        anew = session.exec(select(Job).where(Job.status == "queued")).all()
        event = session.exec(select(AuditEvent).where(AuditEvent.action == "job.retried")).one()
    assert "ingestion.import" in {job.name for job in anew}
    assert (event.actor, event.subject) == ("engineer@example.org", "job:failed-1")
    assert event.detail["job"] in {job.id for job in anew}


def test_viewers_see_no_buttons_and_may_not(browser_as: ClientAs, project_id: int) -> None:
    viewer = browser_as("viewer")
    page = viewer.get("/jobs").text
    assert "/retry" not in page
    assert viewer.post("/jobs/failed-1/retry", data=token_of(page)).status_code == 403


class TestApi:
    def test_a_retry_is_made_once_and_noted_once(
        self, client_as: ClientAs, services: Services, project_id: int
    ) -> None:
        client = client_as("engineer")
        made = client.post("/api/v1/jobs/failed-1/retry")
        assert made.status_code == 202
        assert (made.json()["status"], made.json()["name"]) == ("queued", "ingestion.import")
        assert client.post("/api/v1/jobs/failed-1/retry").json()["id"] == made.json()["id"]
        assert client.get("/api/v1/jobs/failed-1").json()["retried_as"] == made.json()["id"]
        with services.database.reading() as session:
            noted = session.exec(
                select(AuditEvent).where(col(AuditEvent.action) == "job.retried")
            ).all()
        assert len(noted) == 1

    @pytest.mark.parametrize(
        ("job_id", "status"), [("done-1", 409), ("running-1", 409), ("nothing", 404)]
    )
    def test_what_cannot_be_tried_again(
        self, client_as: ClientAs, project_id: int, job_id: str, status: int
    ) -> None:
        answer = client_as("engineer").post(f"/api/v1/jobs/{job_id}/retry")
        assert answer.status_code == status
        assert answer.json()["remedy"]

    def test_the_list_is_filtered(self, client_as: ClientAs, project_id: int) -> None:
        client = client_as("viewer")

        def ids(**wanted: str) -> list[str]:
            return [job["id"] for job in client.get("/api/v1/jobs", params=wanted).json()]

        assert ids(text="utf-8") == ["failed-1"]
        assert ids(name="labeling.sync") == ["waiting-1"]

    def test_a_cancel_is_noted_like_that_of_the_page(
        self, client_as: ClientAs, services: Services, project_id: int
    ) -> None:
        client_as("engineer").post("/api/v1/jobs/running-1/cancel")
        with services.database.reading() as session:
            event = session.exec(select(AuditEvent).where(AuditEvent.subject == "job:running-1"))
            assert event.one().action == "job.cancel_requested"
