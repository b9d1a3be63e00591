"""Values of SQL columns as they are stored, and typed only where that loses nothing."""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Engine, event, types

from backend.ingestion.cells import UnreadableCell
from backend.ingestion.values import json_value
from backend.records.content import ValueType

Convert = Callable[[Any], Any]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,6})?)?"
_TIME = re.compile(_CLOCK)
_DATETIME = re.compile(rf"{_DATE.pattern}[T ]{_CLOCK}(?:Z|[+-][0-9]{{2}}:[0-9]{{2}})?")


def value_type(kind: types.TypeEngine[Any]) -> ValueType | None:
    """What the declared type says of the values; None for texts and all else."""
    match kind:
        case types.Boolean():
            return "boolean"
        case types.Integer() | types.Numeric() | types.Float():
            return "number"
        case types.Date() | types.DateTime():
            return "time"
    return None


def converter(kind: types.TypeEngine[Any]) -> Convert | None:
    """How a value of an SQLite column is typed; None where it stays as it is stored.

    SQLite keeps any value in any column. One that is not written as its column's type is kept as
    it is: nothing is rounded, guessed or cut off.
    """
    match kind:
        case types.Boolean():
            return _boolean
        case types.DateTime():
            return _parser(_DATETIME, datetime.fromisoformat)
        case types.Date():
            return _parser(_DATE, date.fromisoformat)
        case types.Time():
            return _parser(_TIME, time.fromisoformat)
        case types.JSON():
            return _json
    return None


def keep_undecodable_text(engine: Engine) -> None:
    """Text of SQLite that is no UTF-8 spoils its row, not the reading."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.text_factory = lambda stored: stored.decode(errors="surrogateescape")


def keep_unreadable_times(engine: Engine) -> None:
    """A time of PostgreSQL for which Python has no room is an ``UnreadableCell``."""
    from psycopg.errors import DataError
    from psycopg.types import datetime as loaders

    def tolerant(base: Any) -> Any:
        class Tolerant(base):  # type: ignore[misc]
            def load(self, data: Any) -> Any:
                try:
                    return super().load(data)
                except DataError as error:
                    return UnreadableCell(bytes(data).decode(errors="replace"), str(error))

        return Tolerant

    bases = {
        "date": loaders.DateLoader,
        "timestamp": loaders.TimestampLoader,
        "timestamptz": loaders.TimestamptzLoader,
        "interval": loaders.IntervalLoader,
        "time": loaders.TimeLoader,
        "timetz": loaders.TimetzLoader,
    }

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        for name, base in bases.items():
            connection.adapters.register_loader(name, tolerant(base))


def _boolean(value: Any) -> Any:
    return bool(value) if type(value) is int and value in (0, 1) else value


def _parser(pattern: re.Pattern[str], parse: Callable[[str], Any]) -> Convert:
    def convert(value: Any) -> Any:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            return value
        try:
            return parse(value)
        except ValueError:
            return value

    return convert


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json_value(value)
    except (ValueError, RecursionError):
        return value
