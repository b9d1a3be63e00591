"""Tables of other databases, by SQLAlchemy URL."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    MetaData,
    Table,
    create_engine,
    func,
    inspect,
    select,
    type_coerce,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.types import NullType

from backend.core.exceptions import UnreadableSource
from backend.ingestion.readers.base import Row
from backend.ingestion.readers.sql_values import (
    Convert,
    converter,
    keep_undecodable_text,
    keep_unreadable_times,
    value_type,
)
from backend.records.content import ValueTypes
from backend.words import Message

ROWS_PER_FETCH = 2_000
"""Chosen: bounds memory."""


class SqlTableReader:
    """Rows in the order of the primary key, fetched some thousands at a time.

    Raises:
        UnreadableSource: the URL is wrong, the database is away, or there is no such table.
    """

    format = "sql"
    text_form = None

    def __init__(self, url: str, table: str) -> None:
        self._url = _parse_url(url)
        try:
            self._engine = create_engine(self._url)
        except (SQLAlchemyError, ImportError) as error:
            raise self._unreadable(
                Message("needs a driver that is not installed: {error}", error=error),
                Message("Install the driver."),
            ) from error
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        if self._is_sqlite:
            keep_undecodable_text(self._engine)
        elif self._engine.dialect.name == "postgresql":
            keep_unreadable_times(self._engine)
        try:
            self._table = self._table_of(table)
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
        named = ((column.name, value_type(column.type)) for column in self._table.columns)
        self.types: ValueTypes = {name: kind for name, kind in named if kind}
        self._total = max(1, count or 0)
        self._read = 0

    def _table_of(self, table: str) -> Table:
        """The table of that name; where a dot is in it, first as a name, then as SCHEMA.TABLE."""
        schema, _, name = table.rpartition(".")
        if schema and inspect(self._engine).has_table(table):
            schema, name = "", table
        return Table(name, MetaData(), schema=schema or None, autoload_with=self._engine)

    def rows(self) -> Iterator[tuple[int, Row]]:
        self._read = 0
        names = self.columns
        order: list[Column[object]] = list(self._table.primary_key.columns)
        query = select(*self._stored_columns()).order_by(*order)
        converters = self._converters()
        try:
            with self._engine.connect().execution_options(yield_per=ROWS_PER_FETCH) as connection:
                for cells in connection.execute(query):
                    self._read += 1
                    row = dict(zip(names, cells, strict=True))
                    for name, convert in converters:
                        row[name] = convert(row[name])
                    yield self._read, row
        except SQLAlchemyError as error:
            raise self._unreadable(
                Message(
                    "failed after row {read}: {cause}",
                    read=self._read,
                    cause=error.__cause__ or error,
                ),
                Message("Try again."),
            ) from error

    def _stored_columns(self) -> list[ColumnElement[Any]]:
        """The columns; those of SQLite as they are stored, which their types may not fit."""
        columns = list(self._table.columns)
        if not self._is_sqlite:
            return list(columns)
        return [type_coerce(each, NullType()).label(f"c{n}") for n, each in enumerate(columns)]

    def _converters(self) -> list[tuple[str, Convert]]:
        if not self._is_sqlite:
            return []
        named = ((column.name, converter(column.type)) for column in self._table.columns)
        return [(name, convert) for name, convert in named if convert]

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
