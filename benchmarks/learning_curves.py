"""Learning curves: our default choice against random, modAL, small-text and scikit-activeml.

    python -m benchmarks.learning_curves [--quick] [--data FILE --text COLS --label COL]
        [--strategies NAMES] [--seeds N] [--budget N] [--encoder NAME] [--cache FOLDER]
        [--fine-tune SEEDS]

Every arm has the same embeddings, the same head, the same held-out split and 25 labels a round;
macro-F1 is on the split. Ours begins with its cold start, every rival with the same random rows.
Ours spends its audit share on random records and learns from them. Without --data the sets are
those below ASSAY_DATA (../shared/data). The last line is one JSON object:

- ``labels_ratio``: labels to 95 % of the full-data score, ours over random: geometric mean over
  the seeds with its bootstrap interval. A curve that does not get there counts as there at the
  budget; ``censored`` counts those of ours and of random.
- ``system_labels_ratio``: our whole default, fine-tuned challenger included, over random choice
  with the frozen encoder and logistic regression (see ``fine_tuned_system``); null without
  ``--fine-tune``, which takes minutes a seed on a CPU. ``system_runs`` tells each seed.
- ``area_ours``, ``area_best_peer``, ``best_peer``: areas under the curves, means over the seeds.
- ``above_random``: share of curve points at or above random's of the same seed;
  ``worst_area_loss``: the largest mean loss of area against random of any set.
- ``rare_found``: share of the pool's positives that are labelled at the end of the budget, at 2 %
  and 0.5 % prevalence, mean over the seeds for ``default``, ``rare_classes`` and ``random``, beside
  ``positives``, how many there were in each seed's pool, and ``with_all_labels``, the share among
  the likeliest records, as many as the budget, of cross-validated logistic regressions that
  learnt all labels. All records of the file take part (``--quick``: a sample). Null, with
  ``why``, where a pool would hold fewer than 20 positives.
"""

import argparse
import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from tqdm import tqdm

from active_learning.simulation.analysis import analyse
from active_learning.simulation.experiment import LabelledData, Plan, Round, Split, run_curve
from active_learning.simulation.grid import run_grid
from backend.ingestion.readers import open_reader
from backend.simulation.labelled_file import LabelledFile, embed_file, read_labelled_file
from benchmarks.fine_tuned_system import system_figures
from benchmarks.peers import PEERS, QUICK_PEERS, make_chooser

DATA = Path(os.environ.get("ASSAY_DATA", "../shared/data"))
SETS = {
    "al_cr": ("al_cr/data.csv", "text", "label"),
    "al_trec6": ("al_trec6/data.csv", "text", "label"),
    "al_subj": ("al_subj/data.csv.gz", "text", "label"),
    "zh_online_shopping_10cats": ("zh_online_shopping_10cats/data.csv.gz", None, None),
    "ed_retail_inventory_nt": ("ed_retail_inventory_nt", None, None),
}
QUICK_SETS = ("al_cr", "al_trec6")
RARE_FROM = "al_subj"
PREVALENCES = (0.02, 0.005)
RARE_STRATEGIES = ("default", "rare_classes", "random")
RARE_TEST_SHARE = 0.05
"""The score is not asked for, so nearly all records are in the pool."""
FEWEST_POSITIVES = 20
QUICK_RARE_LIMIT = 2_600
SAMPLE_SEED = 7
LIMIT = 8_000


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="two sets, few records and rivals")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--text", default="", help="columns, with commas between; none: all others")
    parser.add_argument("--label")
    parser.add_argument("--strategies", help="rivals, with commas between; random always runs")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--budget", type=int)
    parser.add_argument("--encoder", default="auto")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "assay-curves")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--fine-tune",
        type=int,
        default=0,
        metavar="SEEDS",
        help="also fine-tune, for so many seeds",
    )
    options = parser.parse_args()
    if options.data and not options.label:
        parser.error("--data needs --label")
    seeds = options.seeds or (2 if options.quick else 5)
    plan = Plan(budget=options.budget or (200 if options.quick else 500))
    limit = 1_200 if options.quick else LIMIT
    rivals = list(QUICK_PEERS if options.quick else PEERS)
    if options.strategies:
        rivals = options.strategies.split(",")
    arms = list(dict.fromkeys(["default", *rivals, "random"]))
    names = [str(options.data)] if options.data else list(QUICK_SETS if options.quick else SETS)
    sets: dict[str, Any] = {}
    for name in names:
        if options.data:
            texts = [column for column in options.text.split(",") if column]
            file = read_labelled_file(options.data, options.label, texts)
        elif not (DATA / SETS[name][0]).exists():
            print(f"{name}: not below {DATA}, left out")
            continue
        else:
            file = named_set(name)
        data = features(sample(file, limit), options)
        with tqdm(total=1.0, desc=name, bar_format="{desc} {percentage:3.0f}%|{bar}|") as bar:

            def show(share: float, _message: object, bar: Any = bar) -> None:
                bar.update(max(0.0, share - bar.n))

            runs = run_grid(
                data,
                plan,
                arms,
                range(seeds),
                options.cache / "runs",
                make=make_chooser,
                jobs=options.jobs,
                progress=show,
            )
        sets[name] = summary(analyse(runs)) | {"records": len(data.labels)}
        if options.fine_tune:
            found = system_figures(
                sample(file, limit).texts, data, plan, options.encoder, options.fine_tune
            )
            if found is not None:
                sets[name] |= {
                    "system_labels_ratio": _rounded(found["ratio"]),
                    "system_runs": found["runs"],
                }
        print(json.dumps({name: sets[name]}), flush=True)
    ours = list(sets.values())
    result = {
        "benchmark": "learning_curves",
        "sets": sets,
        "above_random": _rounded(np.mean([one["above_random"] for one in ours])) if ours else None,
        "worst_area_loss": (
            _rounded(max(0.0, *(-one["area_gain"] for one in ours))) if ours else None
        ),
        "rare_found": None if options.data else rare_found(options, plan, seeds),
        "seeds": seeds,
        "encoder": options.encoder,
        "plan": plan.as_dict(),
    }
    print(json.dumps(result))


def named_set(name: str) -> LabelledFile:
    """One of the default sets."""
    path, text, label = SETS[name]
    if name == "ed_retail_inventory_nt":
        return graded(DATA / path)
    if text is None or label is None:
        with open_reader(DATA / path) as reader:
            columns = list(reader.columns)
        label = next(c for c in columns if c in {"cat", "category"})
        text = next(c for c in columns if c in {"review", "text"})
    return read_labelled_file(DATA / path, label, [text])


def graded(folder: Path) -> LabelledFile:
    """Dirty records, graded by how many fields differ from the clean ones: 0, 1, more."""
    from active_learning.encoders.record_text import record_text

    with open_reader(folder / "dirty.csv.gz") as reader:
        dirty = [row for _, row in reader.rows()]
    with open_reader(folder / "clean.csv.gz") as reader:
        clean = [row for _, row in reader.rows()]
    grades = [
        ("good", "fair", "poor")[min(2, sum(row[c] != true[c] for c in true))]
        for row, true in zip(dirty, clean, strict=True)
    ]
    return LabelledFile([record_text(row) for row in dirty], np.array(grades), 0, 0)


def sample(file: LabelledFile, limit: int) -> LabelledFile:
    """At most so many rows, drawn once."""
    rows = np.random.default_rng(SAMPLE_SEED).permutation(len(file.texts))[:limit]
    return LabelledFile([file.texts[row] for row in rows], file.labels[rows], 0, 0)


def features(file: LabelledFile, options: argparse.Namespace) -> LabelledData:
    """Its embeddings, from the cache where they are there."""
    return embed_file(file, options.encoder, options.cache / "embeddings")


def summary(result: dict[str, Any]) -> dict[str, Any]:
    """The figures of one set."""
    arms = result["strategies"]
    ours = arms["default"]
    rivals = {name: of["area"]["value"] for name, of in arms.items() if name in PEERS}
    best = max(rivals, key=lambda name: rivals[name]) if rivals else None
    reached = ours["reach_95"]
    ratio = reached["ratio"]
    return {
        "labels_ratio": _rounded(ratio["value"]),
        "labels_ratio_interval": [_rounded(ratio["low"]), _rounded(ratio["high"])],
        "censored": {"default": reached["censored"], "random": reached["random_censored"]},
        "system_labels_ratio": None,
        "area_ours": _rounded(ours["area"]["value"]),
        "area_random": _rounded(arms["random"]["area"]["value"]),
        "area_best_peer": None if best is None else _rounded(rivals[best]),
        "best_peer": best,
        "area_gain": _rounded(ours["area_gain"]["value"]),
        "above_random": _rounded(ours["above_random"]),
        "full_score": _rounded(result["full_score"]),
        "areas": {name: _rounded(of["area"]["value"]) for name, of in arms.items()},
    }


def rare_found(options: argparse.Namespace, plan: Plan, seeds: int) -> dict[str, Any] | None:
    """Share of the positives found, by prevalence and strategy."""
    if not (DATA / SETS[RARE_FROM][0]).exists():
        return None
    file = named_set(RARE_FROM)
    if options.quick:
        file = sample(file, QUICK_RARE_LIMIT)
    data = features(file, options)
    plan = replace(plan, test_share=RARE_TEST_SHARE)
    return {
        f"{prevalence:.1%}": _found_at(data, prevalence, plan, seeds) for prevalence in PREVALENCES
    }


def _found_at(data: LabelledData, prevalence: float, plan: Plan, seeds: int) -> dict[str, Any]:
    positive = data.classes[-1]
    thinned = [_thinned(data, positive, prevalence, seed) for seed in range(seeds)]
    positives = [
        int((Split.of(thin, plan, seed).answers == positive).sum())
        for seed, thin in enumerate(thinned)
    ]
    shares: dict[str, Any] = dict.fromkeys(RARE_STRATEGIES)
    if min(positives) < FEWEST_POSITIVES:
        why = f"{min(positives)} positives in a pool, fewer than {FEWEST_POSITIVES}"
        return shares | {"positives": positives, "why": why}
    for strategy in RARE_STRATEGIES:
        found = [
            _positives_chosen(thin, positive, strategy, plan, seed) / positives[seed]
            for seed, thin in enumerate(thinned)
        ]
        shares[strategy] = _rounded(np.mean(found))
    reach = [_reach(thin, positive, plan, seed) for seed, thin in enumerate(thinned)]
    return shares | {"with_all_labels": _rounded(np.mean(reach)), "positives": positives}


def _reach(data: LabelledData, positive: str, plan: Plan, seed: int) -> float:
    """Share of positives among the likeliest records, as many as the budget allows.

    The probabilities are of classifiers that learnt all labels but the fold's own: the embedding
    lets hardly more be found.
    """
    split = Split.of(data, plan, seed)
    is_positive = split.answers == positive
    features = np.asarray(data.features[split.pool])
    learner = LogisticRegression(C=10, class_weight="balanced", max_iter=500)
    likely = cross_val_predict(learner, features, is_positive, cv=5, method="predict_proba")[:, 1]
    best = np.argsort(-likely)[: plan.budget]
    return float(is_positive[best].sum() / is_positive.sum())


def _thinned(data: LabelledData, positive: str, prevalence: float, seed: int) -> LabelledData:
    """All other records, and as many positives as the prevalence asks for."""
    rng = np.random.default_rng([SAMPLE_SEED, seed])
    common = np.flatnonzero(data.labels != positive)
    wanted = max(1, round(len(common) * prevalence / (1 - prevalence)))
    rare = rng.permutation(np.flatnonzero(data.labels == positive))[:wanted]
    rows = np.sort(np.concatenate([common, rare]))
    return LabelledData(data.features[rows], data.layout, data.labels[rows])


def _positives_chosen(
    data: LabelledData, positive: str, strategy: str, plan: Plan, seed: int
) -> int:
    choose = make_chooser(strategy, plan)
    chosen: list[int] = []

    def watched(state: Round, count: int) -> list[int]:
        batch = choose(state, count)
        chosen.extend(batch)
        return batch

    run_curve(data, plan, seed, watched)
    return int((Split.of(data, plan, seed).answers[chosen] == positive).sum())


def _rounded(value: Any) -> float | None:
    return None if value is None else round(float(value), 4)


if __name__ == "__main__":
    main()
