"""The demo's learning curve: the loop's choice of records against random choice.

    python -m benchmarks.demo_curve [--quick] [--data FILE [--label-schema FILE]] [--seeds N]
        [--records N] [--budget N] [--batch N] [--encoder NAME] [--png FILE]

Both arms turn the loop as ``backend.training`` does: batches of the demo's size, the demo's share
of audit records held out of the training, a classifier that starts warm from the one before.
They differ in one thing: ours chooses with a cold start and then the default strategy, the rival
at random. Labels are the noise-free truth. Every label counts, audit records too, in both arms.

Each seed draws its own test split, which no arm may choose from; macro-F1 is measured there.
Column signals see all records and no label, as they do in the product. The full-data score is of a
classifier trained on the whole training split. The last line is one JSON object:

- ``labels_ratio``: labels to reach 95 % of the full-data macro-F1, ours over random; geometric
  mean over the seeds with its 95 % t interval. A curve that does not get there within the budget
  counts as there at the budget, is counted in ``censored``, and ``labels_ratio_is`` says what
  that makes of the ratio.
- ``area_ratio``: areas under the curves, ours over random: above 1 where ours learns faster.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from tqdm import tqdm

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.evaluation import area_under_learning_curve, macro_f1
from active_learning.learner import ActiveLearner
from active_learning.picture import axes
from active_learning.pool import Pool
from backend.demo.run import AUDIT_SHARE
from backend.training.retraining import COLD_EVERY
from benchmarks.labelled_table import DATA_SEED, Table, open_source, read_table

REACHED = 0.95
TEST_SHARE = 0.3
ARMS = {"ours": "default", "random": "random"}


@dataclass(frozen=True)
class Plan:
    """What one arm of one seed does."""

    batch: int
    budget: int
    audit_share: float


def main() -> None:
    """Measures, draws and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer records, seeds and labels")
    parser.add_argument("--data", type=Path, help="a file, or a folder of dirty and clean tables")
    parser.add_argument("--label-schema", type=Path, help="of --data FILE")
    parser.add_argument("--id-column", help="of --data FILE")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--records", type=int, help="at most so many")
    parser.add_argument("--budget", type=int, help="labels at which every curve ends")
    parser.add_argument("--batch", type=int, default=60, help="labels a round, as in the demo")
    parser.add_argument("--audit-share", type=float, default=AUDIT_SHARE)
    parser.add_argument("--encoder", default="auto")
    parser.add_argument("--cache", type=Path, help="folder of embeddings that is kept")
    parser.add_argument("--png", type=Path, help="draw the curves here")
    options = parser.parse_args()
    seeds = options.seeds or (2 if options.quick else 5)
    records = options.records or (1_000 if options.quick else 4_000)
    budget = options.budget or (420 if options.quick else 1_500)
    with tempfile.TemporaryDirectory(prefix="assay-benchmark-") as folder:
        source = open_source(options.data, options.label_schema, options.id_column, Path(folder))
        table = read_table(source, records, options.encoder, options.cache or Path(folder))
    plan = Plan(options.batch, budget, options.audit_share)
    runs = [run_seed(table, seed, plan) for seed in tqdm(range(seeds), unit="seed")]
    result = summary(runs) | {
        "benchmark": "demo_curve",
        "data": source.dataset,
        "labels_are": f"noise-free truth: {source.truth.comes_from if source.truth else ''}",
        "records": len(table.grades),
        "test_records": round(len(table.grades) * TEST_SHARE),
        "seeds": seeds,
        "batch": plan.batch,
        "audit_share": plan.audit_share,
        "budget": plan.budget,
        "encoder": options.encoder,
    }
    if options.png:
        draw(result, options.png)
    print(json.dumps(result))


def run_seed(table: Table, seed: int, plan: Plan) -> dict[str, Any]:
    """The full-data score and both curves on this seed's split."""
    order = np.random.default_rng([DATA_SEED, seed]).permutation(len(table.grades))
    tested = round(len(order) * TEST_SHARE)
    test, pool = np.sort(order[:tested]), np.sort(order[tested:])

    def score(classifier: RecordClassifier) -> float:
        return macro_f1(table.grades[test], classifier.predict(table.features[test]))

    full = score(taught(table, pool, None, seed))
    curves = {
        name: curve(table, pool, strategy, seed, plan, score) for name, strategy in ARMS.items()
    }
    return {"full": full, **curves}


def taught(
    table: Table, rows: NDArray[np.intp], before: RecordClassifier | None, seed: int
) -> RecordClassifier:
    """A classifier that has learnt the truth of these rows."""
    classifier = unfitted(table, seed)
    return classifier.fit(
        table.features[rows],
        table.grades[rows],
        issues=table.issues[rows],
        faulty_fields=table.faulty_fields[rows],
        warm_start=before,
    )


def unfitted(table: Table, seed: int) -> RecordClassifier:
    """A classifier without labels."""
    return RecordClassifier(table.layout, table.schema.grades, table.schema.issue_values, seed=seed)


def curve(
    table: Table,
    rows: NDArray[np.intp],
    strategy: str,
    seed: int,
    plan: Plan,
    score: Callable[[RecordClassifier], float],
) -> list[tuple[int, float]]:
    """(labels so far, score on the test split) after every round."""
    pool = Pool(rows.tolist())
    features = table.features[rows]
    training: list[int] = []
    points: list[tuple[int, float]] = []
    classifier = unfitted(table, seed)
    labels = version = 0
    while labels < min(plan.budget, len(rows)):
        round_seed = np.random.SeedSequence([seed, labels]).generate_state(1)[0]
        batch = ActiveLearner(
            classifier, strategy=strategy, audit_share=plan.audit_share, seed=int(round_seed)
        ).select(pool, features, plan.batch)
        pool.mark_labelled(batch.record_ids)
        labels += len(batch)
        training += [
            int(row)
            for row, is_audit in zip(batch.record_ids, batch.is_audit, strict=True)
            if not is_audit
        ]
        version += 1
        before = classifier if classifier.is_fitted and version % COLD_EVERY else None
        if len(set(table.grades[training].tolist())) > 1:  # as a retraining demands
            classifier = taught(table, np.array(training), before, seed)
            points.append((labels, score(classifier)))
    return points


def labels_to_reach(points: Sequence[tuple[int, float]], target: float) -> float | None:
    """Labels at the first crossing, straight between two points; None if there is none."""
    previous: tuple[int, float] | None = None
    for labels, value in points:
        if value >= target:
            if previous is None or previous[1] >= target:
                return float(labels)
            share = (target - previous[1]) / (value - previous[1])
            return previous[0] + share * (labels - previous[0])
        previous = (labels, value)
    return None


def summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Ratios with intervals, and the curves averaged over the seeds."""
    needed: dict[str, list[float]] = {}
    censored: dict[str, int] = {}
    areas: dict[str, list[float]] = {}
    for name in ARMS:
        found = [labels_to_reach(run[name], REACHED * run["full"]) for run in runs]
        censored[name] = found.count(None)
        needed[name] = [
            float(run[name][-1][0]) if labels is None else labels
            for run, labels in zip(runs, found, strict=True)
        ]
        areas[name] = [area_under_learning_curve(*zip(*run[name], strict=True)) for run in runs]
    ratio = ratio_with_interval(needed["ours"], needed["random"])
    meaning = {
        (False, False): "exact",
        (False, True): "upper bound: random would need more",
        (True, False): "lower bound: ours would need more",
        (True, True): "unknown: both would need more",
    }
    return {
        "labels_ratio": ratio[0],
        "labels_ratio_interval": ratio[1:],
        "labels_ratio_is": meaning[censored["ours"] > 0, censored["random"] > 0],
        "censored": censored,
        "labels_needed": {name: [round(x, 1) for x in values] for name, values in needed.items()},
        "area_ratio": ratio_with_interval(areas["ours"], areas["random"])[0],
        "area_ratio_interval": ratio_with_interval(areas["ours"], areas["random"])[1:],
        "full_macro_f1": round(float(np.mean([run["full"] for run in runs])), 4),
        "full_macro_f1_by_seed": [round(run["full"], 4) for run in runs],
        "curves": {name: mean_curve([run[name] for run in runs]) for name in ARMS},
    }


def ratio_with_interval(
    ours: Sequence[float], random: Sequence[float]
) -> tuple[float, float | None, float | None]:
    """Geometric mean of the paired ratios with its 95 % t interval."""
    logs = np.log(np.asarray(ours) / np.asarray(random))
    middle = float(logs.mean())
    if len(logs) < 2:
        return round(float(np.exp(middle)), 3), None, None
    half = float(stats.t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs)))
    low, high = np.exp(middle - half), np.exp(middle + half)
    return round(float(np.exp(middle)), 3), round(float(low), 3), round(float(high), 3)


def mean_curve(curves: Sequence[Sequence[tuple[int, float]]]) -> list[dict[str, float]]:
    """Mean and standard deviation over the seeds at each label count that all have."""
    by_seed = [dict(points) for points in curves]
    shared = sorted(set.intersection(*(set(points) for points in by_seed)))
    return [
        {
            "labels": labels,
            "macro_f1": round(float(np.mean([points[labels] for points in by_seed])), 4),
            "sd": round(float(np.std([points[labels] for points in by_seed])), 4),
        }
        for labels in shared
    ]


def draw(result: dict[str, Any], path: Path) -> None:
    """Both curves and the full-data score as a PNG."""
    title = f"{result['data']}: labels ratio {result['labels_ratio']}"
    with axes(path, {"title": title}) as plot:
        for (name, points), colour in zip(
            result["curves"].items(), ("#1f6feb", "#8b8b8b"), strict=True
        ):
            labels = [point["labels"] for point in points]
            mean = np.array([point["macro_f1"] for point in points])
            spread = np.array([point["sd"] for point in points])
            plot.plot(labels, mean, "o-", color=colour, label=name, markersize=4)
            plot.fill_between(labels, mean - spread, mean + spread, color=colour, alpha=0.15)
        full = result["full_macro_f1"]
        plot.axhline(full, color="black", linewidth=1, label=f"all labels: {full:.3f}")
        plot.axhline(REACHED * full, color="black", linewidth=1, linestyle=":", label="95 % of it")
        plot.set_xlabel("labels, audit records included")
        plot.set_ylabel("macro-F1 on the test split, mean and deviation over seeds")
        plot.set_title(title)
        plot.grid(alpha=0.3)
        plot.legend(loc="lower right")


if __name__ == "__main__":
    main()
