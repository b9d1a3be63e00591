"""What is published is what annotators read in Label Studio, also after it was away."""

from pathlib import Path

import pytest
from sqlmodel import select

from backend.bootstrap import build_registry
from backend.core.services import Services
from backend.core.settings import Settings
from backend.guidelines.schemas import GuidelineDraft, Rule
from backend.guidelines.service import Guidelines
from backend.jobs.inline import InlineRunner
from backend.label_studio.connection import connect
from backend.models import Dataset, Job, Project
from backend.projects.schemas import ProjectCreate
from backend.projects.service import ProjectsService
from labeling.label_schema import LabelSchema
from labeling.label_studio.server import LabelStudioServer
from tests.e2e.stack import SECRET
from tests.fixtures.label_studio import on_another_port

pytestmark = [pytest.mark.e2e, pytest.mark.label_studio]

SCHEMA = LabelSchema.default(["title"]).model_copy(update={"instructions_en": "Look twice."})


def services_on(server: LabelStudioServer, store_url: str, data_dir: Path) -> Services:
    return Services.from_settings(
        Settings(
            data_dir=data_dir,
            database_url=store_url,
            webhook_secret=SECRET,  # type: ignore[arg-type]
            label_studio_url=server.url,
            label_studio_token=server.token,  # type: ignore[arg-type]
            encoder="characters",
        )
    )


def seed(services: Services, name: str) -> Project:
    with services.database.transaction() as session:
        session.add(
            Dataset(name=name, kind="product", fields=["title"], created_at=services.clock())
        )
        session.flush()
        return ProjectsService(session, services.clock).create(
            ProjectCreate(name=name, dataset=name, label_schema=SCHEMA.model_dump(mode="json")),
            actor="test",
        )


def publish(services: Services, project: Project, text: str) -> int:
    with services.database.transaction() as session:
        guidelines = Guidelines(session, services.clock)
        newest = guidelines.newest(project).version
        rules = [Rule(name="currency", about="title", text="Prices are in euro.")]
        draft = GuidelineDraft(text=text, rules=rules, change="new words", based_on=newest)
        guidelines.save(project, draft, author="lead@example.org")
        project = ProjectsService(session, services.clock).get(project.id)
        return guidelines.publish(project, newest + 1, actor="lead@example.org").version


def run(services: Services) -> list[str]:
    """Status of every job that shows a guideline, oldest first, after those due were run."""
    runner = InlineRunner(services.database, build_registry(services), services.clock)
    runner.run_pending(skip_waiting_time=True)
    with services.database.reading() as session:
        jobs = session.exec(select(Job).where(Job.name == "guidelines.show")).all()
    return [job.status for job in sorted(jobs, key=lambda job: job.enqueued_at)]


def test_a_project_gets_the_guideline_that_counts_and_every_one_after_it(
    label_studio: LabelStudioServer, sqlite_url: str, tmp_path: Path
) -> None:
    services = services_on(label_studio, sqlite_url, tmp_path)
    client = services.label_studio
    project = seed(services, "Guideline")
    publish(services, project, "**Before** it is there. <script>alert(1)</script>")
    assert run(services) == [], "nobody is shown anything yet"
    place = connect(services, project.id)
    held = client.get_project(place)
    assert held["show_instruction"] is True
    assert "<strong>Before</strong>" in held["expert_instruction"]
    assert "<script" not in held["expert_instruction"]
    assert "Prices are in euro." in held["expert_instruction"]

    away = services_on(on_another_port(label_studio), sqlite_url, tmp_path)
    away.settings.label_studio_timeout_seconds = 1
    publish(away, project, "While it is away.")
    assert run(away) == ["waiting"]
    assert "Before" in client.get_project(place)["expert_instruction"]

    publish(services, project, "The last words.")
    assert run(services) == ["done", "done"]
    assert "The last words." in client.get_project(place)["expert_instruction"]
    with services.database.reading() as session:
        jobs = session.exec(select(Job).where(Job.name == "guidelines.show")).all()
    results = [job.result for job in jobs]
    assert {"version": 4, "changed": True} in results
    assert {"version": 4, "changed": False} in results, "a repeat changes nothing"

    client.update_project(place, {"expert_instruction": "changed by hand"})
    with services.database.transaction() as session:
        guidelines = Guidelines(session, services.clock)
        held_project = ProjectsService(session, services.clock).get(project.id)
        guidelines.publish(held_project, 1, actor="lead@example.org")
    run(services)
    assert client.get_project(place)["expert_instruction"].strip() == "<p>Look twice.</p>"
    client.delete_project(place)


def test_a_guideline_published_while_the_project_is_made_is_not_lost(
    label_studio: LabelStudioServer,
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = services_on(label_studio, sqlite_url, tmp_path)
    client = services.label_studio
    project = seed(services, "Guideline race")
    create = client.create_project

    def create_slowly(**values: object) -> int:
        made = create(**values)  # type: ignore[arg-type]
        publish(services, project, "Published meanwhile.")
        return made

    monkeypatch.setattr(client, "create_project", create_slowly)
    place = connect(services, project.id)
    assert "Look twice." in client.get_project(place)["expert_instruction"]
    assert run(services) == ["done"]
    assert "Published meanwhile." in client.get_project(place)["expert_instruction"]
    client.delete_project(place)
