"""Cells that are not of their column's type: the stored value is kept, never another."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from backend.core.database import Database
from backend.ingestion.cells import UnreadableCell
from backend.ingestion.readers.sql_table import SqlTableReader
from backend.ingestion.values import normalise

CASES: dict[str, tuple[list[Any], list[Any]]] = {
    "date": (["2026-01-31", "31/01/2026", "", None], ["2026-01-31", "31/01/2026", "", None]),
    "datetime": (
        ["2026-01-31 10:00:00", "2026-01-31T10:00:00Z", 1767225600, "2026-01-31 10:00:00.1234567"],
        [
            "2026-01-31T10:00:00",
            "2026-01-31T10:00:00+00:00",
            1767225600,
            "2026-01-31 10:00:00.1234567",
        ],
    ),
    "decimal(10,2)": ([12.5, "N/A", "", 1.23456], [12.5, "N/A", "", 1.23456]),
    "boolean": ([1, 0, "yes", 2, None], [True, False, "yes", 2, None]),
    "json": (['{"x":1}', "not json"], ['{"x": 1}', "not json"]),
    "float": ([1.5, "abc", "1,5"], [1.5, "abc", "1,5"]),
}


def sqlite_rows(folder: Path, declared: str, cells: list[Any], table: str = "t") -> list[Any]:
    path = folder / "a.db"
    connection = sqlite3.connect(path)
    connection.execute(f'create table "{table}" (id integer primary key, a {declared})')
    connection.executemany(f'insert into "{table}" (a) values (?)', [[cell] for cell in cells])
    connection.commit()
    connection.close()
    reader = SqlTableReader(f"sqlite:///{path}", table)
    values = [row["a"] for _, row in reader.rows()]
    reader.close()
    return values


@pytest.mark.parametrize("declared", CASES)
def test_what_is_stored_is_kept(declared: str, tmp_path: Path) -> None:
    stored, expected = CASES[declared]
    found = [normalise(value) for value in sqlite_rows(tmp_path, declared, stored)]
    assert found == expected
    assert [type(each) for each in found] == [type(each) for each in expected]


def test_text_that_is_no_utf_8_is_one_cell(tmp_path: Path) -> None:
    values = sqlite_rows(tmp_path, "text", ["a"])
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("insert into t (a) values (cast(x'ff41' as text))")
    connection.commit()
    connection.close()
    reader = SqlTableReader(f"sqlite:///{tmp_path / 'a.db'}", "t")
    assert [row["a"] for _, row in reader.rows()] == [*values, "\udcffA"]
    reader.close()


def test_a_name_with_a_dot_is_a_name_first(tmp_path: Path) -> None:
    assert sqlite_rows(tmp_path, "text", ["x"], "weird name.x") == ["x"]


@pytest.mark.postgres
def test_times_of_postgresql_beyond_those_of_python(postgres_url: str) -> None:
    database = Database(postgres_url)
    with create_engine(database.url).begin() as connection:
        connection.execute(text("create table odd (id int primary key, d date, t timestamptz)"))
        connection.execute(
            text("insert into odd values (1, 'infinity', now()), (2, now(), '20000-01-01')")
        )
    reader = SqlTableReader(postgres_url, "odd")
    first, second = (row for _, row in reader.rows())
    assert isinstance(first["d"], UnreadableCell)
    assert first["d"].text == "infinity"
    assert isinstance(second["t"], UnreadableCell)
    assert not isinstance(second["d"], UnreadableCell)
    reader.close()
    database.dispose()
