"""Records of the demo's sources as features with their true labels, for benchmarks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from active_learning.classifiers.record_features import FeatureLayout, RecordFeatures
from active_learning.columns.signals import ColumnSignals
from active_learning.encoders.embedding_cache import EmbeddingCache
from active_learning.encoders.loading import load_encoder
from active_learning.types import Features, Marks
from backend.core.clock import utc_now
from backend.demo.records import TODAY
from backend.demo.source import DemoSource, generate_source, own_file, paired_tables
from backend.demo.truth import Truth
from backend.ingestion.readers import open_reader
from backend.models import Record
from labeling.label_schema import LabelSchema

GENERATED = 20_000
DATA_SEED = 7


@dataclass(frozen=True)
class Table:
    """Records as features, with their true labels."""

    features: Features
    layout: FeatureLayout
    schema: LabelSchema
    grades: NDArray[np.str_]
    issues: Marks
    faulty_fields: Marks


def open_source(
    data: Path | None, schema: Path | None, id_column: str | None, folder: Path
) -> DemoSource:
    """The same sources as the demo's."""
    if data is None:
        return generate_source(folder, GENERATED, DATA_SEED)
    if data.is_dir():
        return paired_tables(data, folder, is_simulated=True)
    return own_file(data, schema, id_column, is_simulated=True)


def read_table(source: DemoSource, limit: int, encoder: str, cache: Path) -> Table:
    """Up to ``limit`` records, drawn at random, with features and truth."""
    with open_reader(source.file) as reader:
        rows = [dict(row) for _, row in reader.rows()]
    drawn = np.random.default_rng(DATA_SEED).permutation(len(rows))[:limit]
    rows = [rows[place] for place in sorted(drawn.tolist())]
    schema, truth = source.schema, source.truth
    assert truth is not None, "a source whose annotators are simulated"
    truths: list[Truth] = []
    records: list[dict[str, Any]] = []
    for number, row in enumerate(rows):
        fields = {name: row.get(name) for name in schema.fields}
        external_id = str(row[source.id_column]) if source.id_column else str(number)
        truths.append(truth.of(as_record(external_id, row)))
        records.append(fields)
    # Generated records are current on a day of their own.
    today = TODAY if source.dataset == "demo-shop" else date.today()
    with tqdm(total=1.0, desc="features", bar_format="{desc} {percentage:3.0f}%|{bar}|") as bar:

        def show(share: float, _message: object) -> None:
            bar.update(max(0.0, share - bar.n))

        signals = ColumnSignals.fit(records, fields=list(schema.fields), today=today)
        maker = RecordFeatures(EmbeddingCache(cache, load_encoder(encoder)), signals)
        features = maker.transform(records, show)
    return Table(
        features,
        maker.layout,
        schema,
        np.array([truth.grade for truth in truths]),
        marks([truth.issues for truth in truths], schema.issue_values),
        marks([truth.faulty_fields for truth in truths], schema.fields),
    )


def as_record(external_id: str, row: dict[str, Any]) -> Record:
    """The row as a record that no store holds."""
    return Record(
        dataset_id=0,
        external_id=external_id,
        content_hash="",
        kind="",
        fields=row,
        source="",
        created_at=utc_now(),
    )


def marks(answers: Sequence[Sequence[str]], names: Sequence[str]) -> Marks:
    """(n, names) 1 where the answer holds the name, else 0."""
    table = [[name in answer for name in names] for answer in answers]
    return np.array(table, dtype=np.int8).reshape(len(answers), len(names))
