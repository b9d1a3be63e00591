"""How fast and in how much memory a large CSV file is imported.

    python -m benchmarks.import_rows [--quick] [--rows N] [--database-url URL]

The rows are made here, with one in a thousand broken in a known way; the store is made by
the real migrations. The import runs in a process of its own, whose peak of resident memory
is measured by the kernel. ``peak_mb`` is all of it, ``growth_mb`` what came on top of the
interpreter with its modules loaded.
"""

import argparse
import csv
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

ROWS = 1_000_000
QUICK_ROWS = 200_000
BROKEN_EVERY = 1_000
SEED = 20_26
COLUMNS = ("sku", "kind", "title", "brand", "category", "price", "stock", "updated_at")
WORDS = ("ceramic", "mug", "steel", "bottle", "cotton", "shirt", "陶瓷", "马克杯", "保温杯", "纯棉")


def write_rows(path: Path, rows: int) -> int:
    """Write the CSV file; the number of rows that an import must reject."""
    random = Random(SEED)
    broken = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(rows):
            sku = f"SKU-{number:08d}"
            row = [
                sku,
                random.choice(("product", "inventory", "ad")),
                " ".join(random.choices(WORDS, k=6)),
                f"brand {number % 997}",
                f"category {number % 53}",
                f"{random.random() * 500:.2f}",
                random.randrange(1_000),
                f"2026-{1 + number % 12:02d}-{1 + number % 28:02d}",
            ]
            if number % BROKEN_EVERY == BROKEN_EVERY - 1:
                broken += 1
                match broken % 3:
                    case 0:
                        row[0] = f"SKU-{number // 2_000 * 1_000:08d}"  # far behind: a duplicate id
                    case 1:
                        row.append("one cell too many")
                    case _:
                        row[0] = ""
            writer.writerow(row)
    return broken


def peak_mb() -> float:
    """Peak of this process's resident memory, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def import_in_child(url: str, path: Path, result: Connection) -> None:
    """Import the file and send what was measured."""
    from backend.core.clock import utc_now
    from backend.core.database import Database
    from backend.ingestion.schemas import ImportRequest
    from backend.ingestion.service import import_source

    request = ImportRequest(dataset="benchmark", path=path, id_column="sku", kind_column="kind")
    database = Database(url)
    before, started = peak_mb(), time.perf_counter()
    report = import_source(database, request, utc_now, progress=show_progress)
    seconds = time.perf_counter() - started
    peak = peak_mb()
    result.send({"seconds": seconds, "before_mb": before, "peak_mb": peak, **report.model_dump()})
    database.dispose()


def show_progress(fraction: float, message: object) -> None:
    """One line that is written over."""
    if sys.stderr.isatty():
        print(f"\r{fraction:4.0%} {message}", end="", file=sys.stderr, flush=True)


def measure(url: str, path: Path) -> dict[str, Any]:
    """Run one import in a fresh interpreter."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=import_in_child, args=(url, path, sender))
    child.start()
    sender.close()
    try:
        measured: dict[str, Any] = receiver.recv()
    except EOFError:
        raise SystemExit("the import failed; see above") from None
    finally:
        child.join()
    return measured


def main() -> None:
    """Print the figures; exit 1 if the import did not do what the file demands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS:,} rows")
    parser.add_argument("--rows", type=int, help=f"how many; {ROWS:,} if not given")
    parser.add_argument("--database-url", help="an empty database; SQLite if not given")
    arguments = parser.parse_args()
    rows = arguments.rows or (QUICK_ROWS if arguments.quick else ROWS)

    from backend.core.migrations import upgrade

    with tempfile.TemporaryDirectory(prefix="assay-benchmark-") as folder:
        path = Path(folder) / "rows.csv"
        expected = write_rows(path, rows)
        file_mb = path.stat().st_size / 2**20
        url = arguments.database_url or f"sqlite:///{folder}/assay.sqlite3"
        upgrade(url)
        first = measure(url, path)
        again = measure(url, path)
    is_right = (
        first["rows_read"] == rows
        and first["rows_rejected"] == again["rows_rejected"] == expected
        and first["rows_new"] == again["rows_unchanged"] == rows - expected
    )
    print(f"{rows:,} rows, {file_mb:.0f} MiB of CSV: imported, then imported again", flush=True)
    figures = {
        "rows_per_second": round(rows / first["seconds"]),
        "peak_mb": round(first["peak_mb"], 1),
        "growth_mb": round(first["peak_mb"] - first["before_mb"], 1),
        "rows": rows,
        "rejects": first["rows_rejected"],
        "seconds": round(first["seconds"], 1),
        "again_rows_per_second": round(rows / again["seconds"]),
        "again_growth_mb": round(again["peak_mb"] - again["before_mb"], 1),
        "is_right": is_right,
    }
    print(json.dumps(figures))
    if not is_right:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
