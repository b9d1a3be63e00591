"""The migrations make exactly the tables of the models, on both databases, and undo them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlmodel import select

from backend.core.database import Database
from backend.core.exceptions import ConfigurationError, Unavailable
from backend.core.migrations import check, current_revision, downgrade, head_revision, upgrade
from backend.models import CaseReason, metadata
from backend.models.columns import Json
from backend.models.record_index import is_of_models

COMPARED = {"compare_type": True, "include_name": is_of_models}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'below' / 'assay.sqlite3'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


def tables(url: str) -> set[str]:
    database = Database(url)
    every = inspect(database.engine).get_table_names()
    names = {name for name in every if is_of_models(name, "table", {})}
    database.dispose()
    return names


def test_up_from_empty_down_and_up_again(empty_url: str) -> None:
    with pytest.raises(ConfigurationError, match="assay migrate"):
        check(empty_url)
    upgrade(empty_url)
    check(empty_url)
    upgrade(empty_url)
    assert tables(empty_url) == {*metadata.tables, "alembic_version"}

    downgrade(empty_url, "base")
    assert tables(empty_url) == {"alembic_version"}
    assert current_revision(empty_url) is None

    upgrade(empty_url)
    assert current_revision(empty_url) == head_revision()
    assert tables(empty_url) == {*metadata.tables, "alembic_version"}


def test_an_older_store_is_named_and_brought_up_to_date(empty_url: str) -> None:
    upgrade(empty_url, "0001")
    with pytest.raises(ConfigurationError, match=r"older migration 0001.*assay migrate"):
        check(empty_url)
    upgrade(empty_url)
    check(empty_url)


def test_models_and_migrations_do_not_drift(database: Database) -> None:
    with database.reading() as session:
        context = MigrationContext.configure(session.connection(), opts=COMPARED)
        assert compare_metadata(context, metadata) == []


def test_only_one_current_version_of_a_record_is_possible(database: Database) -> None:
    """The partial unique index is there, and partial."""
    (index,) = [
        index
        for index in inspect(database.engine).get_indexes("record")
        if index["name"] == "uq_record_current"
    ]
    assert index["unique"]
    assert index["column_names"] == ["dataset_id", "external_id"]
    where = index.get("dialect_options", {})
    assert any("is_current" in str(text) for key, text in where.items() if key.endswith("where"))


def test_a_store_of_a_newer_version_is_refused(migrated_url: str) -> None:
    database = Database(migrated_url)
    with database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = 'future'")
    database.dispose()
    for act in (check, upgrade):
        with pytest.raises(ConfigurationError, match=r"future.*newer version"):
            act(migrated_url)


def test_reading_the_version_does_not_wait_for_a_writer(sqlite_url: str) -> None:
    writer = Database(sqlite_url)
    with writer.transaction() as session:
        session.connection()
        check(sqlite_url)
    writer.dispose()


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "assay.sqlite3"
    path.write_text("not a database, but long enough to have a header" * 30)
    with pytest.raises(ConfigurationError, match=r"assay\.sqlite3"):
        check(f"sqlite:///{path}")
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(path).execute("SELECT 1 FROM sqlite_master")


def test_a_server_that_is_away_is_named_without_its_password() -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1/") as caught:
        check("postgresql://assay:hidden@127.0.0.1:1/assay")
    assert "hidden" not in str(caught.value)


CASE_OF_0004 = """INSERT INTO review_case (id, project_id, task_id, kind, state, reasons, reason,
priority, version, fingerprint, opened_at, changed_at) VALUES (5, 7, 3, 'ad', 'sent_back', '[]',
'tie', 0.5, 1, 'f', '2026-05-01 12:00:00', '2026-05-01 12:00:00')"""


def without_foreign_keys(url: str, *statements: str) -> None:
    """The rows stand alone: nobody asks for their project and task."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
            for statement in statements:
                connection.execute(statement)
        return
    database = Database(url)
    with database.transaction() as session:
        for statement in ("SET session_replication_role = replica", *statements):
            session.connection().exec_driver_sql(statement)
    database.dispose()


EARLY_0004 = (
    "DROP INDEX ix_case_reason_code",
    "ALTER TABLE case_reason DROP COLUMN project_id",
    "ALTER TABLE case_reason DROP COLUMN state",
    "CREATE INDEX ix_case_reason_code ON case_reason (code, case_id)",
    "DROP INDEX ix_review_case_kind",
    "DROP INDEX ix_review_case_queue",
    "CREATE INDEX ix_review_case_queue ON review_case (project_id, state, priority, id)",
    "DROP INDEX ix_annotation_annotator",
)
"""What early builds made of 0004."""


@pytest.mark.parametrize("is_early", [True, False])
def test_reasons_of_cases_learn_their_project_and_state(empty_url: str, is_early: bool) -> None:
    upgrade(empty_url, "0004")
    columns, values = "case_id, code, project_id, state", "5, 'tie', 7, 'sent_back'"
    without_foreign_keys(
        empty_url,
        CASE_OF_0004,
        f"INSERT INTO case_reason ({columns}) VALUES ({values})",
        *(EARLY_0004 if is_early else ()),
    )
    upgrade(empty_url)
    database = Database(empty_url)
    with database.reading() as session:
        assert session.exec(select(CaseReason)).one() == CaseReason(
            case_id=5, project_id=7, state="sent_back", code="tie"
        )
        context = MigrationContext.configure(session.connection(), opts=COMPARED)
        assert compare_metadata(context, metadata) == []
    database.dispose()
    downgrade(empty_url, "0004")
    assert current_revision(empty_url) == "0004"
    upgrade(empty_url)
    downgrade(empty_url, "base")
    assert tables(empty_url) == {"alembic_version"}


def test_the_choices_of_projects_that_exist_stay_ordered(empty_url: str) -> None:
    """Their label schema was read as "best first" and cannot be changed."""
    upgrade(empty_url, "0006")
    schema = '{"fields": ["title"], "grade": {"choices": [{"value": "a"}, {"value": "b"}]}}'
    without_foreign_keys(
        empty_url,
        "INSERT INTO project (id, name, dataset_id, label_schema, policy, created_at) "
        f"VALUES (7, 'Shop', 1, '{schema}', '{{}}', '2026-05-01 12:00:00')",
    )
    for act, ordered in (
        (lambda: upgrade(empty_url), True),
        (lambda: downgrade(empty_url, "0006"), None),
    ):
        act()
        database = Database(empty_url)
        with database.reading() as session:
            statement = text("SELECT label_schema FROM project")
            held = session.connection().execute(statement.columns(label_schema=Json)).scalar_one()
        database.dispose()
        assert held["grade"].get("ordered") is ordered
        assert held["grade"]["choices"] == [{"value": "a"}, {"value": "b"}]


def test_annotators_of_earlier_demos_are_known_as_simulated(empty_url: str) -> None:
    upgrade(empty_url, "0010")
    emails = ("lin@annotators.example.com", "lin@example.com")
    without_foreign_keys(
        empty_url,
        *(
            "INSERT INTO annotator (id, label_studio_user_id, email, created_at) "
            f"VALUES ({number}, {number}, '{email}', '2026-05-01 12:00:00')"
            for number, email in enumerate(emails, 1)
        ),
    )
    upgrade(empty_url)
    database = Database(empty_url)
    with database.reading() as session:
        rows = session.connection().execute(text("SELECT is_simulated FROM annotator ORDER BY id"))
        assert [bool(row) for row in rows.scalars()] == [True, False]
    database.dispose()
