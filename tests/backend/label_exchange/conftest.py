"""A labelled project with gold, consensus, ties, skips and deletions; and an empty store."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from backend.core.database import Database
from backend.core.services import Services
from backend.core.settings import Settings
from backend.label_exchange.formats import file_pieces
from backend.label_exchange.schemas import ExportRequest
from backend.label_exchange.service import Exports
from backend.loop.revision_repository import current_revisions
from backend.models import Annotator, Guideline, Prediction, Project, Record, Task
from backend.projects.service import ProjectsService, label_schema_of
from backend.records.schemas import RecordCreate
from backend.records.service import RecordsService
from backend.review.decisions import Decisions
from backend.review.schemas import DecisionRequest
from tests.backend.annotations.conftest import NOW, seeded
from tests.backend.review.conftest import Desk, desk, new_desk, services
from tests.fixtures.database import sqlite_url
from tests.fixtures.model_version import model_version

__all__ = ["desk", "new_desk", "seeded", "services", "sqlite_url"]

ON_SQLITE = pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
"""For what does not depend on the database."""
ADA, BO = "ada@example.org", "bo@example.org"


@pytest.fixture
def labelled(desk: Desk) -> Desk:
    """Ada and Bo answered: tasks 1 to 4 alike, 5 tied, 6 decided, 7 ambiguous, 8 skipped."""
    ada, bo = desk.people("Ada", "Bo")
    tasks = task_ids(desk)
    for task in tasks[:4]:
        for person in (ada, bo):
            desk.answer(task, person, "poor", issues=["wrong_value"], fields=["price"])
    for task in tasks[4:7]:
        desk.answer(task, ada, "good")
        desk.answer(task, bo, "poor", issues=["duplicate"])
    desk.answer(tasks[7], ada, None, skipped=True)
    gone = desk.answer(tasks[8], ada, "good")
    desk.answer(tasks[8], ada, "good", deleted=True, annotation_id=gone, revision=2)
    desk.answer(tasks[9], None, "fair")  # deleted in Label Studio
    desk.refresh()
    decide(desk, tasks[5], action="decide", grade="fair", issues=["duplicate"], reason="seen it")
    decide(desk, tasks[6], action="ambiguous", soft_label={"good": 0.5, "poor": 0.5})
    return desk


def task_ids(desk: Desk) -> list[int]:
    """Tasks in the order of their ids."""
    with desk.services.database.reading() as session:
        rows = session.exec(select(Task.id).order_by(col(Task.id)))
        return [row for row in rows if row is not None]


def decide(desk: Desk, task_id: int, **request: Any) -> None:
    """Lea decides the task's case."""
    case = desk.cases()[task_id]
    desk.clock.advance(1)
    with desk.services.database.transaction() as session:
        Decisions(session, desk.clock).decide(
            desk.project,
            case.id,
            DecisionRequest(version=case.version, **request),
            author="lea@example.org",
        )


def change_record(desk: Desk, task_id: int) -> None:
    """The task's record has another price now."""
    with desk.services.database.transaction() as session:
        record = session.exec(
            select(Record)
            .join(Task, col(Task.record_id) == col(Record.id))
            .where(Task.id == task_id)
        ).one()
        RecordsService(session, desk.clock).upsert(
            record.dataset_id,
            [
                RecordCreate(
                    record.external_id, record.kind, {**record.fields, "price": 99}, "later"
                )
            ],
        )


def suggest(desk: Desk, task_ids_shown: list[int]) -> None:
    """A model version's suggestion was pushed with these tasks; a guideline was published."""
    with desk.services.database.transaction() as session:
        version = model_version(desk.project_id, 4)
        session.add(version)
        session.flush()
        for task_id in task_ids_shown:
            session.add(
                Prediction(
                    task_id=task_id,
                    model_version_id=version.id,
                    grade="good",
                    score=0.9,
                    grade_probabilities={"good": 0.9},
                    issue_probabilities={},
                    field_probabilities={},
                    created_at=NOW,
                )
            )
        session.add(
            Guideline(
                project_id=desk.project_id,
                version=2,
                author="lea",
                created_at=NOW,
                published_at=NOW,
            )
        )


def exported(desk: Desk, **request: Any) -> bytes:
    """The file that the request asks for."""
    wanted = ExportRequest(**request)
    with desk.services.database.reading() as session:
        exports = Exports.at_one_moment(session, desk.clock, desk.project)
        schema = label_schema_of(desk.project)
        fields = list(exports.dataset.fields)
        return b"".join(file_pieces(exports.rows(wanted), wanted, fields, schema))


def rows(desk: Desk, **request: Any) -> dict[str, dict[str, Any]]:
    """External id to its row."""
    lines = exported(desk, **request).decode().splitlines()
    return {row["external_id"]: row for row in map(json.loads, lines)}


@pytest.fixture
def elsewhere(sqlite_template: Path, tmp_path: Path) -> Iterator[Services]:
    """Services over another store, which is empty."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    path = folder / "other.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    yield Services(settings=Settings(data_dir=folder), database=database)
    database.dispose()


def find_project(services: Services, name: str) -> Project:
    """The project of that name."""
    with services.database.reading() as session:
        return ProjectsService(session, services.clock).find(name)


def answers_in(services: Services, project: Project) -> list[tuple[Any, ...]]:
    """Every present answer: record, person, what was said; without ids."""
    with services.database.reading() as session:
        people = {row.id: row.email for row in session.exec(select(Annotator))}
        records = dict(
            session.exec(
                select(Task.id, Record.external_id).join(
                    Record, col(Record.id) == col(Task.record_id)
                )
            ).all()
        )
        found = [
            (
                records[row.task_id],
                people.get(row.annotator_id) or "",
                row.grade or "",
                tuple(row.issues),
                tuple(row.faulty_fields),
                row.was_cancelled,
                row.rationale,
                tuple(sorted(row.corrected_values.items())),
            )
            for row in current_revisions(session, project.id)
        ]
    return sorted(found, key=str)
