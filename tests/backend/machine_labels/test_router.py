"""Machine labels over HTTP, on the pages and on the command line."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from backend.cli import app as cli
from backend.core.exceptions import InvalidInput
from backend.core.services import Services
from tests.backend.conftest import ClientAs
from tests.backend.machine_labels.store import accept_records
from tests.backend.overview.conftest import NOW
from tests.backend.overview.store import fill


@pytest.fixture
def project_id(services: Services) -> int:
    """A project without machine labels."""
    services.clock = lambda: NOW
    with services.database.transaction() as session:
        return fill(session, NOW)


@pytest.fixture
def accepted(services: Services, project_id: int) -> int:
    """The project, with 100 machine labels."""
    with services.database.transaction() as session:
        accept_records(session, project_id, NOW)
    return project_id


@pytest.fixture
def run(services: Services, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr("backend.bootstrap.open_services", lambda: services)
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


def _path(project_id: int, rest: str) -> str:
    return f"/api/v1/projects/{project_id}/{rest}"


class TestApi:
    def test_labels_are_paged_and_filtered(self, client_as: ClientAs, accepted: int) -> None:
        viewer = client_as("viewer")
        path = _path(accepted, "machine-labels")
        seen, after = [], 0
        while after is not None:
            page = viewer.get(path, params={"limit": 30, "after": after}).json()
            seen += page["labels"]
            after = page["after"]
        assert len({label["record_id"] for label in seen}) == len(seen) == 100
        assert {label["labelled_by"] for label in seen} == {"machine"}
        assert {label["model_version"] for label in seen} == {2}
        poor = viewer.get(path, params={"grade": "poor"}).json()["labels"]
        assert len(poor) == 25
        odd = viewer.get(path, params={"grade": "excellent"})
        assert odd.status_code == 422
        problem = odd.json()
        assert (problem["field"], problem["value"]) == ("grade", "excellent")
        assert "good" in problem["remedy"]

    def test_the_export_says_who_labelled_under_which_promise(
        self, client_as: ClientAs, accepted: int
    ) -> None:
        viewer = client_as("viewer")
        path = _path(accepted, "machine-labels/export")
        rows = list(csv.DictReader(io.StringIO(viewer.get(path).text.removeprefix("\ufeff"))))
        assert len(rows) == 100
        assert rows[0]["labelled_by"] == "machine"
        assert (rows[0]["model_version"], rows[0]["target_error"]) == ("2", "0.05")
        assert (rows[0]["certainty"], rows[0]["audits"]) == ("0.9", "412")
        lines = viewer.get(path, params={"format": "jsonl"}).text.splitlines()
        assert json.loads(lines[0])["labelled_by"] == "machine"
        assert json.loads(lines[0])["external_id"] == rows[0]["external_id"]

    def test_the_reason_is_told_in_the_language_that_is_asked_for(
        self, client_as: ClientAs, accepted: int
    ) -> None:
        viewer = client_as("viewer")

        def told(language: str) -> dict[str, Any]:
            headers = {"Accept-Language": language}
            answer = viewer.get(_path(accepted, "acceptances"), headers=headers)
            found: dict[str, Any] = answer.json()[0]
            return found

        english, chinese = told("en"), told("zh-CN,zh;q=0.9")
        assert english["reason"] == "At most 5 % wrong, with 90 % certainty, from 412 audits."
        assert chinese["reason"] == "错误率不超过 5%，可信度 90%，依据 412 条抽检。"
        assert told("xx")["reason"] == english["reason"]
        assert english["reason_message"] == chinese["reason_message"]
        assert english["reason_message"]["values"] == {"n": 412, "wrong": 5.0, "certain": 90.0}
        assert "reason_zh" not in english

    def test_only_a_lead_asks_and_withdraws(self, client_as: ClientAs, accepted: int) -> None:
        engineer, lead = client_as("engineer"), client_as("lead")
        assert engineer.post(_path(accepted, "acceptances")).status_code == 403
        answer = {"reason": "the supplier changed"}
        withdraw = _path(accepted, "acceptances/withdraw")
        assert engineer.post(withdraw, json=answer).status_code == 403
        assert lead.post(_path(accepted, "acceptances")).status_code == 202
        assert lead.post(withdraw, json={"reason": "x"}).status_code == 422
        done = lead.post(withdraw, json=answer)
        assert done.status_code == 201
        assert done.json()["state"] == "withdrawn"
        assert done.json()["evidence"]["withdrawn_by"] == "key:lead"
        assert lead.get(_path(accepted, "machine-labels")).json()["labels"] == []
        again = lead.post(withdraw, json=answer)
        assert again.status_code == 409
        assert "no machine labels to withdraw" in again.text
        states = [row["state"] for row in lead.get(_path(accepted, "acceptances")).json()]
        assert states == ["accepted", "withdrawn"]

    def test_without_a_promise_nobody_can_ask(self, client_as: ClientAs, project_id: int) -> None:
        problem = client_as("lead").post(_path(project_id, "acceptances"))
        assert problem.status_code == 409
        assert problem.json()["field"] == "policy.accept_error"
        assert "accept_error in the policy" in problem.json()["remedy"]

    def test_a_missing_project(self, client_as: ClientAs, project_id: int) -> None:
        viewer = client_as("viewer")
        for rest in ("acceptances", "machine-labels", "machine-labels/export"):
            assert viewer.get(_path(99, rest)).status_code == 404

    def test_status_says_how_many_and_why(self, client_as: ClientAs, accepted: int) -> None:
        viewer = client_as("viewer")
        status = viewer.get(_path(accepted, "machine-labels/status")).json()
        assert (status["state"], status["records"], status["drawn"]) == ("accepted", 100, 10)
        report = viewer.get("/api/v1/status").json()["projects"][0]
        assert report["machine_labels"] == status
        assert report["advice"]["state"] == "too early"


class TestPage:
    def test_numbers_and_promise_in_both_languages(
        self, browser_as: ClientAs, accepted: int
    ) -> None:
        browser = browser_as("viewer")
        page = browser.get(f"/projects/{accepted}").text
        assert "records labelled by machine" in page
        assert "At most 5 % wrong, with 90 % certainty, from 412 audits." in page
        assert "too early to say: 3 rounds and 12 audited records" in page
        assert "Withdraw the machine labels" not in page
        page = browser.get(f"/projects/{accepted}?lang=zh").text
        assert "错误率不超过 5%，可信度 90%，依据 412 条抽检。" in page
        assert "为时尚早" in page

    def test_without_a_promise_it_says_so(self, browser_as: ClientAs, project_id: int) -> None:
        page = browser_as("viewer").get(f"/projects/{project_id}").text
        assert "Every label is given by a person" in page

    def test_a_lead_withdraws(self, browser_as: ClientAs, accepted: int) -> None:
        lead = browser_as("lead")
        answer = lead.post(
            f"/projects/{accepted}/machine-labels/withdraw",
            data={"reason": "the supplier changed", "csrf_token": _token(lead, accepted)},
        )
        assert answer.status_code == 303
        page = lead.get(answer.headers["location"]).text
        assert "The machine labels are withdrawn." in page
        assert "the supplier changed" in page
        assert "records labelled by machine" not in page

    def test_a_viewer_does_not(self, browser_as: ClientAs, accepted: int) -> None:
        viewer = browser_as("viewer")
        form = {"reason": "because", "csrf_token": _token(viewer, accepted)}
        path = f"/projects/{accepted}/machine-labels/withdraw"
        assert viewer.post(path, data=form).status_code == 403


class TestCommands:
    def test_list_labels_and_withdraw(self, run: CliRunner, accepted: int) -> None:
        shown = run.invoke(cli, ["acceptance", "list", str(accepted)]).output
        assert "100 records are labelled by machine. At most 5 % wrong" in shown
        shown = run.invoke(cli, ["acceptance", "labels", str(accepted), "--limit", "5"]).output
        assert "SKU-10080" in shown
        assert "More: --after" in shown
        shown = run.invoke(cli, ["status"]).output
        assert "machine labels 100" in shown
        assert "advice: too early to say" in shown
        assert "Queued as" in run.invoke(cli, ["acceptance", "now", str(accepted)]).output
        done = run.invoke(cli, ["acceptance", "withdraw", str(accepted), "--reason", "new goods"])
        assert done.exit_code == 0, done.output
        shown = run.invoke(cli, ["acceptance", "labels", str(accepted)]).output
        assert "No machine labels here" in shown

    def test_export(self, run: CliRunner, accepted: int, tmp_path: Path) -> None:
        file = tmp_path / "labels.jsonl"
        run.invoke(cli, ["acceptance", "export", str(accepted), str(file)])
        assert len(file.read_text(encoding="utf-8").splitlines()) == 100
        refused = run.invoke(cli, ["acceptance", "export", str(accepted), "labels.xlsx"])
        assert isinstance(refused.exception, InvalidInput)
        assert ".jsonl" in str(refused.exception)

    def test_a_reason_is_asked_for(self, run: CliRunner, accepted: int) -> None:
        refused = run.invoke(cli, ["acceptance", "withdraw", str(accepted), "--reason", "x"])
        assert isinstance(refused.exception, InvalidInput)


def _token(browser: TestClient, project_id: int) -> str:
    found = re.search(
        r'name="csrf_token" value="([0-9a-f]{64})"', browser.get(f"/projects/{project_id}").text
    )
    assert found
    return found[1]
