"""Removals over HTTP and by command: leads only, and only with the name written once more."""

from pathlib import Path

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from backend.cli import app as commands
from backend.core.clock import utc_now
from backend.core.exceptions import Conflict, InvalidInput
from backend.core.services import Services
from backend.models import AuditEvent, Dataset, Job, Project
from backend.projects.schemas import ProjectCreate
from backend.projects.service import ProjectsService
from backend.records.schemas import RecordCreate
from backend.records.service import RecordsService
from tests.backend.conftest import ClientAs


@pytest.fixture
def shop(services: Services) -> Services:
    """A dataset with a record and a project that shows one of its two fields."""
    with services.database.transaction() as session:
        session.add(
            Dataset(name="shop", kind="p", fields=["title", "junk/x"], created_at=utc_now())
        )
        session.flush()
        record = RecordCreate("r1", "p", {"title": "a", "junk/x": 1}, "test")
        RecordsService(session, services.clock).upsert(1, [record])
        made = ProjectCreate.model_validate(
            {"name": "Shop", "dataset": "shop", "label_schema": {"fields": ["title"]}}
        )
        ProjectsService(session, services.clock).create(made, actor="test")
    return services


@pytest.mark.parametrize(
    "path",
    ["projects/1", "datasets/1", "datasets/1/fields/junk/x"],
)
def test_only_leads_take_away(shop: Services, client_as: ClientAs, path: str) -> None:
    refused = client_as("service").delete(f"/api/v1/{path}?confirm=x")
    assert refused.status_code == 403
    told = path if "fields" in path else f"{path}/removal"
    assert client_as("service").get(f"/api/v1/{told}").status_code == 403
    assert client_as("lead").delete(f"/api/v1/{path}").status_code == 422, "without the name"
    assert "nothing is deleted" in client_as("lead").delete(f"/api/v1/{path}?confirm=x").text


def test_what_goes_is_told_and_goes(shop: Services, client_as: ClientAs) -> None:
    lead = client_as("lead")
    told = lead.get("/api/v1/datasets/1/fields/junk/x").json()
    assert told == {"dataset": "shop", "field": "junk/x", "records": 1}
    assert lead.delete("/api/v1/datasets/1/fields/junk/x?confirm=junk/x").json() == told
    assert lead.get("/api/v1/datasets/1").json()["fields"] == ["title"]

    refused = lead.delete("/api/v1/datasets/1?confirm=shop")
    assert refused.status_code == 409
    assert "'Shop'" in refused.json()["detail"]

    told = lead.get("/api/v1/projects/1/removal").json()
    assert (told["project"], told["dataset"], told["tasks"]) == ("Shop", "shop", 0)
    done = lead.delete("/api/v1/projects/1?confirm=Shop&label_studio=delete")
    assert (done.status_code, done.json()) == (200, told)
    assert lead.get("/api/v1/projects/1").status_code == 404
    with shop.database.reading() as session:
        jobs = session.exec(select(Job).where(Job.name == "removal.clean_up")).all()
    assert [job.args["label_studio"]["keys"] for job in jobs] == [[]]

    told = lead.get("/api/v1/datasets/1/removal").json()
    assert told == {"dataset": "shop", "records": 1, "versions": 1, "imports": 0, "bytes": 0}
    assert lead.delete("/api/v1/datasets/1?confirm=shop").json() == told
    assert lead.get("/api/v1/datasets").json() == []
    with shop.database.reading() as session:
        deeds = [(row.actor, row.action) for row in session.exec(select(AuditEvent))]
    assert deeds[-3:] == [
        ("key:lead", "dataset.field_removed"),
        ("key:lead", "project.deleted"),
        ("key:lead", "dataset.deleted"),
    ]


@pytest.fixture
def command(shop: Services, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for place in ("backend.bootstrap", "backend.cli.datasets"):
        monkeypatch.setattr(f"{place}.open_services", lambda: shop)
    return CliRunner()


def test_the_command_says_what_goes_and_asks_for_the_name(
    shop: Services, command: CliRunner
) -> None:
    wrong = command.invoke(commands, ["projects", "delete", "Shop"], input="shop\n")
    assert isinstance(wrong.exception, InvalidInput)
    assert "Deleting 'Shop' cannot be undone" in wrong.output
    assert "answered records" in wrong.output
    with shop.database.reading() as session:
        assert session.exec(select(Project)).one().name == "Shop"
    done = command.invoke(commands, ["projects", "delete", "1"], input="Shop\n")
    assert done.exit_code == 0
    assert "Project 'Shop' is deleted" in done.output
    with shop.database.reading() as session:
        assert session.exec(select(Project)).all() == []


def test_datasets_and_fields_by_command(shop: Services, command: CliRunner, tmp_path: Path) -> None:
    kept = command.invoke(commands, ["datasets", "delete", "shop", "--confirm", "shop"])
    assert isinstance(kept.exception, Conflict)
    kept = command.invoke(commands, ["datasets", "remove-field", "shop", "title"])
    assert isinstance(kept.exception, Conflict)
    done = command.invoke(
        commands, ["datasets", "remove-field", "shop", "junk/x", "--confirm", "junk/x"]
    )
    assert done.exit_code == 0, done.exception
    with shop.database.reading() as session:
        assert session.exec(select(Dataset)).one().fields == ["title"]
    command.invoke(commands, ["projects", "delete", "Shop", "--confirm", "Shop"])
    done = command.invoke(commands, ["datasets", "delete", "shop", "--confirm", "shop"])
    assert "Dataset 'shop' is deleted." in done.output
