"""Demo records and their truth as files."""

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from backend.demo.records import COLUMNS, flat_row
from backend.demo.truth import DemoRecord, Truth

ROWS_PER_GROUP = 20_000


class RowWriter(Protocol):
    """Writes all flat rows to one file and returns how many."""

    def __call__(
        self, path: Path, records: Iterable[DemoRecord], truth_path: Path | None = None
    ) -> int: ...


def _with_truth(records: Iterable[DemoRecord], truth_path: Path | None) -> Iterator[dict[str, str]]:
    """Flat rows; the truth of each goes to ``truth_path`` as it passes."""
    with ExitStack() as stack:
        truths = None
        if truth_path is not None:
            truths = stack.enter_context(truth_path.open("w", encoding="utf-8"))
        for record in records:
            if truths is not None:
                line = json.dumps(record.truth.as_json(), ensure_ascii=False)
                truths.write(line + "\n")
            yield flat_row(record)


def write_csv(path: Path, records: Iterable[DemoRecord], truth_path: Path | None = None) -> int:
    """Write UTF-8 CSV with a header; with ``truth_path``, the truth beside it as JSON lines."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in _with_truth(records, truth_path):
            writer.writerow(row.values())
            count += 1
    return count


def write_jsonl(path: Path, records: Iterable[DemoRecord], truth_path: Path | None = None) -> int:
    """Write one JSON object a line, UTF-8; with ``truth_path``, the truth beside it."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in _with_truth(records, truth_path):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def write_parquet(path: Path, records: Iterable[DemoRecord], truth_path: Path | None = None) -> int:
    """Write Parquet, every column a string, in groups of 20,000 rows."""
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    rows = _with_truth(records, truth_path)
    count = 0
    with pq.ParquetWriter(path, schema) as writer:
        while group := list(islice(rows, ROWS_PER_GROUP)):
            columns = zip(*(row.values() for row in group), strict=True)
            arrays = [pa.array(column, pa.string()) for column in columns]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(group)
    return count


WRITERS: dict[str, RowWriter] = {
    ".csv": write_csv,
    ".jsonl": write_jsonl,
    ".parquet": write_parquet,
}
"""Writer by file suffix."""


def read_truth(path: Path) -> dict[str, Truth]:
    """Truth by record id, from a ``truth.jsonl``."""
    with path.open(encoding="utf-8") as lines:
        truths = (Truth.from_json(json.loads(line)) for line in lines)
        return {truth.record_id: truth for truth in truths}
