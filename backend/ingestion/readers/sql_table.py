"""Tables of other databases, by SQLAlchemy URL."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Column, MetaData, Table, create_engine, func, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError

from backend.core.exceptions import UnreadableSource
from backend.ingestion.readers.base import Row

ROWS_PER_FETCH = 2_000
"""Chosen: bounds memory."""


class SqlTableReader:
    """Rows in the order of the primary key, fetched some thousands at a time.

    Raises:
        UnreadableSource: the URL is wrong, the database is away, or there is no such table.
    """

    format = "sql"

    def __init__(self, url: str, table: str) -> None:
        self._url = _parse_url(url)
        try:
            self._engine = create_engine(self._url)
        except (SQLAlchemyError, ImportError) as error:
            raise self._unreadable(
                f"needs a driver that is not installed: {error}", "Install the driver."
            ) from error
        schema, _, name = table.rpartition(".")
        try:
            self._table = Table(name, MetaData(), schema=schema or None, autoload_with=self._engine)
            with self._engine.connect() as connection:
                count = connection.scalar(select(func.count()).select_from(self._table))
        except NoSuchTableError as error:
            there = ", ".join(sorted(inspect(self._engine).get_table_names())[:20]) or "none"
            raise self._unreadable(
                f"has no table {table!r}", f"Its tables are: {there}.", field="table", value=table
            ) from error
        except SQLAlchemyError as error:
            raise self._unreadable(
                f"does not answer: {error.__cause__ or error}", "Check the address and the login."
            ) from error
        self.columns = tuple(column.name for column in self._table.columns)
        self._total = max(1, count or 0)
        self._read = 0

    def rows(self) -> Iterator[tuple[int, Row]]:
        self._read = 0
        order: list[Column[object]] = list(self._table.primary_key.columns)
        query = select(self._table).order_by(*order)
        try:
            with self._engine.connect().execution_options(yield_per=ROWS_PER_FETCH) as connection:
                for row in connection.execute(query).mappings():
                    self._read += 1
                    yield self._read, dict(row)
        except SQLAlchemyError as error:
            raise self._unreadable(
                f"failed after row {self._read}: {error.__cause__ or error}", "Try again."
            ) from error

    def fraction(self) -> float:
        return min(1.0, self._read / self._total)

    def close(self) -> None:
        self._engine.dispose()

    def _unreadable(
        self, what: str, remedy: str, *, field: str = "url", value: str | None = None
    ) -> UnreadableSource:
        address = self._url.render_as_string()
        return UnreadableSource(
            f"The database {address} {what}.", field=field, value=value or address, remedy=remedy
        )


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise UnreadableSource(
            f"The database URL is not usable: {error}.",
            field="url",
            remedy="Write it like sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
        ) from error
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    file = parsed.database
    if parsed.get_backend_name() == "sqlite" and not (file and Path(file).exists()):
        raise UnreadableSource(
            f"There is no SQLite file {file}.",
            field="url",
            value=url,
            remedy="Check the path: sqlite:///relative or sqlite:////absolute.",
        )
    return parsed
