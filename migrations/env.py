"""How Alembic reaches the store and what it compares it with."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import text
from sqlmodel.sql.sqltypes import AutoString

from backend.core.migrations import engine_for
from backend.core.settings import get_settings
from backend.models import columns, metadata
from backend.models.record_index import is_of_models

CUSTOM_TYPES = (columns.UtcDateTime, columns.Json, columns.RowId)
MIGRATION_LOCK = 7_225_539  # any number that nothing else takes on this server


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Our column types by our names, SQLModel's string as the plain one."""
    if kind == "type" and isinstance(item, CUSTOM_TYPES):
        return f"columns.{type(item).__name__}()"
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


def run() -> None:
    """Run the migrations in one transaction that no other process shares."""
    url = context.config.attributes.get("url") or get_settings().store_url
    engine = engine_for(url)
    try:
        with engine.connect() as connection:
            context.configure(
                connection=connection,
                target_metadata=metadata,
                render_item=render_item,
                include_name=is_of_models,
                render_as_batch=engine.dialect.name == "sqlite",
                transactional_ddl=True,
            )
            with context.begin_transaction():
                if engine.dialect.name == "postgresql":
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
                context.run_migrations()
    finally:
        engine.dispose()


run()
