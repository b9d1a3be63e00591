"""Finding records among 10,000, 100,000 and 1,000,000 current ones, on SQLite and PostgreSQL.

    python -m benchmarks.record_index [--quick] [--records N ...] [--databases sqlite postgres]

The table is that of ``benchmarks.big_pool``: ten fields and an id, English and Chinese. It is
imported; its columns are made (``columns_seconds``, their peak memory above what the process had
before as ``columns_peak_mb``), then its words are stored (``words_seconds``); ``index_seconds`` is
both, ``peak_mb`` the highest memory of either above what the process had before.
``longest_turn_ms`` is the longest that a webhook would have waited for SQLite's lock. ``search_ms``
and ``filter_ms`` are over queries and masks of several kinds, each repeated; ``common_word_ms`` is
a word that a tenth of the records have. ``again_seconds`` is the index after 100 records have
changed. ``cpu_seconds`` is what the process computed for columns and words, which says more where
others use the machine too. PostgreSQL is a server of its own that is not told to wait for its disk.
The last line is one JSON object.
"""

import argparse
import json
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.big_pool import DATASET, write_rows

SIZES = (10_000, 100_000, 1_000_000)
REPEATS = 5
QUERIES = (
    *("kettle", "ste", "SKU-00000", "SKU-00000777", "陶瓷", "马克杯", "杯", "保温杯 steel"),
    *('"cotton shirt"', "steel -mug", "kettle lamp wooden", "brand 99", "nothing at all"),
)

COMMON = '"05"'
"""A month, a day or cents: a word of a tenth of the records."""


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="10,000 only")
    parser.add_argument("--records", type=int, nargs="+", help="sizes; all three if not given")
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgres"])
    options = parser.parse_args()
    sizes = options.records or ((10_000,) if options.quick else SIZES)
    measured: dict[str, dict[str, Any]] = {}
    for name in options.databases:
        for size in sizes:
            with tempfile.TemporaryDirectory(prefix="assay-benchmark-") as folder:
                write_rows(Path(folder) / "rows.csv", size)
                with store(name) as url:
                    found = in_a_process_of_its_own(Path(folder), url)
            measured.setdefault(name, {})[str(size)] = found
            print(f"{name:8} {size:>9,} {found}", flush=True)
    figures = ("index_seconds", "columns_seconds", "peak_mb", "search_ms", "filter_ms")
    print(
        json.dumps(
            {
                "benchmark": "record_index",
                **{
                    figure: {
                        name: {size: found[figure] for size, found in sizes.items()}
                        for name, sizes in measured.items()
                    }
                    for figure in figures
                },
                "all": measured,
            }
        )
    )


@contextmanager
def store(name: str) -> Iterator[str | None]:
    """URL of an empty PostgreSQL database; None for SQLite in the data directory."""
    if name == "sqlite":
        yield None
        return
    from tests.fixtures.postgres import postgres_server

    with postgres_server() as url:
        yield url


def in_a_process_of_its_own(folder: Path, url: str | None) -> dict[str, Any]:
    """What was measured there."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=measure, args=(folder, url, sender))
    child.start()
    sender.close()
    try:
        measured: dict[str, Any] = receiver.recv()
    except EOFError:
        raise SystemExit("the measurement failed; see above") from None
    finally:
        child.join()
    return measured


class Peak:
    """The most memory of this process while inside, in MB above what it had before."""

    def __init__(self) -> None:
        self._process, self.mb = psutil.Process(os.getpid()), 0.0
        self._ended = threading.Event()

    def __enter__(self) -> "Peak":
        self._before = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.02):
            self.mb = max(self.mb, (self._process.memory_info().rss - self._before) / 1e6)


class Silent:
    """Watches and says nothing."""

    def progress(self, _fraction: float, _message: object = "") -> None:
        """Nobody hears it."""

    def check_cancelled(self) -> None:
        """Nobody stops it."""


def measure(folder: Path, url: str | None, result: Connection) -> None:
    """Imports, indexes, asks; sends what that took."""
    import pyarrow.compute

    from backend.core.migrations import upgrade
    from backend.core.services import Services
    from backend.core.settings import Settings
    from backend.ingestion.schemas import ImportRequest
    from backend.ingestion.service import import_source
    from backend.record_index.service import RecordIndex
    from backend.records.schemas import RecordCreate
    from backend.records.service import RecordsService

    assert pyarrow.compute  # loaded before anything is measured
    settings = Settings(data_dir=folder / "assay", database_url=url)
    settings.data_dir.mkdir(exist_ok=True)
    upgrade(settings.store_url)
    services = Services.from_settings(settings)
    request = ImportRequest(path=str(folder / "rows.csv"), dataset=DATASET, id_column="sku")
    begun = time.perf_counter()
    import_source(services.database, request, services.clock)
    measured: dict[str, Any] = {"import_seconds": round(time.perf_counter() - begun, 1)}
    measured |= index(services)
    finder = RecordIndex(services)
    measured |= ask(services, finder)
    with services.database.transaction() as session:
        service = RecordsService(session, services.clock)
        rows = service.page(1, limit=100)
        changed = [
            RecordCreate(row.external_id, row.kind, {**row.fields, "title": "new"}, "b", None)
            for row in rows
        ]
        service.upsert(1, changed)
    again = index(services)
    measured["again_seconds"] = again["index_seconds"]
    measured["again_columns_seconds"] = again["columns_seconds"]
    measured["disk_mb"] = round(
        sum(path.stat().st_size for path in (folder / "assay").rglob("*")) / 1e6
    )
    result.send(measured)


def index(services: Any) -> dict[str, Any]:
    """The job's two halves, one after the other."""
    from backend.record_index import indexing

    turns: list[float] = []
    transaction = services.database.transaction

    @contextmanager
    def timed() -> Iterator[Any]:
        with transaction() as session:
            session.connection()
            begun = time.perf_counter()
            yield session
        turns.append(time.perf_counter() - begun)

    services.database.transaction = timed
    seconds, peaks, busy = [], [], []
    for half in (indexing.make_columns, indexing.store_words):
        begun, cpu = time.perf_counter(), time.process_time()
        with Peak() as peak:
            half(services, 1, Silent())
        seconds.append(round(time.perf_counter() - begun, 1))
        busy.append(round(time.process_time() - cpu, 1))
        peaks.append(round(peak.mb))
    services.database.transaction = transaction
    return {
        "index_seconds": round(sum(seconds), 1),
        "columns_seconds": seconds[0],
        "words_seconds": seconds[1],
        "cpu_seconds": busy,
        "columns_peak_mb": peaks[0],
        "peak_mb": max(peaks),
        "longest_turn_ms": round(1000 * max(turns)),
        "turn_p99_ms": round(1000 * float(np.percentile(turns, 99))),
    }


def ask(services: Any, finder: Any) -> dict[str, Any]:
    """Searches and filters, each repeated."""
    columns = finder.columns(1)

    def search(query: str) -> Any:
        with services.database.reading() as session:
            return finder.search(session, 1, query)

    mask = columns.between("stock", 100, 400)
    filters: list[Callable[[], object]] = [
        lambda: columns.equal("brand", "brand 7"),
        lambda: columns.one_of("category", ["category 1", "category 2", "category 9"]),
        lambda: columns.between("list_price", 10, 99.5),
        lambda: columns.between("listed", "2026-02-01", "2026-05-31"),
        lambda: columns.without_value("price"),
        lambda: columns.order("title", descending=True),
        lambda: columns.counts("brand", mask),
        lambda: columns.counts("title"),
        lambda: columns.histogram("list_price", mask),
        lambda: columns.mask(columns.ids[mask]),
    ]
    searches: list[Callable[[], object]] = [
        lambda query=query: search(query)  # type: ignore[misc]
        for query in QUERIES
    ]
    common = milliseconds([lambda: search(COMMON)])
    searched, filtered = milliseconds(searches), milliseconds(filters)
    return {
        "search_ms": spread(searched),
        "common_word_ms": round(float(np.median(common)), 1),
        "common_word_records": len(search(COMMON)),
        "filter_ms": spread(filtered),
        "each_search_ms": dict(zip(QUERIES, medians(searched), strict=True)),
        "each_filter_ms": medians(filtered),
    }


def milliseconds(calls: list[Callable[[], object]]) -> list[float]:
    """Of each call, repeated, one after the other."""
    found = []
    for call in calls:
        for _ in range(REPEATS):
            begun = time.perf_counter()
            call()
            found.append(1000 * (time.perf_counter() - begun))
    return found


def medians(found: list[float]) -> list[float]:
    """Of each call's repeats."""
    return [round(float(each), 1) for each in np.median(np.reshape(found, (-1, REPEATS)), axis=1)]


def spread(found: list[float]) -> dict[str, float]:
    """The middle and nearly the worst."""
    return {f"p{p}": round(float(np.percentile(found, p)), 1) for p in (50, 95)}


if __name__ == "__main__":
    main()
