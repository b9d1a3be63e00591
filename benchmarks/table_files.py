"""One typed table as CSV, Parquet, JSON lines and an SQLite table, as other programs write them."""

import csv
import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from backend.ingestion.schemas import ImportRequest

Kind = Literal["text", "whole", "number", "truth", "day", "moment"]
Format = Literal["csv", "jsonl", "parquet", "sql"]
KINDS: tuple[Kind, ...] = ("text", "whole", "number", "truth", "day", "moment")
FORMATS: tuple[Format, ...] = ("csv", "jsonl", "parquet", "sql")
ID = "id"
TABLE = "items"
_ARROW: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "whole": pa.int64(),
    "number": pa.float64(),
    "truth": pa.bool_(),
    "day": pa.date32(),
    "moment": pa.timestamp("us"),
}
_SQLITE: dict[Kind, str] = {
    "text": "TEXT",
    "whole": "INTEGER",
    "number": "FLOAT",
    "truth": "BOOLEAN",
    "day": "DATE",
    "moment": "DATETIME",
}
_READ: dict[Kind, Callable[[Any], Any]] = {
    "text": lambda stored: stored,
    "whole": int,
    "number": float,
    "truth": lambda stored: {"true": True, "false": False}.get(str(stored).lower()),
    "day": date.fromisoformat,
    "moment": datetime.fromisoformat,
}


@dataclass(frozen=True)
class TypedTable:
    """Names and kinds of the columns, the id's first; the rows' values in their order."""

    columns: dict[str, Kind]
    rows: Sequence[Sequence[Any]]

    def write(self, file_format: Format, folder: Path) -> ImportRequest:
        """The table is written below ``folder``; the request that imports it."""
        path = folder / f"items.{file_format}"
        match file_format:
            case "csv":
                self._write_csv(path)
            case "jsonl":
                self._write_jsonl(path)
            case "parquet":
                self._write_parquet(path)
            case "sql":
                self._write_sqlite(path)
                url = f"sqlite:///{path}"
                return ImportRequest(dataset="table", url=url, table=TABLE, id_column=ID)
        return ImportRequest(dataset="table", path=path, id_column=ID)

    def means(self, name: str, value: Any, stored: Any) -> bool:
        """True if what is stored says what the table's value of that column says."""
        if value is None or value == "":
            return stored is None or stored == ""
        return bool(_READ[self.columns[name]](stored) == value)

    def _write_csv(self, path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([self.columns, *self.rows])

    def _write_jsonl(self, path: Path) -> None:
        with path.open("w", encoding="utf-8") as file:
            for row in self.rows:
                values = dict(zip(self.columns, row, strict=True))
                file.write(json.dumps(values, ensure_ascii=False, default=str) + "\n")

    def _write_parquet(self, path: Path) -> None:
        columns = [list(column) for column in zip(*self.rows, strict=True)]
        kinds = self.columns.values()
        arrays = [pa.array(each, _ARROW[kind]) for each, kind in zip(columns, kinds, strict=True)]
        pq.write_table(pa.Table.from_arrays(arrays, names=list(self.columns)), path)

    def _write_sqlite(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        connection = sqlite3.connect(path)
        declared = (f"{_quoted(name)} {_SQLITE[kind]}" for name, kind in self.columns.items())
        connection.execute(f"CREATE TABLE {TABLE} ({', '.join(declared)})")
        places = ", ".join("?" * len(self.columns))
        rows = ([_sqlite_value(value) for value in row] for row in self.rows)
        connection.executemany(f"INSERT INTO {TABLE} VALUES ({places})", rows)
        connection.commit()
        connection.close()


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


def _sqlite_value(value: Any) -> Any:
    return str(value) if isinstance(value, date) else value
