"""The champion's verdict on 10,000, 100,000 and 1,000,000 records: made anew, and read in pages.

    python -m benchmarks.verdicts [--quick] [--records N ...] [--encoder NAME] [--repeats N]

On SQLite and on a PostgreSQL server of its own. Records of ten fields are imported, a first batch
is answered and learnt by the product's jobs. Then, each in a process of its own as after a restart:
``refresh``, the job that judges every record, from cached embeddings (earlier verdicts are thrown
away before); ``import``, the same after one record in a hundred has changed; and ``pages``, through
the whole application: a page of fifty for each filter and order, the facets, and the export.

``page_ms`` is the time from the request to its answer at the server, p50 and p95 of ``--repeats``
requests; ``peak_mb`` the highest resident memory of the process, the interpreter with everything
loaded included. The last line is one JSON object.
"""

import argparse
import contextlib
import json
import multiprocessing
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.big_pool import import_rows, run_jobs, write_rows

SIZES = (10_000, 100_000, 1_000_000)
QUICK_SIZES = (10_000,)
BATCH = 100
FILTERS = {
    "all by risk": "",
    "by doubt": "sort=doubt",
    "newest": "sort=newest",
    "by a column": "sort=field:price",
    "poor": "grade=poor",
    "faulty price, sure": "faulty_field=price&confidence_from=0.9",
    "an issue": "issue=missing_value",
    "from people": "source=people",
    "disagreement": "disagreement=true",
    "a brand": "where=brand%3Dbrand%20123",
    "a range": "where=price%3E%3D10&where=price%3C%3D20",
    "words": "text=ceramic%20mug",
    "Chinese": "text=%E9%A9%AC%E5%85%8B%E6%9D%AF",
    "everything": "text=lamp&grade=fair&faulty_field=price&where=stock%3E%3D500&sort=doubt",
    "page 1,000": "offset=50000",
}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="10,000 only")
    parser.add_argument("--records", type=int, nargs="+", help="sizes; all three if not given")
    parser.add_argument("--encoder", default="characters")
    parser.add_argument("--repeats", type=int, default=10, help="requests of each kind")
    options = parser.parse_args()
    sizes = options.records or (QUICK_SIZES if options.quick else SIZES)
    found: dict[str, dict[str, Any]] = {}
    for database, url in stores():
        for size in sizes:
            with tempfile.TemporaryDirectory(prefix="assay-benchmark-") as temporary:
                folder = Path(temporary)
                write_rows(folder / "rows.csv", size)
                found.setdefault(database, {})[str(size)] = {}
                for step in ("prepare", "refresh", "import", "pages"):
                    measured = measure(folder, step, url, options.encoder, options.repeats)
                    found[database][str(size)][step] = measured
                    print(f"{database:10} {size:>9,} {step:8} {measured}", flush=True)
    largest = {name: sizes_of[str(max(sizes))] for name, sizes_of in found.items()}
    print(
        json.dumps(
            {
                "benchmark": "verdicts",
                "encoder": options.encoder,
                "refresh_seconds": {
                    name: {size: steps["refresh"]["seconds"] for size, steps in each.items()}
                    for name, each in found.items()
                },
                "peak_mb": {
                    name: {size: steps["refresh"]["peak_mb"] for size, steps in each.items()}
                    for name, each in found.items()
                },
                "page_ms": {name: steps["pages"]["page_ms"] for name, steps in largest.items()},
                "steps": found,
            }
        )
    )


def stores() -> Iterator[tuple[str, str | None]]:
    """SQLite, and PostgreSQL where it is installed."""
    from tests.fixtures.postgres import PostgresMissing, postgres_server

    yield "sqlite", None
    try:
        with postgres_server() as url:
            yield "postgresql", url
    except PostgresMissing:
        print("PostgreSQL is not installed: left out (scripts/system-packages installs it)")


def measure(folder: Path, step: str, url: str | None, encoder: str, repeats: int) -> dict[str, Any]:
    """What the step measured, in a fresh interpreter."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=run_step, args=(folder, step, url, encoder, repeats, sender))
    child.start()
    sender.close()
    try:
        measured: dict[str, Any] = receiver.recv()
    except EOFError:
        raise SystemExit(f"step {step!r} failed; see above") from None
    finally:
        child.join()
    return measured


def run_step(
    folder: Path, step: str, url: str | None, encoder: str, repeats: int, result: Connection
) -> None:
    """Does the step and sends what was measured."""
    from backend.core.services import Services
    from backend.core.settings import Settings

    settings = Settings(
        data_dir=folder / "assay",
        encoder=encoder,
        database_url=url,
        session_secret="of a benchmark, long enough for the check",
    )
    settings.data_dir.mkdir(exist_ok=True)
    services = Services.from_settings(settings)
    measured: dict[str, Any] = {}
    begun = time.perf_counter()
    match step:
        case "prepare":
            prepare(services, folder)
        case "refresh":
            shutil.rmtree(settings.verdicts_dir, ignore_errors=True)
            measured = refresh(services)
        case "import":
            change_some(services)
            begun = time.perf_counter()
            measured = refresh(services)
        case "pages":
            measured = read_pages(services, repeats)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result.send({"seconds": round(seconds, 1), "peak_mb": round(peak / 1024, 1), **measured})
    services.database.dispose()


def prepare(services: Any, folder: Path) -> None:
    """Records, a first batch with its answers, and a champion, in an empty store."""
    from sqlalchemy import text

    from backend.core.migrations import upgrade

    if services.database.engine.dialect.name == "postgresql":
        with services.database.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    upgrade(services.settings.store_url)
    import_rows(services, folder / "rows.csv", BATCH)
    run_jobs(services, "first batch")
    run_jobs(services, "retraining and all after it")
    index(services)


def index(services: Any) -> None:
    """What searches and columns are read from is there."""
    from backend.record_index.indexing import index_dataset

    index_dataset(services, 1, Unwatched())


def refresh(services: Any) -> dict[str, Any]:
    """What the job says of its work."""
    from backend.features.store import FeatureStore
    from backend.scoring.refreshing import refresh_verdicts

    done = refresh_verdicts(services, FeatureStore(services), Unwatched(), 1)  # type: ignore[arg-type]
    return {"judged": done["judged"]}


class Unwatched:
    """A job that nobody stops or looks at."""

    def progress(self, _share: float, _message: object = "") -> None:
        """Nobody reads it."""

    def should_stop(self) -> bool:
        """Never."""
        return False

    def check_cancelled(self) -> None:
        """Nobody asks."""


def change_some(services: Any) -> None:
    """One current record in a hundred is another version."""
    from sqlmodel import col, select

    from backend.models import Record
    from backend.records.schemas import RecordCreate
    from backend.records.service import RecordsService

    with services.database.reading() as session:
        rows = session.exec(
            select(Record.external_id, Record.fields).where(
                col(Record.is_current), col(Record.id) % 100 == 0
            )
        ).all()
    for start in range(0, len(rows), 1_000):
        changed = [
            RecordCreate(name, "product", {**fields, "colour": "other"}, "benchmark")
            for name, fields in rows[start : start + 1_000]
        ]
        with services.database.transaction() as session:
            RecordsService(session, services.clock).upsert(1, changed)


def read_pages(services: Any, repeats: int) -> dict[str, Any]:
    """Milliseconds of each kind of page, of the facets, and the export's rows a second."""
    from fastapi.testclient import TestClient

    from backend.access.service import AccessService
    from backend.app import create_app

    with services.database.transaction() as session:
        key = AccessService(session, services.clock).create_key(
            f"benchmark {time.time()}", "viewer", actor="benchmark"
        )
    client = TestClient(create_app(services), headers={"Authorization": f"Bearer {key.key}"})
    base = "/api/v1/projects/1/verdicts"
    pages, totals = {}, {}
    first = time.perf_counter()
    client.get(base).raise_for_status()
    first_ms = 1_000 * (time.perf_counter() - first)
    for name, query in FILTERS.items():
        taken = []
        for _ in range(repeats):
            begun = time.perf_counter()
            answer = client.get(f"{base}?{query}")
            taken.append(1_000 * (time.perf_counter() - begun))
        totals[name] = answer.json().get("total", answer.text[:200])
        pages[name] = percentiles(taken)
    facets = []
    for _ in range(repeats):
        begun = time.perf_counter()
        client.get(f"{base}/facets").raise_for_status()
        facets.append(1_000 * (time.perf_counter() - begun))
    begun, read = time.perf_counter(), 0
    with client.stream("GET", f"{base}/export?format=jsonl&confidence_from=0.5") as answer:
        for line in answer.iter_lines():
            read += bool(line)
            if read == 20_000:
                break
    return {
        "page_ms": pages,
        "facets_ms": percentiles(facets),
        "first_page_ms": round(first_ms, 1),
        "totals": totals,
        "export_rows_per_second": round(read / (time.perf_counter() - begun)),
    }


def percentiles(taken: list[float]) -> dict[str, float]:
    """p50 and p95 of these milliseconds."""
    cuts = statistics.quantiles(taken, n=20, method="inclusive")
    return {"p50": round(statistics.median(taken), 1), "p95": round(cuts[-1], 1)}


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
