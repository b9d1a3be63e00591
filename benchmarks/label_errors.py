"""Suspected label errors and data value, ours against cleanlab on the same probabilities.

    python -m benchmarks.label_errors [--quick] [--probs NPZ] [--truth NPZ_KEY] [--rows N]
        [--seeds N] [--data FOLDER] [--encoder NAME]

``--probs`` holds ``pred_probs`` (n, classes) and ``given_label`` (n,). With a key named by
``--truth`` (``true_label`` by default) that holds the true labels, these say what is wrong;
without it labels are flipped at random on top, and the flipped ones are what is to be found.

On texts and tables labels are flipped too: ``uniform`` to any other class, ``pair`` to the next
class. Ours and cleanlab's ``find_label_issues`` with its defaults start from the same heads, and
cleanlab's ranking is its self-confidence; ours may train again without what it doubts, and on
tables of numbers lets a forest join. ``f1`` and ``auroc`` are means over all sets and noises; real
errors of the sets count against both.

Data value is the AUROC of "this label was flipped" by the out-of-fold score, a forest out of bag
(on the same matrix) and KNN-Shapley (among the labelled records), with milliseconds a thousand
records. ``weights_gain`` is the accuracy on true labels that weighting the training labels by
their value adds, ``weights_gain_clean`` the same without any flipped label.
"""

import argparse
import csv
import gzip
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, roc_auc_score
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from active_learning.classifiers.logistic_heads import fit_heads
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import FeatureLayout, RecordFeatures
from active_learning.columns.signals import ColumnSignals
from active_learning.data_value.knn_shapley import knn_shapley_within
from active_learning.data_value.out_of_fold import Views, design_label_errors, honest_design
from active_learning.data_value.pruning import value_weights
from active_learning.encoders.embedding_cache import EmbeddingCache
from active_learning.encoders.loading import load_encoder
from active_learning.label_errors import label_errors
from active_learning.types import Marks
from benchmarks.labelled_table import open_source, read_table

Codes = NDArray[np.intp]
Matrix = NDArray[np.float32]
TEXTS = {
    "al_trec6": ("data.csv", "text", "label"),
    "zh_online_shopping_10cats": ("data.csv.gz", "review", "cat"),
}
NOISES = (("uniform", 0.1), ("uniform", 0.2), ("pair", 0.1))
FIGURES = ("f1", "auroc", "f1_cleanlab", "auroc_cleanlab")


@dataclass(frozen=True)
class LabelledSet:
    """Records with true labels, and what heads read of them when trained on given ones."""

    name: str
    codes: Codes
    classes: list[str]
    design: Callable[[Codes], Matrix]
    table: Matrix | None = None


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer rows and one seed")
    parser.add_argument("--probs", type=Path, help="ready-made probabilities and labels")
    parser.add_argument("--truth", default="true_label", help="key of the true labels in --probs")
    parser.add_argument("--rows", type=int, help="of every set")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--encoder", default="auto")
    parser.add_argument("--cache", type=Path, help="folder of embeddings that is kept")
    options = parser.parse_args()
    rows = options.rows or (800 if options.quick else 4_000)
    seeds = options.seeds or (1 if options.quick else 3)
    probs = options.probs or options.data / "label_errors_20news" / "20news.npz"
    ready = ready_made(probs, options.truth, seeds)
    with TemporaryDirectory(prefix="assay-benchmark-") as folder, threadpool_limits(1):
        cache = options.cache or Path(folder)
        sets = [
            *(text_set(options.data / name, rows, options.encoder, cache) for name in TEXTS),
            retail_set(options.data / "ed_retail_inventory_nt", rows, cache, Path(folder)),
            shoppers_set(options.data / "online_shoppers_behaviour" / "data.csv.gz", rows),
        ]
        plans = [
            (one, kind, rate, seed)
            for one in sets
            for kind, rate in NOISES
            for seed in range(seeds)
        ]
        runs = [run(*plan) for plan in tqdm(plans, unit="run")]
        clean = [
            weights_gain(one, one.codes, one.design(one.codes), seed)
            for one in sets
            for seed in range(seeds)
        ]
    result = {
        "benchmark": "label_errors",
        **{key: value for key, value in mean_of(runs).items() if key in FIGURES},
        "probs": {"file": probs.name, **ready},
        "sets": {
            one.name: mean_of([found for found in runs if found["set"] == one.name]) for one in sets
        },
        "data_value": {
            key: value for key, value in mean_of(runs).items() if key.startswith(("value_", "ms_"))
        },
        "weights_gain": mean_of(runs)["weights_gain"],
        "weights_gain_clean": round(float(np.mean(clean)), 4),
        "rows": rows,
        "seeds": seeds,
    }
    print(json.dumps(result, ensure_ascii=False))


def ready_made(path: Path, truth: str, seeds: int) -> dict[str, Any]:
    """Figures on ready-made probabilities."""
    stored = np.load(path, allow_pickle=False)
    p = stored["pred_probs"].astype(np.float64)
    p /= p.sum(axis=1, keepdims=True)
    given = stored["given_label"].astype(np.intp)
    if truth in stored:
        wrong = stored[truth].astype(np.intp) != given
        return {"errors": "real", **compared(p, given, wrong)}
    runs = []
    for seed in range(seeds):
        for kind, rate in NOISES:
            noisy = flipped(given, p.shape[1], kind, rate, seed)
            runs.append(compared(p, noisy, noisy != given))
    return {"errors": "flipped on top of real ones", **mean_of(runs)}


def compared(p: NDArray[np.float64], given: Codes, wrong: NDArray[np.bool_]) -> dict[str, float]:
    """Ours and cleanlab's on the same probabilities, nothing trained again."""
    names = [str(code) for code in range(p.shape[1])]
    found = label_errors(p, [str(code) for code in given.tolist()], names)
    return figures(wrong, found.is_suspected, found.scores) | cleanlab_figures(p, given, wrong)


def run(one: LabelledSet, kind: str, rate: float, seed: int) -> dict[str, Any]:
    """Everything that is measured on one set with one noise."""
    given = flipped(one.codes, len(one.classes), kind, rate, seed)
    wrong = given != one.codes
    matrix = one.design(given)
    labels = [one.classes[code] for code in given.tolist()]
    started = time.perf_counter()
    found = design_label_errors(matrix, labels, one.classes, table=one.table, seed=seed)
    spent = {"out_of_fold": time.perf_counter() - started}
    views = Views(matrix, None, len(one.classes), 5, seed)
    p = views.probabilities(given, np.ones(len(given)))
    judges = matrix if one.table is None else one.table
    started = time.perf_counter()
    forest = Views(matrix, judges, len(one.classes), 5, seed).out_of_bag(given, np.ones(len(given)))
    spent["out_of_bag"] = time.perf_counter() - started
    started = time.perf_counter()
    shapley = knn_shapley_within(matrix, given, seed=seed)
    spent["knn_shapley"] = time.perf_counter() - started
    own = forest[np.arange(len(given)), given]
    result: dict[str, Any] = {"set": one.name, **cleanlab_figures(p, given, wrong)}
    result |= figures(wrong, found.is_suspected, found.scores)
    result |= {"noise": float(wrong.mean()), "noise_estimated": found.noise_rate}
    result |= {"value_out_of_fold": result["auroc"]}
    result["value_out_of_bag"] = float(roc_auc_score(wrong, -own))
    result["value_knn_shapley"] = float(roc_auc_score(wrong, -shapley))
    result |= {f"ms_{name}_per_1000": 1e6 * took / len(given) for name, took in spent.items()}
    return result | {"weights_gain": weights_gain(one, given, matrix, seed)}


def weights_gain(one: LabelledSet, given: Codes, matrix: Matrix, seed: int) -> float:
    """Accuracy on true labels of records held out: weighted less unweighted training."""
    order = np.random.default_rng([seed, 1]).permutation(len(given))
    train, test = order[: round(0.7 * len(order))], order[round(0.7 * len(order)) :]
    count = len(one.classes)
    labels = [one.classes[code] for code in given[train].tolist()]
    table = None if one.table is None else one.table[train]
    errors = design_label_errors(matrix[train], labels, one.classes, table=table, seed=seed)
    marks: Marks = np.zeros((len(train), 0), np.int8)
    scores = []
    for weights in (value_weights(errors), None):
        heads = fit_heads(matrix[train], given[train], count, marks, sample_weight=weights)
        answers = heads.logits(matrix[test])[0].argmax(axis=1)
        scores.append(float((answers == one.codes[test]).mean()))
    return scores[0] - scores[1]


def figures(
    wrong: NDArray[np.bool_], suspected: NDArray[np.bool_], scores: NDArray[np.float64]
) -> dict[str, float]:
    """F1 of what is suspected, AUROC of the ranking."""
    return {"f1": float(f1_score(wrong, suspected)), "auroc": float(roc_auc_score(wrong, scores))}


def cleanlab_figures(
    p: NDArray[np.float64], given: Codes, wrong: NDArray[np.bool_]
) -> dict[str, float]:
    """The same by cleanlab's defaults."""
    filters, rank = import_module("cleanlab.filter"), import_module("cleanlab.rank")
    issues = filters.find_label_issues(given, p, n_jobs=1)
    quality = rank.get_label_quality_scores(given, p)
    return {f"{key}_cleanlab": value for key, value in figures(wrong, issues, -quality).items()}


def flipped(codes: Codes, classes: int, kind: str, rate: float, seed: int) -> Codes:
    """Labels of which about ``rate`` are another class."""
    rng = np.random.default_rng([seed, round(1000 * rate)])
    shift = rng.integers(1, classes, len(codes)) if kind == "uniform" else 1
    noisy: Codes = np.where(rng.random(len(codes)) < rate, (codes + shift) % classes, codes)
    return noisy


def mean_of(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Means of every number."""
    keys = [key for key, value in runs[0].items() if isinstance(value, float)]
    return {key: round(float(np.mean([found[key] for found in runs])), 4) for key in keys}


def text_set(folder: Path, rows: int, encoder: str, cache: Path) -> LabelledSet:
    """Texts as records of one field."""
    file, column, label = TEXTS[folder.name]
    table = read_rows(folder / file, rows)
    records = [{column: row[column]} for row in table]
    maker = RecordFeatures(EmbeddingCache(cache, load_encoder(encoder)), ColumnSignals.fit(records))
    return of_features(
        folder.name, maker.transform(records), maker.layout, [r[label] for r in table]
    )


def retail_set(folder: Path, rows: int, cache: Path, scratch: Path) -> LabelledSet:
    """The inventory's grade; which fields are faulty is known, the grade is what may be wrong."""
    found = read_table(open_source(folder, None, None, scratch), rows, "characters", cache)
    _, signals = found.layout.split(found.features)
    return of_features(
        folder.name,
        found.features,
        found.layout,
        found.grades.tolist(),
        found.faulty_fields,
        np.concatenate([signals.record, signals.cells.reshape(len(found.grades), -1)], axis=1),
    )


def of_features(
    name: str,
    features: Matrix,
    layout: FeatureLayout,
    labels: list[str],
    faulty_fields: Marks | None = None,
    table: Matrix | None = None,
) -> LabelledSet:
    """A set whose design matrix is the record classifier's own."""
    classes, codes = np.unique(np.array(labels), return_inverse=True)

    def design(given: Codes) -> Matrix:
        classifier = RecordClassifier(layout, classes.tolist())
        classifier.fit(features, classes[given], faulty_fields=faulty_fields)
        return honest_design(classifier, features, faulty_fields)

    return LabelledSet(name, codes.astype(np.intp), classes.tolist(), design, table)


def shoppers_set(file: Path, rows: int) -> LabelledSet:
    """Sessions as standardised numbers, words as one column each; does the visitor buy?"""
    table = read_rows(file, rows)
    columns: list[NDArray[np.float64]] = []
    for name in (name for name in table[0] if name != "Revenue"):
        values = np.array([row[name] for row in table])
        try:
            columns.append(values.astype(np.float64)[:, None])
        except ValueError:
            columns.append((values[:, None] == np.unique(values)).astype(np.float64))
    numbers = np.concatenate(columns, axis=1)
    numbers = (numbers - numbers.mean(axis=0)) / np.maximum(numbers.std(axis=0), 1e-9)
    matrix = np.clip(numbers, -6, 6).astype(np.float32)
    classes, codes = np.unique([row["Revenue"] for row in table], return_inverse=True)
    return LabelledSet(
        file.parent.name, codes.astype(np.intp), classes.tolist(), lambda _: matrix, matrix
    )


def read_rows(file: Path, limit: int) -> list[dict[str, str]]:
    """Up to ``limit`` rows drawn at random."""
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [rows[place] for place in np.random.default_rng(7).permutation(len(rows))[:limit]]


if __name__ == "__main__":
    main()
