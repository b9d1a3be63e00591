"""Learning on a stream: what is forgotten, and what it costs, against cold training on everything.

    python -m benchmarks.forgetting [--quick] [--data FILE --text COL --label COL --domain COL]
        [--rows N] [--seeds N] [--encoder NAME] [--cache FOLDER]

The domains (product categories by default) arrive one after the other, in an order drawn by the
seed. ``class_incremental``: the label is the domain itself, so that every step brings a class.
``domain_incremental``: the label is --label, asked of one domain after the other. Arms: ``naive``
(the new rows alone, warm), ``replay_1000`` and ``replay_4000`` (new rows and a buffer),
``all_warm`` (all rows so far, warm; ours by default) and ``all_cold`` (all rows so far, anew). All
have the same embeddings and classifier; a fifth of each domain is held out. The last line is one
JSON object, with an object for each stream and arm, and those of ours at the top (means over the
streams; single values in ``streams``):

- ``accuracy``: on the held-out rows of all domains, after the last step,
- ``forgetting``: mean over the domains but the last of the best earlier accuracy minus the last,
- ``steps_ratio``: work over that of ``all_cold``. Work is what L-BFGS does: evaluations of loss
  and gradient times the rows of each, in all fits of a training, those that choose scales and
  calibrate out of fold included. ``final_fit_ratio`` counts the fit of the heads alone.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from tqdm import tqdm

from active_learning.classifiers import head_training, logistic_heads
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.replay import ReplayBuffer, fit_with_replay
from active_learning.encoders.embedding_cache import EmbeddingCache
from active_learning.encoders.loading import load_encoder
from active_learning.simulation.experiment import LabelledData
from backend.ingestion.readers import open_reader

DATA = Path(os.environ.get("ASSAY_DATA", "../shared/data"))
DEFAULT = DATA / "zh_online_shopping_10cats/data.csv.gz"
ARMS = ("naive", "replay_1000", "replay_4000", "all_warm", "all_cold")
OURS, COLD = "all_warm", "all_cold"
SAMPLE_SEED = 7
MIN_ROWS = 20
"""Domains with fewer rows are left out."""


@dataclass(frozen=True)
class Stream:
    """Rows, what to say of them, and the domain in which each arrives."""

    data: LabelledData
    domains: NDArray[np.str_]
    is_held_out: NDArray[np.bool_]


@dataclass
class Work:
    """Evaluations of loss and gradient times rows."""

    everything: int = 0
    final_fit: int = 0


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="3,000 rows, one seed")
    parser.add_argument("--data", type=Path, default=DEFAULT)
    parser.add_argument("--text", default="review")
    parser.add_argument("--label", default="label", help="asked in every domain")
    parser.add_argument("--domain", default="cat")
    parser.add_argument("--rows", type=int, help="drawn at random; 24,000 by default")
    parser.add_argument("--seeds", type=int, help="orders of the domains; 3 by default")
    parser.add_argument("--encoder", default="bundled-multilingual")
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "assay-forgetting"
    )
    options = parser.parse_args()
    rows = options.rows or (3_000 if options.quick else 24_000)
    seeds = options.seeds or (1 if options.quick else 3)
    embeddings, labels, domains = read(options, rows)
    streams: dict[str, dict[str, Any]] = {}
    for name, answers in (("class_incremental", domains), ("domain_incremental", labels)):
        if len(set(answers.tolist())) < 2:
            continue
        data = LabelledData.of_embeddings(embeddings, answers)
        runs = [
            run(Stream(data, domains, held_out(domains, seed)), seed, f"{name}, seed {seed}")
            for seed in range(seeds)
        ]
        streams[name] = summary(runs)
        print(json.dumps({name: streams[name]}), flush=True)
    ours = [arms[OURS] for arms in streams.values()]
    result = {
        "benchmark": "forgetting",
        **{
            key: round(float(np.mean([arm[key] for arm in ours])), 4)
            for key in ("accuracy", "forgetting", "steps_ratio", "final_fit_ratio")
        },
        "default": OURS,
        "streams": streams,
        "rows": len(domains),
        "domains": sorted(set(domains.tolist())),
        "seeds": seeds,
        "encoder": options.encoder,
        "counted": "L-BFGS evaluations of loss and gradient x rows",
    }
    print(json.dumps(result))


def read(
    options: argparse.Namespace, limit: int
) -> tuple[NDArray[np.float32], NDArray[np.str_], NDArray[np.str_]]:
    """(embeddings, labels, domains) of up to ``limit`` rows that have all three columns."""
    wanted = (options.text, options.label, options.domain)
    with open_reader(options.data) as reader:
        missing = [column for column in wanted if column not in reader.columns]
        if missing:
            raise SystemExit(f"{options.data} has no column {missing}; it has {reader.columns}.")
        rows = [
            tuple(str(row[column] or "").strip() for column in wanted) for _, row in reader.rows()
        ]
    rows = [row for row in rows if all(row)]
    drawn = np.random.default_rng(SAMPLE_SEED).permutation(len(rows))[:limit]
    rows = [rows[place] for place in drawn.tolist()]
    domains = np.array([row[2] for row in rows])
    names, counts = np.unique(domains, return_counts=True)
    kept = np.isin(domains, names[counts >= MIN_ROWS])
    cache = EmbeddingCache(options.cache, load_encoder(options.encoder))
    with tqdm(total=1.0, desc="embedding", bar_format="{desc} {percentage:3.0f}%|{bar}|") as bar:

        def show(share: float, _message: object) -> None:
            bar.update(max(0.0, share - bar.n))

        embeddings = cache.embed([row[0] for row in rows], show)
    return embeddings[kept], np.array([row[1] for row in rows])[kept], domains[kept]


def held_out(domains: NDArray[np.str_], seed: int) -> NDArray[np.bool_]:
    """A fifth of each domain."""
    rng = np.random.default_rng([SAMPLE_SEED, seed])
    mask = np.zeros(len(domains), dtype=bool)
    for name in np.unique(domains):
        places = rng.permutation(np.flatnonzero(domains == name))
        mask[places[: max(1, len(places) // 5)]] = True
    return mask


def run(stream: Stream, seed: int, title: str) -> dict[str, dict[str, float]]:
    """The figures of every arm on one order of the domains."""
    order = np.random.default_rng([SAMPLE_SEED, seed, 1]).permutation(np.unique(stream.domains))
    return {
        arm: run_arm(stream, order.tolist(), arm, seed)
        for arm in tqdm(ARMS, desc=title, unit="arm")
    }


def run_arm(stream: Stream, order: list[str], arm: str, seed: int) -> dict[str, float]:
    """One arm on one stream."""
    data = stream.data
    rows_of = {
        name: np.flatnonzero((stream.domains == name) & ~stream.is_held_out) for name in order
    }
    tests = [np.flatnonzero((stream.domains == name) & stream.is_held_out) for name in order]
    accuracies = np.full((len(order), len(order)), np.nan)
    work, seconds = Work(), 0.0
    capacity = int(arm.rsplit("_", 1)[1]) if arm.startswith("replay") else 1
    buffer, known = ReplayBuffer(capacity, seed=seed), None
    past: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
    for step, name in enumerate(order):
        new = rows_of[name]
        past = np.concatenate([past, new])
        rows = past if arm.startswith("all") else new
        made = RecordClassifier(data.layout, data.classes, seed=seed)
        started = time.perf_counter()
        with counted(work):
            if arm.startswith("replay"):
                known = fit_with_replay(
                    made, data.features[new], data.labels[new], buffer, warm_start=known
                )
            else:
                start = None if arm == COLD else known
                known = made.fit(data.features[rows], data.labels[rows], warm_start=start)
        seconds += time.perf_counter() - started
        for task in range(step + 1):
            truth = data.labels[tests[task]].tolist()
            accuracies[step, task] = known.score(data.features[tests[task]], truth)
    sizes = np.array([len(places) for places in tests])
    drops = [
        accuracies[task:-1, task].max() - accuracies[-1, task] for task in range(len(order) - 1)
    ]
    return {
        "accuracy": float(np.average(accuracies[-1], weights=sizes)),
        "forgetting": float(np.mean(drops)) if drops else 0.0,
        "work": float(work.everything),
        "final_fit_work": float(work.final_fit),
        "seconds": seconds,
    }


@contextmanager
def counted(work: Work) -> Iterator[None]:
    """The work of all heads that are fitted inside is added up."""
    evaluations: list[int] = []

    def minimising(*arguments: Any, **settings: Any) -> Any:
        found = minimize(*arguments, **settings)
        evaluations.append(int(found.nfev))
        return found

    def fitting(features: NDArray[Any], *arguments: Any, **settings: Any) -> Any:
        heads = logistic_heads.fit_heads(features, *arguments, **settings)
        done = evaluations.pop() * len(features)
        work.everything += done
        if settings["iterations"] != head_training.FOLD_ITERATIONS:
            work.final_fit += done
        return heads

    with (
        patch.object(logistic_heads, "minimize", minimising),
        patch.object(head_training, "fit_heads", fitting),
    ):
        yield


def summary(runs: list[dict[str, dict[str, float]]]) -> dict[str, Any]:
    """Means over the seeds, by arm, and the work against that of the cold arm."""
    arms: dict[str, Any] = {}
    for arm in ARMS:
        ratios = {
            "steps_ratio": [one[arm]["work"] / one[COLD]["work"] for one in runs],
            "final_fit_ratio": [
                one[arm]["final_fit_work"] / one[COLD]["final_fit_work"] for one in runs
            ],
        }
        values = {key: [one[arm][key] for one in runs] for key in ("accuracy", "forgetting")}
        arms[arm] = {
            **{key: round(float(np.mean(of)), 4) for key, of in (values | ratios).items()},
            "accuracy_std": round(float(np.std(values["accuracy"])), 4),
            "seconds": round(float(np.mean([one[arm]["seconds"] for one in runs])), 1),
        }
    return arms


if __name__ == "__main__":
    main()
