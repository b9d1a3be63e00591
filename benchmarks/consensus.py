"""Consensus of crowds' labels, ours against crowd-kit's methods, judged by true labels.

    python -m benchmarks.consensus [--quick] [--labels CSV --truth CSV [--features CSV]]
        [--data FOLDER] [--votes 3 2 1]

``--labels`` has columns item, worker, label; ``--truth`` item, truth; ``--features`` item and
anything else: left_X and right_X make a pair of which the similarity is read, other columns are
numbers or texts. Without them every set of ``truth_inference`` and ``crowd_product`` is measured.

``accuracy`` and ``f1`` (of the last class where there are two, else macro) are of ``automatic``,
which sees no true label, in percent; a tie counts as the chance to break it right. ``best_peer``
is the best accuracy of crowd-kit's MajorityVote, DawidSkene, GLAD and MACE, chosen with the
truth. ``never_below`` is the smallest difference of ``automatic`` to the better of majority and
the published Dawid-Skene over all sets.

With features a classifier (gradient boosting, out of fold) and the consensus are fitted in turn,
twice, on ``--votes`` votes an item drawn at random; ``auroc`` is that of "this consensus is wrong"
by what orders the items. ``--quick`` leaves GLAD out where labels times classes are more than
20,000.

``confidence`` says of every set, of simulated crowds and of the demo's annotators whether a stated
confidence is as often right (``worst_tenth``) and whether cases opened for low confidence are
wrong (``cases_wrong``); see ``consensus_confidence``. ``small_projects`` is the share of simulated
projects, by their records, in which an answer that everybody gave is overturned.
"""

import argparse
import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import KFold
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks.consensus_confidence import crowd_figures, figures, small_projects
from benchmarks.pair_features import Matrix, item_features, read_csv
from labeling.consensus.automatic import automatic, fit_consensus
from labeling.consensus.base import LabelFrame
from labeling.consensus.classifier_prior import consensus_with_classifier
from labeling.consensus.dawid_skene import dawid_skene
from labeling.consensus.majority_vote import majority_vote
from labeling.consensus.posterior import ConsensusResult
from labeling.consensus.weighted_majority_vote import weighted_majority_vote

PEERS = ("MajorityVote", "DawidSkene", "GLAD", "MACE")
OURS = {
    "majority": majority_vote,
    "weighted_majority": weighted_majority_vote,
    "dawid_skene": dawid_skene,
    "automatic": automatic,
}


@dataclass(frozen=True)
class CrowdSet:
    """Labels of a crowd, and what is true of some items; ``features`` in order of the item."""

    name: str
    frame: LabelFrame
    truth: dict[int, str]
    features: Matrix | None = None


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="without GLAD on large sets")
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--features", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--votes", type=int, nargs="+", default=[3, 2, 1])
    options = parser.parse_args()
    if (options.labels is None) != (options.truth is None):
        parser.error("--labels and --truth go together")
    if options.labels:
        sets = iter([read_set("given", options.labels, options.truth, options.features)])
    else:
        sets = all_sets(options.data)
    found, with_classifier, confidence = {}, {}, {}
    with threadpool_limits(1):
        for one in tqdm(sets, unit="set"):
            found[one.name] = compare(one, 20_000 if options.quick else None)
            confidence[one.name] = figures(automatic(one.frame), one.truth)
            if one.features is not None:
                with_classifier[one.name] = {
                    f"votes_{votes}": add_classifier_to(one, one.features, votes)
                    for votes in options.votes
                }
        confidence |= {} if options.labels else crowd_figures()
        flips = {} if options.labels else small_projects(200 if options.quick else 2000)
    result = {
        "benchmark": "consensus",
        "never_below": min(each["above_better"] for each in found.values()),
        "sets": found,
        "classifier": with_classifier,
        "confidence": confidence,
        "small_projects": flips,
    }
    print(json.dumps(result))


def all_sets(data: Path) -> Iterator[CrowdSet]:
    """Every set of the folder."""
    for labels in sorted((data / "truth_inference").glob("*.labels.csv*")):
        name = labels.name.split(".")[0]
        yield read_set(name, labels, labels.with_name(f"{name}.truth.csv"), None)
    folder = data / "crowd_product"
    items = folder / "items.csv.gz"
    yield read_set("crowd_product", folder / "labels.csv", items, items)


def read_set(name: str, labels: Path, truth: Path, features: Path | None) -> CrowdSet:
    """The files of one set."""
    rows = read_csv(labels)
    items = {item: code for code, item in enumerate(sorted({row["item"] for row in rows}))}
    people = {who: code for code, who in enumerate(sorted({row["worker"] for row in rows}))}
    frame = LabelFrame.from_rows(
        (items[row["item"]], people[row["worker"]], row["label"]) for row in rows
    )
    known = {items[row["item"]]: row["truth"] for row in read_csv(truth) if row["item"] in items}
    read = None
    if features is not None:
        described = {row["item"]: row for row in read_csv(features)}
        missing = [item for item in items if item not in described]
        if missing:
            raise SystemExit(
                f"{features}: no row for item {missing[0]!r} and {len(missing) - 1} more"
            )
        read = item_features([described[item] for item in items])
    return CrowdSet(name, frame, known, read)


def compare(one: CrowdSet, glad_limit: int | None) -> dict[str, Any]:
    """Ours and the peers on all labels."""
    own = {name: method(one.frame) for name, method in OURS.items()}
    figures = {name: accuracy(one, result) for name, result in own.items()}
    peers = {
        name: figure
        for name in PEERS
        if (figure := peer_accuracy(one, name, glad_limit)) is not None
    }
    best = max(peers, key=lambda name: peers[name])
    better = max(figures["majority"], figures["dawid_skene"])
    return {
        "accuracy": figures["automatic"],
        "f1": f1(one, own["automatic"]),
        "best_peer": peers[best],
        "best_peer_name": best,
        "chosen": own["automatic"].method,
        "above_better": round(figures["automatic"] - better, 2),
        "ours": figures,
        "peers": peers,
    }


def add_classifier_to(one: CrowdSet, features: Matrix, votes: int) -> dict[str, Any]:
    """Consensus with a classifier from so many votes an item."""
    frame = draw_labels(one.frame, votes)
    classes = frame.codes.classes.tolist()

    def out_of_fold(items: NDArray[np.int64], soft: Matrix) -> Matrix:
        read = features[items]
        p = np.zeros_like(soft)
        for train, test in KFold(3, shuffle=True, random_state=0).split(read):
            trees = HistGradientBoostingClassifier(
                max_iter=80, learning_rate=0.06, early_stopping=False, random_state=0
            )
            # Each item once for each class, weighted by the class's probability.
            trees.fit(
                np.tile(read[train], (len(classes), 1)),
                np.repeat(np.arange(len(classes)), len(train)),
                sample_weight=soft[train].T.ravel() + 1e-6,
            )
            p[test] = trees.predict_proba(read[test])
        return p

    model = fit_consensus(frame)
    start = model.consensus(frame)
    result = consensus_with_classifier(frame, out_of_fold, start=model)
    return {
        "accuracy": accuracy(one, result),
        "f1": f1(one, result),
        "auroc": wrong_auroc(one, result),
        "confidence": figures(result, one.truth),
        "method": result.method,
        "without_classifier": {"accuracy": accuracy(one, start), "f1": f1(one, start)},
        "majority": {
            "accuracy": accuracy(one, majority_vote(frame)),
            "f1": f1(one, majority_vote(frame)),
        },
    }


def draw_labels(frame: LabelFrame, votes: int) -> LabelFrame:
    """Up to so many labels of each item, at random."""
    order = np.random.default_rng(1).permutation(len(frame.items))
    order = order[np.argsort(frame.items[order], kind="stable")]
    _, first = np.unique(frame.items[order], return_index=True)
    sizes = np.diff([*first, len(order)])
    kept = order[np.arange(len(order)) - np.repeat(first, sizes) < votes]
    return LabelFrame(frame.items[kept], frame.annotators[kept], frame.labels[kept])


def rows_with_truth(
    one: CrowdSet, result: ConsensusResult
) -> tuple[NDArray[np.intp], NDArray[np.str_]]:
    """(rows of the result, their true labels)."""
    rows = [row for row, item in enumerate(result.item_ids.tolist()) if item in one.truth]
    return np.array(rows), np.array([one.truth[item] for item in result.item_ids[rows].tolist()])


def accuracy(one: CrowdSet, result: ConsensusResult) -> float:
    """Percent right; a tie counts as the chance to break it right."""
    rows, truth = rows_with_truth(one, result)
    p = result.probabilities[rows]
    is_top = p >= p.max(axis=1, keepdims=True) - 1e-9
    is_right = is_top & (result.classes == truth[:, None])
    return round(100 * float((is_right.sum(axis=1) / is_top.sum(axis=1)).mean()), 2)


def f1(one: CrowdSet, result: ConsensusResult) -> float:
    """Percent; of the last class where there are two, else macro."""
    rows, truth = rows_with_truth(one, result)
    said = result.classes[result.probabilities[rows].argmax(axis=1)]
    if len(result.classes) == 2:
        return round(
            100 * float(f1_score(truth == result.classes[1], said == result.classes[1])), 1
        )
    return round(100 * float(f1_score(truth, said, average="macro")), 1)


def wrong_auroc(one: CrowdSet, result: ConsensusResult) -> float | None:
    """How well a low confidence finds what is wrong."""
    rows, truth = rows_with_truth(one, result)
    wrong = result.classes[result.probabilities[rows].argmax(axis=1)] != truth
    if wrong.all() or not wrong.any():
        return None
    order = result.probabilities if result.ordering is None else result.ordering
    best = result.probabilities.argmax(axis=1)
    return round(float(roc_auc_score(wrong, -order[np.arange(len(best)), best][rows])), 3)


def peer_accuracy(one: CrowdSet, name: str, glad_limit: int | None) -> float | None:
    """Percent right; None where it was left out or fails."""
    cells = len(one.frame.items) * len(one.frame.codes.classes)
    if name == "GLAD" and glad_limit is not None and cells > glad_limit:
        return None
    table = import_module("pandas").DataFrame(
        {
            "task": one.frame.items,
            "worker": one.frame.annotators,
            "label": one.frame.labels.astype(object),
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            said = getattr(import_module("crowdkit.aggregation"), name)().fit_predict(table)
        except (ValueError, TypeError, AttributeError) as error:
            tqdm.write(f"{name} fails on {one.name}: {error}")
            return None
    answers = said.to_dict()
    right = [answers[item] == label for item, label in one.truth.items()]
    return round(100 * float(np.mean(right)), 2)


if __name__ == "__main__":
    main()
