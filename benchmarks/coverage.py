"""Do the promises hold? Simulated active-learning runs against the truth of the whole pool.

Every run works as the loop does: each batch draws a share of random audit records from what is
unlabelled and fills up by the champion's margin; logistic regression with an out-of-fold
temperature learns from the latter alone, and the gate compares it with the champion on the audit
sample of the moment. Compared are, for the champion that the gate chose,

- the 95 % audit interval of accuracy with the accuracy on records of the same source that were
  never in the pool (``interval_coverage``: what the figure is read as, the accuracy on new data)
  and with that on all records that training has not seen (``unseen_coverage``: there the hard
  ones are missing, because they were chosen), with the mean gaps in points (``bias_new``,
  ``bias_unseen``), also of the first batch's audits alone, drawn before any choice
  (``bias_new_first_batch``);
- the certified threshold of an acceptance, beside the naive one (lowest threshold with the target
  met on the audit sample), with the errors among the open records that each accepts; corrected for
  the versions that the gate chose from, and as if there had been no choice (``uncorrected_``); and
  the same if the champion is asked after every batch and alpha is spent over the looks
  (``ever_broken``);
- the same for 15 challengers that are all alike, the worst case (see ``benchmarks.challengers``);
- the calibration error on the audit sample before and after temperature scaling;
- the 80 % interval of the stopping advice, given one batch before the end for as many labels as
  follow, with the gain in accuracy on the records that neither of the two versions has seen.

By default: the text sets in ../shared/data (or $ASSAY_DATA) on cached sentence embeddings, and
generated tables where there is none. The last line of stdout is one JSON object.
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from threadpoolctl import threadpool_limits

from active_learning.acceptance import (
    certify,
    choose_accepted,
    share_of_candidate,
    threshold_grid,
)
from active_learning.encoders.embedding_cache import EmbeddingCache
from active_learning.encoders.loading import load_encoder
from active_learning.evaluation import evaluate, expected_calibration_error
from active_learning.stopping import CurvePoint, advise
from benchmarks.audited_loop import Settings, Snapshot, audited_history
from benchmarks.challengers import broken_by_choice

DATA = Path(os.environ.get("ASSAY_DATA", "../shared/data"))
SETS = ("al_trec6/data.csv", "al_cr/data.csv", "al_subj/data.csv.gz")


def main() -> None:
    """Runs, prints a table and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="48 runs on 2,500 rows of each set")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--data", type=Path, nargs="*", help="CSV files; the default sets if none")
    parser.add_argument("--text", default="text")
    parser.add_argument("--label", default="label")
    parser.add_argument("--encoder", default="bundled-en")
    parser.add_argument("--cache", type=Path, default=Path(".cache/coverage"))
    parser.add_argument("--pool", type=int, help="records of one run")
    parser.add_argument("--audit", type=int, default=400, help="audit records of one run")
    parser.add_argument("--target", type=float, default=0.05)
    parser.add_argument("--delta", type=float, default=0.10)
    parser.add_argument("--reserve", action="store_true", help="all audits before any choice")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    runs = chosen.runs or (48 if chosen.quick else 200)
    pool = chosen.pool or (1500 if chosen.quick else 2500)
    settings = Settings(pool, chosen.audit, 4, chosen.target, chosen.delta, chosen.reserve)
    began = time.perf_counter()
    paths = chosen.data or [DATA / name for name in SETS if (DATA / name).exists()]
    rows_each = 2500 if chosen.quick else 6000
    sets = [_embedded(path, chosen, rows_each) for path in paths]
    sets = sets or [("generated", *_generated())]
    jobs = [(*sets[seed % len(sets)], seed, settings) for seed in range(runs)]
    with ProcessPoolExecutor(chosen.jobs, mp_context=get_context("fork")) as workers:
        rows = pd.DataFrame(list(workers.map(_run, jobs)))
    print(rows.groupby("set").mean().round(3).T.to_string())
    means = rows.drop(columns="set").mean()
    figures: dict[str, Any] = {name: round(float(means[name]), 4) for name in means.index}
    figures |= {"runs": runs, "target": chosen.target, "delta": chosen.delta}
    figures |= {"sets": [name for name, _, _ in sets], "audit": chosen.audit}
    print(json.dumps(figures | {"seconds": round(time.perf_counter() - began, 1)}))


def _embedded(path: Path, chosen: argparse.Namespace, rows: int) -> tuple[str, Any, Any]:
    """At most that many random rows of the file, embedded."""
    frame = pd.read_csv(path).dropna(subset=[chosen.text, chosen.label])
    frame = frame.sample(min(len(frame), rows), random_state=0)
    cache = EmbeddingCache(chosen.cache, load_encoder(chosen.encoder, threads=chosen.jobs))
    texts = frame[chosen.text].astype(str).tolist()
    return path.parent.name, cache.embed(texts), frame[chosen.label].astype(str).to_numpy()


def _generated() -> tuple[Any, Any]:
    x, y = make_classification(
        6000, 30, n_informative=12, n_classes=3, class_sep=1.5, flip_y=0.03, random_state=0
    )
    return x, y.astype(str)


def _run(job: tuple[Any, ...]) -> dict[str, Any]:
    name, x, y, seed, settings = job
    with threadpool_limits(1):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(y))
        history, versions = audited_history(x[order], y[order], settings, rng)
    last = history[-1]
    pool = len(last.known) + len(last.audited) + len(last.open_rows)
    return {
        "set": name,
        **_interval(y[order], last, pool, seed),
        **_acceptance(history, settings, seed),
        **broken_by_choice(seed, target=settings.target, delta=settings.delta),
        **_advice(versions),
        "ece_before": expected_calibration_error(
            last.raw.max(axis=1)[last.audited], last.right[last.audited]
        ),
        "ece_after": expected_calibration_error(last.sure[last.audited], last.right[last.audited]),
        "accuracy": float(last.right[last.open_rows].mean()),
    }


def _interval(y: Any, last: Snapshot, pool: int, seed: int) -> dict[str, float]:
    """The audit interval against the accuracy on new and on all untrained records."""
    rows = last.audited
    found = evaluate(y[rows].tolist(), last.scaled[rows], last.classes, seed=seed).accuracy
    unseen = float(last.right[np.concatenate([rows, last.open_rows])].mean())
    new = float(last.right[pool:].mean())
    # The new records are a finite sample too: their gap has the variance 1/n + 1/m, not 1/n.
    count = len(y) - pool
    expected = found.value + (new - found.value) * np.sqrt(count / (count + len(rows)))
    first = last.right[rows[: len(rows) // 5]].mean()
    return {
        "interval_coverage": float(found.low <= expected <= found.high),
        "unseen_coverage": float(found.low <= unseen <= found.high),
        "bias_new": 100 * (found.value - new),
        "bias_new_first_batch": 100 * float(first - new),
        "bias_unseen": 100 * (found.value - unseen),
    }


def _acceptance(history: Sequence[Snapshot], settings: Settings, seed: int) -> dict[str, float]:
    """Broken promises of the last champion alone, of the naive rule, and of a look a batch."""
    last, target, delta = history[-1], settings.target, settings.delta

    def accepted(at: Snapshot, share: float, look: int | None = None) -> tuple[int, int]:
        sure, right, pool = at.sure[at.audited], at.right[at.audited], at.sure[at.open_rows]
        rule = certify(sure, right, pool, target=target, delta=delta, look=look, share=share)
        return at.accepted_errors(choose_accepted(pool, rule, audit_share=0, seed=seed).accepted)

    wrong, taken = accepted(last, share_of_candidate(len(history)))
    alone_wrong, alone_taken = accepted(last, 1.0)
    looks = [
        accepted(at, share_of_candidate(number), number)
        for number, at in enumerate(history, start=1)
    ]
    naive = _naive(
        last.sure[last.audited], last.right[last.audited], last.sure[last.open_rows], target
    )
    naive_wrong, naive_taken = last.accepted_errors(naive)
    return {
        "promise_broken": float(wrong > target * taken),
        "accepted_share": taken / len(last.open_rows),
        "certified_share": float(taken > 0),
        "accepted_error": wrong / taken if taken else np.nan,
        "uncorrected_promise_broken": float(alone_wrong > target * alone_taken),
        "uncorrected_accepted_share": alone_taken / len(last.open_rows),
        "ever_broken": float(any(bad > target * size for bad, size in looks)),
        "ever_certified": float(any(size for _, size in looks)),
        "naive_promise_broken": float(naive_wrong > target * naive_taken),
        "naive_accepted_share": naive_taken / len(last.open_rows),
    }


def _advice(history: Sequence[Snapshot]) -> dict[str, float]:
    """The advice after the last batch but one against what the last batch gained."""
    before, after = history[-2], history[-1]
    points = [
        CurvePoint(len(at.known), float(at.right[at.audited].mean()), len(at.audited))
        for at in history[:-1]
    ]
    found = advise(points, len(after.known) - len(before.known))
    unseen = np.ones(len(after.right), bool)
    unseen[after.known] = False
    gain = float(after.right[unseen].mean() - before.right[unseen].mean())
    if found.gain is None or found.low is None or found.high is None:
        return {}
    return {
        "advice_coverage": float(found.low <= gain <= found.high),
        "advice_error": 100 * abs(found.gain - gain),
        "advice_width": 100 * (found.high - found.low),
        "gain": 100 * gain,
    }


def _naive(sure: Any, right: Any, pool: Any, target: float) -> Any:
    """Places at or above the lowest threshold with an audited error of at most the target."""
    best = np.inf
    for threshold in threshold_grid(pool):
        above = sure >= threshold
        if above.any() and (~right[above]).mean() <= target:
            best = threshold
    return np.flatnonzero(pool >= best)


if __name__ == "__main__":
    main()
