"""Findings over HTTP and on the command line."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend import bootstrap
from backend.cli import app as cli
from backend.core.services import Services
from backend.suspected_labels.export import export
from backend.suspected_labels.schemas import LabelFindingPublic
from tests.backend.conftest import ClientAs
from tests.backend.suspected_labels.conftest import is_wrong
from tests.backend.training.loop import Loop


def path_of(loop: Loop) -> str:
    return f"/api/v1/projects/{loop.project_id}/label-findings"


def test_leads_page_through_all(loop: Loop, client_as: ClientAs) -> None:
    lead, seen, offset = client_as("lead"), [], 0
    while offset is not None:
        answer = lead.get(path_of(loop), params={"kind": "all", "offset": offset, "limit": 25})
        assert answer.status_code == 200
        page = answer.json()
        seen += [item["task_id"] for item in page["items"]]
        offset = page["next_offset"]
    assert len(seen) == len(set(seen)) == page["total"] == 60
    first = lead.get(path_of(loop), params={"limit": 1}).json()
    assert first["model_version"] == 1
    assert is_wrong(first["items"][0]["external_id"])


def test_roles_and_unknown_projects(loop: Loop, client_as: ClientAs) -> None:
    engineer, lead = client_as("engineer"), client_as("lead")
    assert engineer.get(path_of(loop)).status_code == 403
    assert engineer.get(f"{path_of(loop)}/export").status_code == 403
    assert engineer.post(path_of(loop)).status_code == 403
    assert lead.get("/api/v1/projects/99/label-findings").status_code == 404
    assert lead.get(path_of(loop), params={"limit": 0}).status_code == 422
    assert lead.post(path_of(loop)).json() == {"job_id": None}


def test_the_export_holds_every_label(loop: Loop, client_as: ClientAs) -> None:
    lead = client_as("lead")
    answer = lead.get(f"{path_of(loop)}/export")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 60
    assert rows[0]["is_suspect"] == "True"
    assert rows[0]["answers"].endswith(rows[0]["grade"])
    lines = lead.get(f"{path_of(loop)}/export", params={"format": "jsonl", "kind": "suspects"})
    assert all(json.loads(line)["is_suspect"] for line in lines.text.splitlines())


def test_formulas_are_not_exported_as_such() -> None:
    example = LabelFindingPublic.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index,call-overload]
    finding = LabelFindingPublic.model_validate({**example, "external_id": "=1+1"})
    (data,) = export([finding], "csv")
    assert "'=1+1" in data.decode("utf-8-sig")


@pytest.fixture
def run(services: Services, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Commands on the loop's store."""
    monkeypatch.setattr(bootstrap, "open_services", lambda: services)
    return CliRunner()


def test_commands(loop: Loop, run: CliRunner, tmp_path: Path) -> None:
    found = json.loads(run.invoke(cli, ["labels", "suspects", "Shop", "--json"]).output)
    assert found["total"] == len(found["items"]) >= 3
    assert "is the most probable other label" in " ".join(
        run.invoke(cli, ["labels", "suspects", "Shop"], env={"COLUMNS": "250"}).output.split()
    )
    assert "--offset 3" in run.invoke(cli, ["labels", "relabel", "Shop", "--limit", "3"]).output
    value = run.invoke(cli, ["labels", "value", "Shop"]).output
    assert "held-out accuracy" in " ".join(value.split())
    kept = json.loads(
        run.invoke(
            cli, ["labels", "value", "Shop", "--kind", "important", "--limit", "2", "--json"]
        ).output
    )
    assert {item["value_group"] for item in kept["items"]} <= {"important"}
    for name, lines in (("all.csv", 61), ("all.jsonl", 60)):
        assert run.invoke(cli, ["labels", "export", "Shop", str(tmp_path / name)]).exit_code == 0
        assert len((tmp_path / name).read_text(encoding="utf-8").splitlines()) == lines
    assert run.invoke(cli, ["labels", "export", "Shop", str(tmp_path / "all.xml")]).exit_code != 0
    assert "judged already" in run.invoke(cli, ["labels", "assess", "Shop"]).output


def test_training_by_value_is_asked_for_by_command(loop: Loop, run: CliRunner) -> None:
    asked = run.invoke(cli, ["models", "train", "Shop", "--weights", "value"])
    assert asked.exit_code == 0, asked.output
    loop.run()
    assert loop.versions[-1].metrics["label_weights"] == "value"
    assert run.invoke(cli, ["models", "train", "Shop", "--weights", "luck"]).exit_code == 2


def test_training_by_value_is_asked_for_over_http(loop: Loop, client_as: ClientAs) -> None:
    path = f"/api/v1/projects/{loop.project_id}/retrain"
    engineer = client_as("engineer")
    assert engineer.post(path, params={"weights": "luck"}).status_code == 422
    assert engineer.post(path, params={"weights": "value"}).status_code == 202
    loop.run()
    assert loop.versions[-1].metrics["label_weights"] == "value"
