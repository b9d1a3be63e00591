"""How well wrong fields are found after a few records were marked.

    python -m benchmarks.field_errors [--quick] [--dirty CSV --clean CSV] [--rows 20]
                                      [--seeds 10] [--sampler mixture]

Truth is where the dirty table differs from the clean one, character by character. A simulated
annotator marks every field of the ``--rows`` records that a sampler asks for. F1, precision and
recall are those of the faulty class over ALL cells of the table, the marked ones with their
marks: the same count as in Raha's published runs. ``f1_mean`` is of ``--sampler``; the same run
measures ``random`` and ``clustering`` (Raha's way to choose) with the same model, and
``f1_pooled_forest``: the plain pooled forest on raw cell signals that grades records, with
random records.

By default: the error-detection tables in ../shared/data (or $ASSAY_DATA), and two tables broken
here, one of them made here, with a few kinds of faults in each column that nothing was tuned on.
"""

import argparse
import csv
import gzip
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support
from tqdm import tqdm

from active_learning.classifiers.faulty_fields import FaultyFieldModel
from active_learning.field_errors import SAMPLERS, CellTable, FieldErrorDetector
from active_learning.types import Marks

DATA = Path(os.environ.get("ASSAY_DATA", "../shared/data"))
FOLDERS = {
    "hospital": "ed_hospital",
    "beers": "ed_beers",
    "rayyan": "ed_rayyan",
    "retail_inventory": "ed_retail_inventory_nt",
}
FIRST_ROWS = 4
STEP = 2
QUICK_SEEDS = 3
QUICK_ROWS = 3_000
BREAK_SEED = 41
Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Broken:
    """A dirty table and where it is wrong."""

    name: str
    rows: Rows
    wrong: Marks


def read_table(path: Path) -> Rows:
    """The rows of a CSV file as texts."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def compared(name: str, dirty: Rows, clean: Rows) -> Broken:
    """The dirty rows, wrong where the clean ones differ; columns are matched by position.

    Raises:
        SystemExit: the tables do not have the same shape, or nothing to compare.
    """
    if not dirty or not clean:
        raise SystemExit(f"{name}: a table without rows cannot be compared; give both files rows.")
    shapes = [(len(rows), len(rows[0])) for rows in (dirty, clean)]
    if shapes[0] != shapes[1]:
        raise SystemExit(
            f"{name}: the dirty table has {shapes[0][0]} rows x {shapes[0][1]} columns, the clean "
            f"one {shapes[1][0]} x {shapes[1][1]}; give two versions of the same table."
        )
    wrong = [
        [a != b for a, b in zip(one.values(), other.values(), strict=True)]
        for one, other in zip(dirty, clean, strict=True)
    ]
    return Broken(name, dirty, np.array(wrong, dtype=np.int8))


def shop_orders(rng: np.random.Generator, rows: int = 3_000) -> Rows:
    """Sound orders: a product decides brand and category, a city its post code and state."""
    syllables = ["ka", "lo", "mi", "ren", "tas", "vor", "bel", "dun", "sha", "pi", "gro", "nex"]

    def word(parts: int) -> str:
        return "".join(rng.choice(syllables, parts)).capitalize()

    brands = [word(2) for _ in range(25)]
    kinds = ["Kettle", "Lamp", "Jacket", "Phone Case", "Backpack", "Mug", "Blanket", "Speaker"]
    products = [
        (f"{rng.choice(brands)}", str(rng.choice(kinds)), word(3), float(rng.integers(9, 400)))
        for _ in range(160)
    ]
    cities = [
        (word(3), f"{rng.integers(10_000, 99_999)}", str(rng.choice(["NW", "SO", "EA", "MI"])))
        for _ in range(60)
    ]
    out: Rows = []
    for number in range(rows):
        brand, kind, model, price = products[int(rng.integers(len(products)))]
        city, code, state = cities[int(rng.integers(len(cities)))]
        day = f"2025-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}"
        first, last = word(2), word(3)
        out.append(
            {
                "order_id": f"O-{100_000 + number}",
                "title": f"{brand} {kind} {model}",
                "brand": brand,
                "category": kind,
                "price": f"{price:.2f}",
                "quantity": str(int(rng.integers(1, 6))),
                "ordered_on": day,
                "customer": f"{first} {last}",
                "email": f"{first}.{last}@mail.com".lower(),
                "city": city,
                "post_code": code,
                "state": state,
                "note": "" if rng.random() < 0.7 else "leave at the door",
            }
        )
    return out


def break_table(
    name: str, clean: Rows, rng: np.random.Generator, share: tuple[float, float] = (0.0, 0.06)
) -> Broken:
    """A copy with faults: each column gets a rate from ``share`` and two kinds of fault."""
    fields = list(clean[0])
    dirty = [dict(row) for row in clean]

    def slip(text: str) -> str:
        place = int(rng.integers(len(text))) if text else 0
        letter = "abcdefghijklmnopqrstuvwxyz0123456789"[int(rng.integers(36))]
        swapped = text[:place] + text[place : place + 2][::-1] + text[place + 2 :]
        slips = [text[:place] + text[place + 1 :], text[:place] + letter + text[place:]]
        return str(rng.choice([*slips, text[:place] + letter + text[place + 1 :], swapped]))

    def number(text: str) -> str:
        try:
            return f"{float(text) * float(rng.choice([10, 100, -1])):g}"
        except ValueError:
            return slip(text)

    def format_of(text: str) -> str:
        if len(text) == 10 and text[4:5] == "-":
            return f"{text[5:7]}/{text[8:]}/{text[:4]}"
        return str(rng.choice([text.upper(), text.lower(), f" {text}", f"{text}.", f"{text} pc"]))

    kinds: dict[str, Callable[[str, str], str]] = {
        "slip": lambda text, _: slip(text),
        "empty": lambda *_: "",
        "word": lambda *_: str(rng.choice(["N/A", "null", "-"])),
        "other row": lambda _, field: clean[int(rng.integers(len(clean)))][field],
        "other field": lambda *_: clean[int(rng.integers(len(clean)))][str(rng.choice(fields))],
        "number": lambda text, _: number(text),
        "format": lambda text, _: format_of(text),
    }
    for field in fields:
        rate = rng.uniform(*share)
        chosen = rng.choice(list(kinds), 2, replace=False)
        for row in dirty:
            if rng.random() < rate:
                row[field] = kinds[str(rng.choice(chosen))](row[field], field)
    return compared(name, dirty, clean)


def default_tables(quick: bool) -> list[Broken]:
    """The known tables that are there, and those that are broken here."""
    tables = []
    for name, folder in FOLDERS.items():
        ends = [end for end in (".csv", ".csv.gz") if (DATA / folder / f"dirty{end}").exists()]
        if not ends:
            print(f"{name}: {DATA / folder} is absent, skipped")
            continue
        both = [read_table(DATA / folder / f"{side}{ends[0]}") for side in ("dirty", "clean")]
        if quick:
            both = [rows[:QUICK_ROWS] for rows in both]
        tables.append(compared(name, *both))
        if name == "retail_inventory":
            rng = np.random.default_rng(BREAK_SEED)
            tables.append(break_table("broken_inventory", both[1][:QUICK_ROWS], rng))
    rng = np.random.default_rng(BREAK_SEED + 1)
    return [*tables, break_table("broken_orders", shop_orders(rng), rng)]


def marked_table(
    table: CellTable, wrong: Marks, rows: int, sampler: str, seed: int
) -> tuple[NDArray[np.bool_], Marks]:
    """The predictions after ``rows`` records were chosen and marked, and their marks."""
    detector = FieldErrorDetector(table, seed=seed)
    marks = np.full(wrong.shape, -1, dtype=np.int8)
    rows = min(rows, len(wrong))
    step = rows if sampler == "random" else FIRST_ROWS
    while (done := int((marks[:, 0] >= 0).sum())) < rows:
        chosen = detector.choose_rows(min(step, rows - done), sampler=sampler)
        marks[chosen] = wrong[chosen]
        detector.fit(marks)
        step = STEP
    return detector.predict(), marks


def scores(wrong: Marks, predicted: NDArray[np.bool_]) -> tuple[float, float, float]:
    """F1, precision and recall of the faulty class over all cells."""
    precision, recall, f1, _ = precision_recall_fscore_support(
        wrong.ravel(), predicted.ravel(), average="binary", zero_division=0
    )
    return float(f1), float(precision), float(recall)


def plain_forest(table: CellTable, wrong: Marks, marks: Marks, seed: int) -> float:
    """F1 of the forest on raw signals that the record classifier uses."""
    rows = np.flatnonzero(marks[:, 0] >= 0)
    model, _ = FaultyFieldModel.fit(table.cells[rows], wrong[rows], seed=seed)
    predicted = model.predict_proba(table.cells) > 0.5
    predicted[rows] = wrong[rows] == 1
    return scores(wrong, predicted)[0]


def measure(broken: Broken, rows: int, seeds: int, sampler: str) -> dict[str, Any]:
    """All figures of one table."""
    started = time.perf_counter()
    table = CellTable(broken.rows)
    features = time.perf_counter() - started
    found: dict[str, list[tuple[float, float, float]]] = {}
    plain, seconds = [], []
    for seed in tqdm(range(seeds), desc=broken.name):
        for way in dict.fromkeys([sampler, *SAMPLERS]):
            started = time.perf_counter()
            predicted, marks = marked_table(table, broken.wrong, rows, way, seed)
            if way == sampler:
                seconds.append(time.perf_counter() - started)
            found.setdefault(way, []).append(scores(broken.wrong, predicted))
            if way == "random":
                plain.append(plain_forest(table, broken.wrong, marks, seed))
    means = {way: np.mean(values, axis=0) for way, values in found.items()}
    rounded = {
        "f1_mean": means[sampler][0],
        "f1_std": np.std([values[0] for values in found[sampler]]),
        "precision_mean": means[sampler][1],
        "recall_mean": means[sampler][2],
        "f1_random": means["random"][0],
        "f1_clustering": means["clustering"][0],
        "f1_mixture": means["mixture"][0],
        "f1_pooled_forest": np.mean(plain),
        "error_rate": broken.wrong.mean(),
    }
    figures: dict[str, Any] = {key: round(float(value), 4) for key, value in rounded.items()}
    figures["seconds"] = round(features + float(np.mean(seconds)), 2)
    figures["feature_seconds"] = round(features, 2)
    print(f"{broken.name}: {json.dumps(figures)}", flush=True)
    return figures


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--dirty", type=Path)
    parser.add_argument("--clean", type=Path)
    parser.add_argument("--rows", type=int, default=20, help="records that are marked")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--sampler", choices=SAMPLERS, default="mixture")
    parser.add_argument("--quick", action="store_true", help="fewer seeds and rows")
    args = parser.parse_args()
    if (args.dirty is None) != (args.clean is None):
        parser.error("--dirty and --clean go together")
    if args.rows < 1 or args.seeds < 1:
        parser.error("--rows and --seeds must be 1 or more")
    seeds = min(args.seeds, QUICK_SEEDS) if args.quick else args.seeds
    if args.dirty is not None:
        one = compared(args.dirty.stem, read_table(args.dirty), read_table(args.clean))
        print(json.dumps(measure(one, args.rows, seeds, args.sampler)))
        return
    tables = default_tables(args.quick)
    results = {table.name: measure(table, args.rows, seeds, args.sampler) for table in tables}
    keys = list(next(iter(results.values())))
    print(json.dumps({key: {name: found[key] for name, found in results.items()} for key in keys}))


if __name__ == "__main__":
    main()
