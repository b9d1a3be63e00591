import json

import pytest
from typer.testing import CliRunner

from backend import bootstrap
from backend.cli import app
from tests.backend.review.conftest import Desk


@pytest.fixture
def run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr(bootstrap, "open_services", lambda: desk.services)
    return CliRunner()


def test_cases_are_refreshed_and_listed(desk: Desk, run: CliRunner) -> None:
    ana, bo = desk.people("Ana", "Bo")
    desk.answer(1, ana, "good")
    desk.answer(1, bo, "poor")
    assert "1 opened" in run.invoke(app, ["review", "refresh", "Shop"]).output
    found = json.loads(run.invoke(app, ["review", "list", "Shop", "--json"]).output)
    assert [item["external_id"] for item in found["items"]] == ["r1"]
    shown = run.invoke(app, ["review", "list", "Shop", "--state", "all"]).output
    assert "r1" in shown
    assert "tie" in shown
    assert "0 cases" in run.invoke(app, ["review", "list", "Shop", "--reason", "issue:"]).output


def test_an_unknown_state_is_named(desk: Desk, run: CliRunner) -> None:
    assert desk.project_id
    failed = run.invoke(app, ["review", "list", "Shop", "--state", "lost"])
    assert failed.exit_code != 0
    assert "lost" in str(failed.exception or failed.output)


def test_an_unknown_reason_is_named(desk: Desk, run: CliRunner) -> None:
    assert desk.project_id
    failed = run.invoke(app, ["review", "list", "Shop", "--reason", "mood"])
    assert failed.exit_code != 0
    assert "mood" in str(failed.exception or failed.output)
