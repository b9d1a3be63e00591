import re

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from backend.core.services import Services
from backend.models import Job, Promotion
from tests.backend.conftest import ClientAs


@pytest.fixture
def viewer(project_id: int, browser_as: ClientAs) -> TestClient:
    return browser_as("viewer")


def test_the_start_page_without_projects_says_how_to_begin(browser_as: ClientAs) -> None:
    page = browser_as("viewer").get("/").text
    assert "No projects yet" in page
    assert "Ask somebody with the role engineer or lead" in page
    assert 'href="/docs"' in browser_as("engineer").get("/").text
    assert "No worker is running" in page


def test_the_start_page_lists_projects(viewer: TestClient) -> None:
    page = viewer.get("/").text
    assert 'href="/projects/1"' in page
    assert "Shop catalogue" in page
    assert "Current batch: 8 of 20 labelled" in page
    assert 'href="http://label-studio.example/projects/7/data?labeling=1"' in page
    assert "No worker is running" not in page


def test_the_project_page_tells_it_all(viewer: TestClient, project_id: int) -> None:
    page = viewer.get(f"/projects/{project_id}").text
    for words in (
        'href="http://label-studio.example/projects/7/data?labeling=1"',
        "SKU-10068",
        "hesitates between fair and poor",
        "79.0 % against 71.0 % on the same 8 audit records.",
        "v2 stays champion against v3",
        "paraphrase-multilingual-MiniLM-L12-v2",
        "李明",
        "synced 12 s ago",
        "webhook events waiting: 1",
        "α 0.64",
    ):
        assert words in page, words
    assert page.count("<circle") == 3
    assert page.count('class="mark champion"') == 1
    assert re.search(r"v2</a> <span class=\"badge good\">champion</span>", page)


def test_accuracy_is_that_on_new_records_with_its_interval(
    viewer: TestClient, project_id: int
) -> None:
    for language, name in (("en", "accuracy on new records"), ("zh", "新记录上的准确率")):
        viewer.cookies.set("assay_language", language)
        for path in ("/", f"/projects/{project_id}"):
            page = viewer.get(path).text
            figure = re.search(
                rf"<b>(79\.0 %)</b>\s*<span>{name}</span>(.*?)</div>", page, re.DOTALL
            )
            assert figure, (path, language)
            assert "69.0 – 87.0 %" in figure[2]
        assert not re.search(r"(?i)>\s*(accuracy|准确率)\s*<", page)


def test_the_page_is_the_fragment_that_htmx_polls(viewer: TestClient, project_id: int) -> None:
    for path in ("/", f"/projects/{project_id}", "/jobs"):
        whole = viewer.get(path).text
        part = viewer.get(path, headers={"HX-Request": "true"}).text
        assert f'hx-get="{path}" hx-trigger="every 2s"' in whole
        assert "<html" in whole
        assert "<html" not in part
        assert part.strip() in whole
    for path in ("/", f"/projects/{project_id}/jobs", "/jobs"):
        part = viewer.get(path, headers={"HX-Request": "true"}).text
        assert "training on 60 labels" in part
        assert 'value="0.620"' in part


def test_every_link_and_file_of_the_pages_exists(viewer: TestClient, project_id: int) -> None:
    for path in ("/", f"/projects/{project_id}", "/jobs", "/docs", "/login"):
        page = viewer.get(path).text
        for address in set(re.findall(r'(?:href|src|data-openapi)="([^"]*)"', page)):
            if address.startswith("http://label-studio.example"):
                continue
            if address.startswith("#"):
                assert f'id="{address[1:]}"' in page
                continue
            assert address.startswith("/"), f"{path} loads {address} from outside"
            answer = viewer.get(address.replace("&amp;", "&"))
            assert answer.status_code == 200, f"{path} links to {address}"


def test_pages_need_no_inline_script_or_style(viewer: TestClient, project_id: int) -> None:
    for path in ("/", f"/projects/{project_id}", "/jobs", "/docs", "/login"):
        page = viewer.get(path).text
        assert not re.search(r"<script(?![^>]*src=)", page)
        assert not re.search(r"\s(style|on\w+)=\"", page)
        assert "<style" not in page


def test_text_from_outside_is_escaped(
    viewer: TestClient, services: Services, project_id: int
) -> None:
    with services.database.transaction() as session:
        job = session.exec(select(Job).where(Job.status == "running")).one()
        job.message = "<script>alert(1)</script>"
    page = viewer.get("/jobs").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_missing_project_is_a_page_for_people_and_a_problem_for_programs(
    viewer: TestClient, client_as: ClientAs
) -> None:
    page = viewer.get("/projects/99")
    assert page.status_code == 404
    assert "There is no project 99." in page.text
    problem = client_as("viewer").get("/api/v1/status/projects/99")
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["value"] == 99


class TestButtons:
    def test_a_viewer_sees_and_may_do_nothing(self, viewer: TestClient, project_id: int) -> None:
        page = viewer.get(f"/projects/{project_id}").text
        assert "Retrain now" not in page
        assert "Roll back" not in page
        token = {"csrf_token": _token(page)}
        for path in (f"/projects/{project_id}/retrain", "/jobs/running-1/cancel"):
            assert viewer.post(path, data=token).status_code == 403

    def test_an_engineer_retrains(
        self, browser_as: ClientAs, services: Services, project_id: int
    ) -> None:
        browser = browser_as("engineer")
        path = f"/projects/{project_id}"
        page = browser.get(path).text
        assert "Roll back" not in page
        answer = browser.post(f"{path}/retrain", data={"csrf_token": _token(page)})
        assert answer.status_code == 303
        assert "Retraining is queued." in browser.get(answer.headers["location"]).text
        with services.database.reading() as session:
            queued = session.exec(select(Job).where(Job.status == "queued")).all()
        assert ("training.retrain", project_id) in {(job.name, job.project_id) for job in queued}

    def test_an_engineer_cancels(
        self, browser_as: ClientAs, services: Services, project_id: int
    ) -> None:
        browser = browser_as("engineer")
        token = _token(browser.get("/jobs").text)
        answer = browser.post("/jobs/running-1/cancel", data={"csrf_token": token})
        assert answer.status_code == 303
        assert "stopping …" in browser.get("/jobs").text
        with services.database.reading() as session:
            assert session.get_one(Job, "running-1").cancel_requested

    def test_a_lead_rolls_back(
        self, browser_as: ClientAs, services: Services, project_id: int
    ) -> None:
        browser = browser_as("lead")
        path = f"/projects/{project_id}"
        form = {"number": "1", "reason": "v2 grades ads too low", "csrf_token": ""}
        form["csrf_token"] = _token(browser.get(path).text)
        answer = browser.post(f"{path}/rollback", data=form)
        assert answer.status_code == 303
        page = browser.get(answer.headers["location"]).text
        assert "v2 grades ads too low" in page
        with services.database.reading() as session:
            last = session.exec(select(Promotion).where(Promotion.project_id == project_id)).all()
        assert (last[-1].kind, last[-1].decided_by) == ("rolled_back", "lead@example.org")
        again = browser.post(f"{path}/rollback", data=form)
        assert again.status_code == 409
        assert "already" in again.text


class TestApi:
    def test_status(self, client_as: ClientAs, project_id: int) -> None:
        report = client_as("viewer").get("/api/v1/status").json()
        assert report["projects"][0]["annotations"]["current"] == 66
        assert report["projects"][0]["rounds"][1]["accuracy"]["value"] == 0.79
        assert report["job_counts"]["failed"] == 1

    def test_jobs(self, client_as: ClientAs, project_id: int) -> None:
        client = client_as("engineer")
        failed = client.get("/api/v1/jobs", params={"status": "failed"}).json()
        assert [job["id"] for job in failed] == ["failed-1"]
        assert client.get("/api/v1/jobs", params={"status": "odd"}).status_code == 422
        cancelled = client.post("/api/v1/jobs/running-1/cancel")
        assert cancelled.status_code == 202
        assert cancelled.json()["cancel_requested"] is True

    def test_queue(self, client_as: ClientAs, project_id: int) -> None:
        client = client_as("viewer")
        path = f"/api/v1/status/projects/{project_id}/queue"
        assert len(client.get(path, params={"limit": 3}).json()) == 3
        assert client.get("/api/v1/status/projects/99/queue").status_code == 404


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]
