from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from backend.core.database import Database
from backend.core.exceptions import Conflict, InvalidInput, NotFound
from backend.models import AuditEvent, Dataset, ModelVersion, Project, Promotion
from backend.registry.service import RegistryService
from backend.words import in_both

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def add_project(session: Session, name: str) -> int:
    dataset = Dataset(name=name, kind="product", fields=["title"], created_at=NOW)
    session.add(dataset)
    session.flush()
    project = Project(name=name, dataset_id=dataset.id, label_schema={}, policy={}, created_at=NOW)
    session.add(project)
    session.flush()
    return project.id


def register(session: Session, project_id: int, mark: str) -> ModelVersion:
    return registry_of(session).register(
        project_id,
        fingerprint=mark * 64,
        artifact=f"project-{project_id}/{mark}",
        encoder="characters",
        training_labels=10,
        audit_labels=3,
        metrics={},
    )


def registry_of(session: Session) -> RegistryService:
    return RegistryService(session, lambda: NOW)


def decide(session: Session, version: ModelVersion, *, promote: bool) -> Promotion:
    return registry_of(session).decide(
        version,
        promote=promote,
        reason=in_both("because", "因为"),
        evidence={"n": 3},
        decided_by="gate",
    )


def test_the_champion_is_the_latest_version_that_was_moved(database: Database) -> None:
    with database.transaction() as session:
        project_id = add_project(session, "shop")
        registry = registry_of(session)
        assert registry.champion(project_id) is None
        first = register(session, project_id, "a")
        decide(session, first, promote=True)
        second = register(session, project_id, "b")
        assert (second.number, second.parent_id) == (2, first.id)
        decide(session, second, promote=True)
        third = register(session, project_id, "c")
        kept = decide(session, third, promote=False)
        assert (kept.kind, kept.model_version_id, kept.challenger_id) == (
            "kept",
            second.id,
            third.id,
        )
        assert registry.champion(project_id) == second
        registry.rollback(project_id, 1, reason="too harsh", actor="ana")
        assert registry.champion(project_id) == first
    with database.reading() as session:
        kinds = [row.kind for row in registry_of(session).list_promotions(project_id)]
        events = session.exec(select(AuditEvent).order_by(col(AuditEvent.id))).all()
    assert kinds == ["promoted", "promoted", "kept", "rolled_back"]
    assert [(event.actor, event.action) for event in events] == [
        ("gate", "model.promoted"),
        ("gate", "model.promoted"),
        ("gate", "model.kept"),
        ("ana", "model.rolled_back"),
    ]


def test_projects_have_numbers_and_champions_of_their_own(database: Database) -> None:
    with database.transaction() as session:
        one, other = add_project(session, "one"), add_project(session, "other")
        decide(session, register(session, one, "a"), promote=True)
        version = register(session, other, "a")
        assert version.number == 1
        assert registry_of(session).champion(other) is None
        assert registry_of(session).find_by_fingerprint(other, "a" * 64) == version


def test_there_is_no_champion_to_keep_at_first(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        version = register(session, add_project(session, "shop"), "a")
        with pytest.raises(Conflict, match="no champion to keep"):
            decide(session, version, promote=False)


def test_rollback_names_what_is_wrong(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        project_id = add_project(session, "shop")
        decide(session, register(session, project_id, "a"), promote=True)
        registry = registry_of(session)
        with pytest.raises(Conflict, match="champion already") as conflict:
            registry.rollback(project_id, 1, reason="again", actor="ana")
        assert (conflict.value.field, conflict.value.value) == ("number", 1)
        with pytest.raises(NotFound, match=r"no model version 7.*versions are: 1"):
            registry.rollback(project_id, 7, reason="missing", actor="ana")
        with pytest.raises(InvalidInput, match="says nothing"):
            registry.rollback(project_id, 7, reason="  ", actor="ana")
        assert len(registry.list_promotions(project_id)) == 1


def test_decisions_of_the_same_moment_keep_their_order(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        project_id = add_project(session, "shop")
        for mark in "abc":
            row = decide(session, register(session, project_id, mark), promote=True)
            row.created_at = NOW - timedelta(days=row.id)  # a clock that runs backwards
        champion = registry_of(session).champion(project_id)
        assert champion is not None
        assert champion.number == 3
