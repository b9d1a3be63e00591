"""Bringing the store's tables up to date, and telling when they are not."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import NullPool

from backend.core.database import BUSY_TIMEOUT_MS, Database
from backend.core.exceptions import ConfigurationError, Unavailable
from backend.words import Message

ROOT = Path(__file__).parents[2]


def configuration(database_url: str) -> Config:
    """Alembic's configuration for the store at ``database_url``."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["url"] = database_url
    return config


def engine_for(database_url: str) -> Engine:
    """An engine to migrate with: on SQLite, tables can be rebuilt, in one real transaction."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        return create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool)
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    timeout = {"timeout": BUSY_TIMEOUT_MS / 1000}
    engine = create_engine(url, poolclass=NullPool, connect_args=timeout)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        # Rebuilding a table drops the old one, which must not touch the rows that refer to it.
        connection.execute("PRAGMA foreign_keys=OFF")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def upgrade(database_url: str, revision: str = "head") -> None:
    """The store has all tables of this version; nothing changes if it had them.

    Raises:
        ConfigurationError: the store was made by a newer version.
        Unavailable: the database server does not answer.
    """
    current = current_revision(database_url)
    _refuse_newer(database_url, current)
    if current is None or current != head_revision():
        command.upgrade(configuration(database_url), revision)


def downgrade(database_url: str, revision: str) -> None:
    """The store is as ``revision`` (``base``: empty) left it."""
    command.downgrade(configuration(database_url), revision)


def head_revision() -> str | None:
    """The newest migration of this version of Assay."""
    return ScriptDirectory(str(ROOT / "migrations")).get_current_head()


def current_revision(database_url: str) -> str | None:
    """The last migration the store has seen; None for a new one.

    Raises:
        ConfigurationError: the SQLite file is not a database.
        Unavailable: the database server does not answer.
    """
    url = make_url(database_url)
    is_sqlite = url.get_backend_name() == "sqlite"
    if is_sqlite and not Path(url.database or "").exists():
        return None
    database = Database(database_url)
    try:
        with database.reading() as session:
            return MigrationContext.configure(session.connection()).get_current_revision()
    except OperationalError as error:
        raise Unavailable(
            Message(
                "The store {store} does not answer: {problem}.",
                store=url.render_as_string(),
                problem=_first_line(error),
            ),
            field="database_url",
            value=url.render_as_string(),
            remedy=Message("Start the database, or correct ASSAY_DATABASE_URL."),
        ) from error
    except DatabaseError as error:
        raise ConfigurationError(
            Message(
                "The store {store} cannot be read: {problem}.",
                store=url.render_as_string(),
                problem=_first_line(error),
            ),
            field="database_url",
            value=url.render_as_string(),
            remedy=Message("Point ASSAY_DATABASE_URL or ASSAY_DATA_DIR at a store of Assay."),
        ) from error
    finally:
        database.dispose()


def check(database_url: str) -> None:
    """Do nothing if the store fits this version of Assay.

    Raises:
        ConfigurationError: it is new, older or newer; the remedy says what to run.
        Unavailable: the database server does not answer.
    """
    current = current_revision(database_url)
    if current == head_revision():
        return
    _refuse_newer(database_url, current)
    store = make_url(database_url).render_as_string()
    raise ConfigurationError(
        Message("The store {store} has no tables yet.", store=store)
        if current is None
        else Message(
            "The store {store} is at the older migration {current}.", store=store, current=current
        ),
        field="database_url",
        value=current,
        remedy=Message("Run `assay migrate`."),
    )


def _refuse_newer(database_url: str, current: str | None) -> None:
    script = ScriptDirectory(str(ROOT / "migrations"))
    known = {migration.revision for migration in script.walk_revisions()}
    if current is not None and current not in known:
        raise ConfigurationError(
            Message(
                "The store {store} is at migration {current}, which this version of "
                "Assay does not know.",
                store=make_url(database_url).render_as_string(),
                current=current,
            ),
            field="database_url",
            value=current,
            remedy=Message("Install the newer version that made it, then `assay migrate`."),
        )


def _first_line(error: DatabaseError) -> str:
    return str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no reason given"
