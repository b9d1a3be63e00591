"""Choosing 100 of 10,000, 100,000 and 1,000,000 records: seconds and memory.

    python -m benchmarks.selection [--quick] [--sizes N ...] [--dimension D] [--count N]
        [--classes N] [--labelled N] [--limit SECONDS]

Each strategy chooses from the same random vectors and probabilities, in a process of its own, next
to modAL's ranked batch and small-text's greedy core-set and contrastive sampling. A measurement
that does not finish within the limit is null, and so are larger ones of the same method. --quick
measures every method at 10,000 and the default at every size.

``seconds`` is score and select together. ``peak_mb`` is the highest resident memory of the process
above what it held with its inputs loaded: vectors, probabilities, committee and dropout samples.
The top-level ``seconds`` and ``peak_mb`` are those of the default, size by size. The last line is
one JSON object.
"""

import argparse
import json
import multiprocessing
import resource
import time
from typing import Any

import numpy as np

from active_learning.query_strategies.base import Candidates
from active_learning.query_strategies.factory import make_strategy, strategy_names

SIZES = (10_000, 100_000, 1_000_000)
QUICK_SIZE = 10_000
LOADING = 60.0
"""Seconds that the default's process may take in all: making a million vectors takes half."""
PEERS = ("modal_ranked_batch", "small_text_greedy_coreset", "small_text_contrastive")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="10,000 and the default only")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--labelled", type=int, default=500)
    parser.add_argument("--limit", type=float, help="seconds a measurement, loading included")
    parser.add_argument("--methods", nargs="+", default=[*strategy_names(), *PEERS])
    options = parser.parse_args()
    limit = options.limit or (8.0 if options.quick else 180.0)
    found: dict[str, dict[str, Any]] = {}
    for method in options.methods:
        found[method] = {}
        is_over = False
        for size in sorted(options.sizes):
            is_skipped = options.quick and size > QUICK_SIZE and method != "default"
            allowed = max(limit, LOADING) if method == "default" else limit
            is_over = is_over or is_skipped
            result = None if is_over else measured(method, size, options, allowed)
            is_over = result is None
            found[method][str(size)] = result
            print(f"{method:28} {size:>9,}  {result}", flush=True)
    default = found.get("default", {})
    print(
        json.dumps(
            {
                "benchmark": "selection",
                "seconds": {size: value and value["seconds"] for size, value in default.items()},
                "peak_mb": {size: value and value["peak_mb"] for size, value in default.items()},
                "peak_mb_is": "resident memory above the loaded inputs",
                "count": options.count,
                "dimension": options.dimension,
                "classes": options.classes,
                "labelled": options.labelled,
                "limit_seconds": limit,
                "methods": found,
            }
        )
    )


def measured(
    method: str, size: int, options: argparse.Namespace, limit: float
) -> dict[str, float] | None:
    """Seconds and megabytes of one choice in a fresh process; None beyond the limit."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    shape = (options.dimension, options.count, options.classes, options.labelled)
    process = context.Process(target=_measure, args=(sender, method, size, *shape))
    process.start()
    sender.close()
    try:
        if receiver.poll(limit):
            found: dict[str, float] = receiver.recv()
            return found
    except EOFError:
        print(f"{method} failed at {size:,}", flush=True)
    finally:
        process.kill()
        process.join()
    return None


def _measure(
    sender: Any, method: str, size: int, dimension: int, count: int, classes: int, labelled: int
) -> None:
    pool = random_pool(method, size, dimension, classes, labelled)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.perf_counter()
    chosen = _choose(method, pool, count)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if len(set(np.asarray(chosen).tolist())) != count:
        raise SystemExit(f"{method} chose {len(chosen)} records, asked were {count}.")
    sender.send({"seconds": round(seconds, 3), "peak_mb": round(peak / 1024, 1)})


def random_pool(method: str, size: int, dimension: int, classes: int, labelled: int) -> Candidates:
    """Unit vectors in 200 groups, and what the method needs besides; memory never above the end."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((200, dimension), dtype=np.float32)
    vectors = np.empty((size + labelled, dimension), dtype=np.float32)
    for start in range(0, len(vectors), 10_000):
        part = vectors[start : start + 10_000]
        part[:] = rng.standard_normal(part.shape, dtype=np.float32)
        part += centres[rng.integers(0, 200, len(part))]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    chances = rng.dirichlet(np.ones(classes), size + labelled)

    def samples(members: int) -> Any:
        return np.stack(
            [rng.dirichlet(np.ones(classes), size).astype(np.float32) for _ in range(members)]
        )

    return Candidates(
        vectors[:size],
        rng.standard_normal(size),
        [f"class {place}" for place in range(classes)],
        chances[:size],
        vectors[size:],
        chances[size:],
        np.full(classes, labelled / classes),
        samples(5) if method == "committee" else None,
        samples(10) if method == "bald" else None,
    )


def _choose(method: str, pool: Candidates, count: int) -> Any:
    if method not in PEERS:
        strategy = make_strategy(method, seed=0)
        return strategy.select(pool, strategy.score(pool), count)
    assert pool.probabilities is not None
    assert pool.labelled_vectors is not None
    if method == "modal_ranked_batch":
        from modAL.batch import ranked_batch

        learner = _Labelled(pool.labelled_vectors)
        uncertainty = 1 - pool.probabilities.max(axis=1)
        return ranked_batch(learner, pool.vectors, uncertainty, count, "euclidean", None)[0]
    if method == "small_text_greedy_coreset":
        from small_text.query_strategies.coresets import (
            greedy_coreset,
        )

        size, known = len(pool), len(pool.labelled_vectors)
        joined = np.concatenate([pool.vectors[:], pool.labelled_vectors])
        return greedy_coreset(joined, np.arange(size), np.arange(size, size + known), count)
    return _contrastive(pool, count)


def _contrastive(pool: Candidates, count: int) -> Any:
    """small-text's CAL: neighbours by scikit-learn, divergence row by row."""
    from small_text import ContrastiveActiveLearning

    strategy: Any = ContrastiveActiveLearning()
    known = pool.labelled_vectors
    assert known is not None
    strategy.embeddings = np.concatenate([pool.vectors[:], known])
    strategy.proba = np.concatenate([pool.probabilities, pool.labelled_probabilities])
    size = len(pool)
    return strategy.sample(
        None,
        None,
        np.arange(size),
        np.arange(size, size + len(known)),
        None,
        count,
        strategy.embeddings,
        strategy.proba,
    )


class _Labelled:
    """What modAL's ranked batch reads of a learner."""

    on_transformed = False

    def __init__(self, vectors: Any) -> None:
        self.X_training = vectors


if __name__ == "__main__":
    main()
