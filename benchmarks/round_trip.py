"""Whether random tables come back through every reader and export, and how fast they are read.

    python -m benchmarks.round_trip [--quick] [--rows N] [--tables N]

Every table of odd texts, numbers, times, nulls, names and ids is written as CSV, Parquet, JSON
lines and SQLite by their plain writers, and imported. ``lost`` are rows that did not become the
record that they are; ``changed`` those that a second import, the same table in another format, or
the dataset's own export took for something else. Then one large table is read with each reader and
with the plain one of its format (``csv.DictReader``, ``pyarrow``, ``json.loads``, ``sqlite3``),
side by side; ``share`` is what part of the plain reader's speed is left.
"""

import argparse
import csv
import json
import sqlite3
import string
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq

from backend.core.database import Database
from backend.core.migrations import upgrade
from backend.core.tabular_cells import original_text
from backend.ingestion.readers import open_request
from backend.ingestion.schemas import ImportReport, ImportRequest
from backend.ingestion.service import import_source
from backend.records.export import ExportFormat, export
from backend.records.service import RecordsService
from benchmarks.table_files import FORMATS, ID, KINDS, TABLE, Format, Kind, TypedTable

TABLES, QUICK_TABLES = 60, 12
ROWS, QUICK_ROWS = 200_000, 20_000
ROWS_A_TABLE = 40
PASSES = 3
SEED = 20_26
EXPORTS: tuple[ExportFormat, ...] = ("csv", "jsonl", "parquet")
PIECES = (
    "=1+1", "+86 10 1234", "-1", "-0.5", "- none -", "@home", "'", '"', ",", ";", "|", "\t", "\n",
    "\r\n", "007", "1E5", "1.10", "True", "NULL", "nan", " ", "é", "马克杯", "＝", "🧣", "\\", "{}",
)  # fmt: skip


def random_text(random: Random) -> str:
    """Odd pieces and letters; nothing that a reader takes for a protected formula."""
    pieces = [random.choice((*PIECES, *string.ascii_letters)) for _ in range(random.randrange(5))]
    text = "".join(pieces)
    return text if original_text(text) == text else text[1:]


def random_value(random: Random, kind: Kind) -> Any:
    """A value of that kind, or none."""
    return None if random.random() < 0.1 else _MAKERS[kind](random)


def _random_whole(random: Random) -> int:
    return random.choice((random.randrange(-9, 10), random.randrange(-(2**63), 2**63)))


def _random_number(random: Random) -> float:
    return random.choice((random.uniform(-1, 1), round(random.random() * 99, 2), 1e300, -0.0))


def _random_day(random: Random) -> date:
    return date(1, 1, 1) + timedelta(days=random.randrange(3_652_059))


def _random_moment(random: Random) -> datetime:
    return datetime(1, 1, 1) + timedelta(microseconds=random.randrange(315 * 10**15))


_MAKERS: dict[Kind, Callable[[Random], Any]] = {
    "text": random_text,
    "whole": _random_whole,
    "number": _random_number,
    "truth": lambda random: random.random() < 0.5,
    "day": _random_day,
    "moment": _random_moment,
}


def random_table(random: Random, rows: int) -> TypedTable:
    """An id and up to six columns with odd names."""
    kinds: dict[str, Kind] = {ID: random.choice(("text", "whole"))}
    names = (f"{random_text(random)}{number}".strip() for number in range(random.randrange(1, 7)))
    kinds.update({name: random.choice(KINDS) for name in names if original_text(name) == name})
    ids: dict[Any, None] = {}
    while len(ids) < rows:
        number = random.randrange(-(2**62), 2**62)
        is_text = kinds[ID] == "text"
        ids[f"{random_text(random)}{number}".strip() if is_text else number] = None
    columns = list(kinds.values())[1:]
    return TypedTable(kinds, [[i, *(random_value(random, kind) for kind in columns)] for i in ids])


class RoundTrips:
    """Counts what is lost and what is changed."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self.rows = self.lost = self.changed = 0

    def send(self, name: str, table: TypedTable, first: Format) -> None:
        """The table goes through every reader and export, first through that of ``first``."""
        self._import(name, table.write(first, self._folder))
        self.rows += len(table.rows)
        self.lost += self._lost(name, table)
        for other in (first, *FORMATS):
            report = self._import(name, table.write(other, self._folder))
            self.changed += len(table.rows) - report.rows_unchanged
        for form in EXPORTS:
            path = self._export(name, form)
            report = self._import(name, ImportRequest(dataset=name, path=path))
            self.changed += len(table.rows) - report.rows_unchanged
            self._import(f"{name} {form}", ImportRequest(dataset=name, path=path))
            self.lost += self._lost(f"{name} {form}", table)

    def _import(self, name: str, request: ImportRequest) -> ImportReport:
        return import_source(self._database, request.model_copy(update={"dataset": name}), clock)

    def _lost(self, name: str, table: TypedTable) -> int:
        with self._database.reading() as session:
            records = RecordsService(session, clock)
            found = {row.external_id: row for row in records.stream(records.find_dataset(name).id)}
        lost = 0
        for row in table.rows:
            values = dict(zip(table.columns, row, strict=True))
            record = found.get(str(values.pop(ID)))
            lost += record is None or not all(
                table.means(column, value, record.fields.get(column))
                for column, value in values.items()
            )
        return lost

    def _export(self, name: str, form: ExportFormat) -> Path:
        path = self._folder / f"export.{form}"
        with self._database.reading() as session:
            records = RecordsService(session, clock)
            dataset = records.find_dataset(name)
            path.write_bytes(b"".join(export(records.stream(dataset.id), dataset.fields, form)))
        return path


def clock() -> datetime:
    """One moment for all imports."""
    return datetime(2026, 12, 1, tzinfo=UTC)


def large_table(random: Random, rows: int) -> TypedTable:
    """As tables of shops are: mostly plain texts and numbers."""
    kinds: dict[str, Kind] = {
        ID: "text",
        "title": "text",
        "brand": "text",
        "price": "number",
        "stock": "whole",
        "listed": "day",
    }
    return TypedTable(
        kinds,
        [
            [
                f"SKU-{number:08d}",
                f"steel bottle 保温杯 {number % 997}",
                f"brand {number % 53}",
                round(random.random() * 500, 2),
                random.randrange(1_000),
                date(2026, 1, 1) + timedelta(days=number % 365),
            ]
            for number in range(rows)
        ],
    )


def plain_rows(file_format: Format, folder: Path) -> Iterator[Any]:
    """The rows as the format's plain reader gives them."""
    path = folder / f"items.{file_format}"
    match file_format:
        case "csv":
            with path.open(encoding="utf-8", newline="") as file:
                yield from csv.DictReader(file)
        case "jsonl":
            with path.open(encoding="utf-8") as file:
                yield from map(json.loads, file)
        case "parquet":
            for batch in pq.ParquetFile(path).iter_batches(2_000):
                yield from batch.to_pylist()
        case "sql":
            connection = sqlite3.connect(path)
            connection.row_factory = sqlite3.Row
            yield from map(dict, connection.execute(f"SELECT * FROM {TABLE}"))
            connection.close()


def our_rows(request: ImportRequest) -> Iterator[Any]:
    """The rows as our reader gives them."""
    with open_request(request) as reader:
        yield from reader.rows()


def seconds(read: Callable[[], Iterator[Any]], rows: int) -> float:
    """How much processor time one reading takes; exits if rows are missing."""
    began = time.process_time()
    count = sum(1 for _ in read())
    if count != rows:
        raise SystemExit(f"{count} of {rows} rows were read")
    return time.process_time() - began


def speeds(table: TypedTable, folder: Path) -> dict[str, dict[str, float]]:
    """Format to rows a second of both readers, in turns, the best of three."""
    rows = len(table.rows)
    found: dict[str, dict[str, float]] = {}
    for file_format in FORMATS:
        request = table.write(file_format, folder)
        ours, plain = [], []
        for _ in range(PASSES):
            plain.append(seconds(lambda f=file_format: plain_rows(f, folder), rows))  # type: ignore[misc]
            ours.append(seconds(lambda r=request: our_rows(r), rows))  # type: ignore[misc]
        found[file_format] = {
            "rows_per_second": round(rows / min(ours)),
            "plain_rows_per_second": round(rows / min(plain)),
            "share": round(min(plain) / min(ours), 2),
        }
        print(f"{file_format:<8}{found[file_format]}", flush=True)
    return found


def main() -> None:
    """Print the figures; exit 1 if anything was lost or changed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_TABLES} tables")
    parser.add_argument("--rows", type=int, help=f"of the large table; {ROWS:,} if not given")
    parser.add_argument("--tables", type=int, help=f"random ones; {TABLES} if not given")
    arguments = parser.parse_args()
    tables = arguments.tables or (QUICK_TABLES if arguments.quick else TABLES)
    rows = arguments.rows or (QUICK_ROWS if arguments.quick else ROWS)
    random = Random(SEED)
    with tempfile.TemporaryDirectory(prefix="assay-benchmark-") as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'assay.sqlite3'}"
        upgrade(url)
        database = Database(url)
        trips = RoundTrips(database, folder)
        for number in range(tables):
            table = random_table(random, ROWS_A_TABLE)
            trips.send(f"table {number}", table, FORMATS[number % len(FORMATS)])
        database.dispose()
        print(f"{tables} tables, {trips.rows:,} rows through every format", flush=True)
        read = speeds(large_table(random, rows), folder)
    figures = {
        "lost": trips.lost,
        "changed": trips.changed,
        "tables": tables,
        "rows": trips.rows,
        "read_rows": rows,
        "read": read,
    }
    print(json.dumps(figures))
    if trips.lost or trips.changed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
