"""Texts and tables with known labels, on which encoders are compared."""

import csv
import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.record_features import layout_of
from active_learning.columns.signals import ColumnSignals, Signals
from active_learning.encoders.record_text import record_text
from active_learning.simulation.experiment import LabelledData
from active_learning.types import Embeddings
from benchmarks.learning_curves import DATA

DRAW_SEED = 7
TODAY = date(2026, 6, 1)
"""Of the column signals: the tables do not change, and neither does what is unusual in them."""
RAREST = 20
"""Fewer records of a grade say little about it: the table's grades become two. Chosen."""


@dataclass(frozen=True)
class LabelledSet:
    """Texts, or the records of a table, with their true labels."""

    name: str
    texts: list[str]
    labels: NDArray[np.str_]
    records: list[dict[str, Any]] | None = None
    """None where the text is all there is."""

    @cached_property
    def _signals(self) -> tuple[ColumnSignals, Signals]:
        assert self.records is not None
        fitted = ColumnSignals.fit(self.records, fields=list(self.records[0]), today=TODAY)
        return fitted, fitted.transform(self.records)

    def features(self, embeddings: Embeddings) -> LabelledData:
        """What a classifier reads, as in the product: embeddings (n, d), of records signals too."""
        if self.records is None:
            return LabelledData.of_embeddings(embeddings, self.labels)
        fitted, signals = self._signals
        layout = layout_of(embeddings.shape[1], fitted)
        return LabelledData(layout.join(embeddings, signals), layout, self.labels)


TEXTS = {
    "cr": ("al_cr/data.csv", "text", "label"),
    "trec6": ("al_trec6/data.csv", "text", "label"),
    "subj": ("al_subj/data.csv.gz", "text", "label"),
    "youtube_spam": ("youtube_spam/data.csv", "text", "label"),
    "zh_category": ("zh_online_shopping_10cats/data.csv.gz", "review", "cat"),
    "zh_shopping": ("zh_online_shopping_10cats/data.csv.gz", "review", "label"),
    "zh_polarity": ("zh_eprstmt/data.csv.gz", "text", "label"),
}
GRADED = {
    "retail_inventory": "ed_retail_inventory_nt",
    "hospital": "ed_hospital",
    "beers": "ed_beers",
    "rayyan": "ed_rayyan",
}
TABLES = {
    "shop_sessions": ("online_shoppers_behaviour/data.csv.gz", "Revenue", ()),
    "product_pairs": ("crowd_product/items.csv.gz", "truth", ("item", "left_id", "right_id")),
    "walmart_amazon": ("em_walmart_amazon_dirty/pairs.csv.gz", "label", ("split",)),
}
QUICK = ("cr", "trec6", "zh_category", "zh_polarity", "hospital")


def readers(limit: int) -> dict[str, Callable[[], LabelledSet]]:
    """What reads each set that is there, at most so many records of it; text sets first."""
    found: dict[str, Callable[[], LabelledSet]] = {}
    for name, (path, text, label) in TEXTS.items():
        if (DATA / path).exists():
            found[name] = partial(text_set, name, DATA / path, text, label, limit)
    for name, folder in GRADED.items():
        if (DATA / folder).exists():
            found[name] = partial(graded_table, name, DATA / folder, limit)
    for name, (path, label, unread) in TABLES.items():
        if (DATA / path).exists():
            found[name] = partial(labelled_table, name, DATA / path, label, unread, limit)
    return found | {"demo": partial(demo_table, limit)}


def text_set(name: str, path: Path, text: str, label: str, limit: int) -> LabelledSet:
    """One column of a CSV file, with another as label."""
    rows = [row for row in rows_of(path) if row[label]]
    return _drawn(name, [row[text] for row in rows], [row[label] for row in rows], limit)


def labelled_table(
    name: str, path: Path, label: str, unread: Sequence[str], limit: int
) -> LabelledSet:
    """The records of a CSV file, with one column as label and some not read."""
    rows = [row for row in rows_of(path) if row[label]]
    records = [
        {column: value for column, value in row.items() if column not in {label, *unread}}
        for row in rows
    ]
    return _drawn(name, records, [row[label] for row in rows], limit)


def graded_table(name: str, folder: Path, limit: int) -> LabelledSet:
    """Dirty records, graded by how many fields differ from the clean ones: 0, 1, more."""
    dirty, clean = (rows_of(next(folder.glob(f"{which}.csv*"))) for which in ("dirty", "clean"))
    columns = [column for column in dirty[0] if column in clean[0] and column != "index"]
    wrong = [
        sum(row[column] != true[column] for column in columns)
        for row, true in zip(dirty, clean, strict=True)
    ]
    grades = np.array(["good", "fair", "poor"])[np.minimum(wrong, 2)]
    if np.unique(grades, return_counts=True)[1].min() < RAREST:
        grades = np.where(np.array(wrong) > 0, "wrong", "good")
    return _drawn(name, [{c: row[c] for c in columns} for row in dirty], grades.tolist(), limit)


def demo_table(limit: int) -> LabelledSet:
    """The demo's generated shop records, English and Chinese, with their true grades."""
    from tempfile import TemporaryDirectory

    from backend.demo.source import generate_source
    from backend.ingestion.readers import open_reader
    from benchmarks.labelled_table import as_record

    with TemporaryDirectory() as place:
        source = generate_source(Path(place), 2 * limit, DRAW_SEED)
        with open_reader(source.file) as reader:
            rows = [dict(row) for _, row in reader.rows()]
    truth = source.truth
    assert truth is not None, "a generated source knows it"
    grades = [truth.of(as_record(str(row[source.id_column or ""]), row)).grade for row in rows]
    records = [{name: row.get(name) for name in source.schema.fields} for row in rows]
    return _drawn("demo", records, grades, limit)


def rows_of(path: Path) -> list[dict[str, str]]:
    """Of a CSV file, compressed or not."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _drawn(
    name: str, items: Sequence[str] | Sequence[dict[str, Any]], labels: Sequence[str], limit: int
) -> LabelledSet:
    rows = np.random.default_rng(DRAW_SEED).permutation(len(labels))[:limit].tolist()
    drawn, answers = [items[row] for row in rows], np.array([labels[row] for row in rows])
    texts = [each for each in drawn if isinstance(each, str)]
    records = [each for each in drawn if not isinstance(each, str)]
    if texts:
        return LabelledSet(name, texts, answers)
    return LabelledSet(name, [record_text(each) for each in records], answers, records)
