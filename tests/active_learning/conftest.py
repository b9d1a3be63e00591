"""Small seeded worlds in which what is right is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from active_learning.classifiers.record_features import FeatureLayout, RecordFeatures
from active_learning.columns.signals import ColumnSignals
from active_learning.encoders.bundled import CharacterEncoder
from active_learning.encoders.embedding_cache import EmbeddingCache

CLASSES = ("good", "fair", "poor")
ISSUES = ("missing", "typo")


@dataclass(frozen=True)
class World:
    """Records, their features, and the truth about them."""

    records: list[dict[str, str]]
    signals: ColumnSignals
    layout: FeatureLayout
    features: NDArray[np.float32]
    grades: NDArray[np.str_]
    issues: NDArray[np.int8]
    faulty: NDArray[np.int8]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """800 shop records in random order, typing slips and missing values injected."""
    rng = np.random.default_rng(3)
    kinds = {"teapot": "Kitchen", "charger": "Electronics", "novel": "Books", "茶杯": "厨房"}
    records, faulty, issues = [], [], []
    for number in range(800):
        name = str(rng.choice(list(kinds)))
        record = {
            "sku": f"A-{number:05d}",
            "title": f"{name} {rng.choice(['red', 'blue', 'large'])}",
            "category": kinds[name],
            "price": f"{rng.integers(5, 60)}.99",
            "size": str(rng.choice(["100 ML", "250 ML", "750 ML"])),
        }
        marks, kind = [0] * 5, [0, 0]
        for place, field in ((2, "category"), (4, "size")):
            if rng.random() < 0.3:
                value, at = record[field], int(rng.integers(1, len(record[field])))
                record[field] = value[:at] + "xqzk"[at % 4] + value[at:]
                marks[place], kind[1] = 1, 1
        if rng.random() < 0.2:
            record["price"] = ""
            marks[3], kind[0] = 1, 1
        records.append(record)
        faulty.append(marks)
        issues.append(kind)
    marks_of_all = np.array(faulty, dtype=np.int8)
    signals = ColumnSignals.fit(records)
    cache = EmbeddingCache(tmp_path_factory.mktemp("cache"), CharacterEncoder(64))
    features = RecordFeatures(cache, signals)
    return World(
        records,
        signals,
        features.layout,
        features.transform(records),
        np.array(CLASSES)[np.minimum(marks_of_all.sum(axis=1), 2)],
        np.array(issues, dtype=np.int8),
        marks_of_all,
    )


@pytest.fixture
def cache_folder(tmp_path: Path) -> Path:
    """An empty folder for embeddings."""
    return tmp_path / "embeddings"


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The pretended CUDA device that torch sees meanwhile."""
    pytest.importorskip("torch")
    from tests.fixtures.pretend_cuda import pretended_cuda

    with pretended_cuda(monkeypatch) as found:
        yield found
