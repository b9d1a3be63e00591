"""Tables of other databases, by SQLAlchemy URL."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Column, MetaData, Table, create_engine, func, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError

from backend.core.exceptions import UnreadableSource
from backend.ingestion.readers.base import Row
from backend.words import Message

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
                Message("needs a driver that is not installed: {error}", error=error),
                Message("Install the driver."),
            ) from error
        schema, _, name = table.rpartition(".")
        try:
            self._table = Table(name, MetaData(), schema=schema or None, autoload_with=self._engine)
            with self._engine.connect() as connection:
                count = connection.scalar(select(func.count()).select_from(self._table))
        except NoSuchTableError as error:
            there = ", ".join(sorted(inspect(self._engine).get_table_names())[:20]) or "none"
            raise self._unreadable(
                Message("has no table {table!r}", table=table),
                Message("Its tables are: {there}.", there=there),
                field="table",
                value=table,
            ) from error
        except SQLAlchemyError as error:
            raise self._unreadable(
                Message("does not answer: {cause}", cause=error.__cause__ or error),
                Message("Check the address and the login."),
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
                Message(
                    "failed after row {read}: {cause}",
                    read=self._read,
                    cause=error.__cause__ or error,
                ),
                Message("Try again."),
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
            Message("The database {address} {what}.", address=address, what=what),
            field=field,
            value=value or address,
            remedy=remedy,
        )


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise UnreadableSource(
            Message("The database URL is not usable: {error}.", error=error),
            field="url",
            remedy=Message("Write it like sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."),
        ) from error
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    file = parsed.database
    if parsed.get_backend_name() == "sqlite" and not (file and Path(file).exists()):
        raise UnreadableSource(
            Message("There is no SQLite file {file}.", file=file),
            field="url",
            value=url,
            remedy=Message("Check the path: sqlite:///relative or sqlite:////absolute."),
        )
    return parsed
