"""Dawid-Skene on a million labels, ours against crowd-kit's.

    python -m benchmarks.consensus_speed [--quick] [--labels N] [--repeats N]

Labels of 200 annotators with random confusion matrices, five an item, of 5 and of 10 classes.
Both start from the same table in memory, with the same iterations and the same stop; ours
includes coding the labels. ``ratio_k5`` and ``ratio_k10`` are crowd-kit's seconds over ours
(ours the median of ``--repeats``), ``difference`` the largest of any probability.
``update_seconds`` is the median for the consensus of 100 items whose labels changed, by the
tables that ``fit_consensus`` found before.
"""

import argparse
import json
import time
import warnings
from importlib import import_module
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from labeling.consensus.base import LabelFrame
from labeling.consensus.consensus_model import model_of
from labeling.consensus.dawid_skene import dawid_skene, fit_smoothed

ANNOTATORS = 200
VOTES = 5
CHANGED = 100  # items


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="100,000 labels")
    parser.add_argument("--labels", type=int)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    labels = options.labels or (100_000 if options.quick else 1_000_000)
    with threadpool_limits(1):
        runs = {f"k{classes}": measure(labels, classes, options.repeats) for classes in (5, 10)}
    result = {
        "benchmark": "consensus_speed",
        "labels": labels,
        **{f"ratio_{name}": round(run["crowd_kit"] / run["ours"], 2) for name, run in runs.items()},
        "difference": max(run["difference"] for run in runs.values()),
        "update_seconds": max(run["update"] for run in runs.values()),
        "seconds": runs,
    }
    print(json.dumps(result))


def measure(labels: int, classes: int, repeats: int) -> dict[str, Any]:
    """Seconds of both, and the largest difference."""
    frame = simulate(labels, classes, np.random.default_rng(classes))
    spent = []
    for _ in range(repeats):
        fresh = LabelFrame(frame.items, frame.annotators, frame.labels)
        started = time.perf_counter()
        ours = dawid_skene(fresh)
        spent.append(time.perf_counter() - started)
    table = import_module("pandas").DataFrame(
        {
            "task": frame.items,
            "worker": frame.annotators,
            "label": frame.labels.astype(object),
        }
    )
    peer = import_module("crowdkit.aggregation").DawidSkene()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = time.perf_counter()
        theirs = peer.fit_predict_proba(table)
        crowd_kit = time.perf_counter() - started
    same = theirs.loc[ours.item_ids, ours.classes.tolist()].to_numpy()
    model = model_of(frame.codes, fit_smoothed(frame.codes), "dawid_skene")
    updates = []
    for first in range(0, labels // 2, max(CHANGED * VOTES, labels // 100)):
        rows = slice(first, first + CHANGED * VOTES)
        changed = LabelFrame(frame.items[rows], frame.annotators[rows], frame.labels[rows])
        started = time.perf_counter()
        model.consensus(changed)
        updates.append(time.perf_counter() - started)
    return {
        "ours": float(np.median(spent)),
        "crowd_kit": crowd_kit,
        "difference": float(np.abs(same - ours.probabilities).max()),
        "update": float(np.median(updates)),
    }


def simulate(labels: int, classes: int, rng: np.random.Generator) -> LabelFrame:
    """Labels by annotators who are right 40 to 90 times of 100."""
    items = np.repeat(np.arange(labels // VOTES), VOTES)
    truth = rng.integers(0, classes, labels // VOTES)[items]
    annotators = rng.integers(0, ANNOTATORS, len(items))
    right = rng.random(len(items)) < rng.uniform(0.4, 0.9, ANNOTATORS)[annotators]
    others = (truth + rng.integers(1, classes, len(items))) % classes
    said = np.where(right, truth, others)
    return LabelFrame(items, annotators, said.astype(np.str_))


if __name__ == "__main__":
    main()
