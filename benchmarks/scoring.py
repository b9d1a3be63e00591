"""Scoring records: ours against ``transformers.pipeline`` with the same encoder.

    python -m benchmarks.scoring [--quick] [--records N] [--data FILE]

The rival is what a user writes: the feature-extraction pipeline at its default batch size, then the
mean over each text's own tokens. Both embed the same texts, in interleaved slices, so that other
load on the machine hits both alike. Uncertainty is the margin of one head that was trained on the
rival's float32 embeddings. The last line is one JSON object:

- ``ratio_to_pipeline``: rival's seconds over ours,
- ``top100_kept``: share of the rival's 100 most uncertain records that are ours too,
- ``float32_ratio_to_pipeline``, ``float32_top100_kept``: the same with ``ASSAY_DTYPE=float32``,
- ``rescore_ratio``: embedding and scoring anew over scoring from the cache after a retraining.
"""

import argparse
import csv
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from active_learning.classifiers.logistic_heads import fit_heads, softmax
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import FeatureLayout, layout_of
from active_learning.columns.signals import ColumnSignals
from active_learning.encoders.base import unit_rows
from active_learning.encoders.bundled import bundled_english_folder
from active_learning.encoders.embedding_cache import EmbeddingCache
from active_learning.encoders.loading import load_encoder
from active_learning.encoders.record_text import record_text

SLICE = 250
TRAINING = 300


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="1,000 records")
    parser.add_argument("--records", type=int, default=None)
    parser.add_argument("--data", type=Path, default=None, help="a CSV of records")
    options = parser.parse_args()
    count = options.records or (1_000 if options.quick else 5_000)
    records = read_records(options.data, count) if options.data else demo_records(count)
    print(json.dumps(measure(records)))


def read_records(path: Path, count: int) -> list[dict[str, str]]:
    """The first ``count`` rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row, _ in zip(csv.DictReader(file), range(count), strict=False)]


def demo_records(count: int) -> list[dict[str, str]]:
    """Generated shop records, English and Chinese."""
    from backend.demo.records import generate

    return [dict(record.fields) for record in generate(count, seed=7)]


def measure(records: Sequence[dict[str, str]]) -> dict[str, Any]:
    """Everything that the last line tells."""
    texts = [record_text(record) for record in records]
    folder = str(bundled_english_folder())
    pipeline = pipeline_embedder(folder)
    encoder = load_encoder(folder)
    rivals = {
        "pipeline": pipeline,
        "ours": encoder.encode,
        "float32": load_encoder(folder, dtype="float32").encode,
    }
    vectors, seconds = embedded_in_turns(texts, rivals)
    exact, fast = vectors["pipeline"], vectors["ours"]

    signals = ColumnSignals.fit(records)
    computed = signals.transform(records)
    layout = layout_of(encoder.dimension, signals)
    features = layout.join(exact, computed)
    # Any question that the text can answer will do: here, is the record longer than usual?
    lengths = np.array([len(text) for text in texts])
    cuts = np.quantile(lengths, [0.33, 0.67])
    grades = np.array(["short", "medium", "long"])[np.searchsorted(cuts, lengths)]
    rows = np.random.default_rng(0).permutation(len(texts))[: min(TRAINING, len(texts) // 2)]
    gaps = margins([exact, fast, vectors["float32"]], exact, grades, rows)

    with tempfile.TemporaryDirectory() as place:
        cache = EmbeddingCache(Path(place), encoder)
        started = time.perf_counter()
        cache.embed(texts)
        anew = time.perf_counter() - started
        retrained = trained(layout, features, grades, rows[: len(rows) // 2])
        started = time.perf_counter()
        again = layout.join(cache.embed(texts), computed)
        looked_up = time.perf_counter() - started
        started = time.perf_counter()
        retrained.predict_all(again)
        scored = time.perf_counter() - started
    return {
        "benchmark": "scoring",
        "records": len(texts),
        "encoder": encoder.revision,
        "ratio_to_pipeline": round(seconds["pipeline"] / seconds["ours"], 2),
        "top100_kept": overlap(gaps[0], gaps[1]),
        "rescore_ratio": round((anew + scored) / (looked_up + scored), 1),
        "float32_ratio_to_pipeline": round(seconds["pipeline"] / seconds["float32"], 2),
        "float32_top100_kept": overlap(gaps[0], gaps[2]),
        "pipeline_per_second": round(len(texts) / seconds["pipeline"], 1),
        "ours_per_second": round(len(texts) / seconds["ours"], 1),
    }


def embedded_in_turns(
    texts: Sequence[str], encoders: Mapping[str, Any]
) -> tuple[dict[str, NDArray[np.float32]], dict[str, float]]:
    """(vectors, seconds) by encoder; slice by slice, so that other load hits all alike."""
    parts: dict[str, list[NDArray[np.float32]]] = {name: [] for name in encoders}
    seconds = dict.fromkeys(encoders, 0.0)
    for encode in encoders.values():
        encode(texts[:4])
    for start in tqdm(range(0, len(texts), SLICE), desc="embedding", unit="slice"):
        for name, encode in encoders.items():
            started = time.perf_counter()
            parts[name].append(encode(texts[start : start + SLICE]))
            seconds[name] += time.perf_counter() - started
    return {name: np.concatenate(rows) for name, rows in parts.items()}, seconds


def pipeline_embedder(folder: str) -> Any:
    """texts -> (n, d) masked means from the feature-extraction pipeline in float32."""
    from transformers import pipeline

    extract: Any = pipeline("feature-extraction", model=folder, tokenizer=folder, dtype="float32")

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        # One text at a time has no padding, so the mean over its tokens is the masked mean.
        outputs = extract(list(texts), tokenize_kwargs={"truncation": True, "max_length": 256})
        means = [np.asarray(output[0], dtype=np.float32).mean(axis=0) for output in outputs]
        return unit_rows(np.stack(means))

    return embed


def trained(
    layout: FeatureLayout,
    features: NDArray[np.float32],
    grades: NDArray[np.str_],
    rows: NDArray[np.intp],
) -> RecordClassifier:
    """One head for both."""
    return RecordClassifier(layout, sorted(set(grades.tolist()))).fit(features[rows], grades[rows])


def margins(
    views: Sequence[NDArray[np.float32]],
    exact: NDArray[np.float32],
    grades: NDArray[np.str_],
    rows: NDArray[np.intp],
) -> list[NDArray[np.float64]]:
    """Gaps between the two most probable grades, by one head that sees the text alone."""
    names, codes = np.unique(grades, return_inverse=True)
    centre = exact[rows].mean(axis=0)
    nothing = np.zeros((len(rows), 0), dtype=np.int8)
    head = fit_heads(4.0 * (exact[rows] - centre), codes[rows], len(names), nothing)
    gaps = []
    for vectors in views:
        ordered = np.sort(softmax(head.logits(4.0 * (vectors - centre))[0]), axis=1)
        gaps.append(ordered[:, -1] - ordered[:, -2])
    return gaps


def overlap(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Share of the 100 smallest that both have."""
    count = min(100, len(first))
    one, two = (set(np.argsort(gaps)[:count].tolist()) for gaps in (first, second))
    return len(one & two) / count


if __name__ == "__main__":
    main()
