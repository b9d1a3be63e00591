"""Adaptive overlap against three answers for every item, on real crowd labels.

    python -m benchmarks.adaptive_overlap [--quick] [--data FOLDER] [--seeds N]
        [--mean-votes X] [--confidence X]

``--data`` holds ``labels.csv`` (item, worker, label) and ``items.csv.gz`` (pairs of product
records with their truth). The answers of each item are revealed one by one in random order. First
every item gets one; then a classifier is trained out of fold on features of the pairs and the
labels estimated so far, the policy says which items get one more answer, and so on until the
policy wants none or its budget is spent. Both sides use the same estimate: answers, estimated
annotators and classifier. ``accuracy`` and ``f1`` (of "same product") are those of the adaptive
votes, ``accuracy_three_votes`` and ``f1_three_votes`` those of all answers, ``votes_mean`` answers
an item and ``saving`` the share of answers not asked for; means over seeds. ``accuracy_random``
and ``f1_random`` spend as many answers on items drawn at random. No truth is used but to score.
"""

import argparse
import csv
import gzip
import json
import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import KFold
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from labeling.consensus.automatic import automatic
from labeling.consensus.base import LabelFrame
from labeling.consensus.item_priors import ItemPriors
from labeling.consensus.overlap import OverlapPolicy, plan_overlap

Matrix = NDArray[np.float64]
ROUNDS = 8
CLASSES = ["0", "1"]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one seed")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/crowd_product"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--mean-votes", type=float, default=2.0)
    parser.add_argument("--confidence", type=float, default=0.99)
    args = parser.parse_args(argv)
    crowd = Crowd(args.data)
    policy = OverlapPolicy(confidence=args.confidence, mean_votes=args.mean_votes)
    with threadpool_limits(1):
        fixed = crowd.score(crowd.all_votes(), rounds=3, seed=0)
        seeds = range(1 if args.quick else args.seeds)
        runs = [crowd.adaptive(policy, seed) for seed in tqdm(seeds, desc="seeds")]
    figures = {name: float(np.mean([run[name] for run in runs])) for name in runs[0]}
    figures["accuracy_three_votes"], figures["f1_three_votes"] = fixed
    figures["saving"] = 1 - figures["votes_mean"] / (len(crowd.items) / len(crowd.truth))
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


class Crowd:
    """The answers, the features of the items and the truth."""

    def __init__(self, folder: Path) -> None:
        with gzip.open(folder / "items.csv.gz", "rt", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        places = {row["item"]: place for place, row in enumerate(rows)}
        with (folder / "labels.csv").open(encoding="utf-8") as file:
            answers = [row for row in csv.DictReader(file) if row["item"] in places]
        self.truth = np.array([row["truth"] for row in rows])
        self.features = pair_features(rows)
        self.items = np.array([places[row["item"]] for row in answers], dtype=np.int64)
        _, self.workers = np.unique([row["worker"] for row in answers], return_inverse=True)
        self.labels = np.array([row["label"] for row in answers])

    def all_votes(self) -> NDArray[np.bool_]:
        return np.ones(len(self.items), dtype=bool)

    def frame(self, shown: NDArray[np.bool_]) -> LabelFrame:
        return LabelFrame(
            self.items[shown], self.workers[shown].astype(np.int64), self.labels[shown]
        )

    def adaptive(self, policy: OverlapPolicy, seed: int) -> dict[str, float]:
        """Reveal answers as the policy asks; the budget is spread over the rounds."""
        order = self.order(seed)
        given = np.ones(len(self.truth), dtype=np.int64)
        view: ItemPriors | None = None
        for step in range(1, ROUNDS + 1):
            frame = self.frame(order < given[self.items])
            for _ in range(2 if step == 1 else 1):
                view = self.classifier_view(frame, view, seed + step)
            least, most = float(policy.least), float(policy.mean_votes or policy.most)
            now = OverlapPolicy(
                policy.least,
                policy.most,
                policy.confidence,
                policy.shared,
                least + (most - least) * step / ROUNDS,
            )
            plan = plan_overlap(automatic(frame, priors=view), now, priors=view, seed=seed)
            asked = np.array(plan.items_wanted(), dtype=np.int64)
            if not len(asked) and step == ROUNDS:
                break
            given[asked] += 1
        adaptive = order < given[self.items]
        extra = np.random.default_rng(seed).permutation(np.flatnonzero(order > 0))
        by_chance = order == 0
        by_chance[extra[: int(adaptive.sum()) - int(by_chance.sum())]] = True
        accuracy, f1 = self.score(adaptive, rounds=3, seed=seed)
        accuracy_random, f1_random = self.score(by_chance, rounds=3, seed=seed)
        return {
            "votes_mean": float(adaptive.sum()) / len(self.truth),
            "accuracy": accuracy,
            "f1": f1,
            "accuracy_random": accuracy_random,
            "f1_random": f1_random,
        }

    def order(self, seed: int) -> NDArray[np.int64]:
        """(answers,) the place of each answer in its item's random order."""
        rng = np.random.default_rng(seed)
        ranked = np.lexsort((rng.random(len(self.items)), self.items))
        starts = np.searchsorted(self.items[ranked], self.items[ranked], side="left")
        places = np.empty(len(ranked), dtype=np.int64)
        places[ranked] = np.arange(len(ranked)) - starts
        return places

    def score(self, shown: NDArray[np.bool_], rounds: int, seed: int) -> tuple[float, float]:
        """Accuracy and F1 of the labels estimated from these answers."""
        frame, view = self.frame(shown), None
        for step in range(rounds):
            view = self.classifier_view(frame, view, seed + step)
        found = automatic(frame, priors=view)
        guess = found.classes[found.probabilities.argmax(axis=1)]
        truth = self.truth[found.item_ids]
        return float(accuracy_score(truth, guess)), float(f1_score(truth, guess, pos_label="1"))

    def classifier_view(
        self, frame: LabelFrame, before: ItemPriors | None, seed: int
    ) -> ItemPriors:
        """Out-of-fold probabilities of a classifier trained on the labels estimated so far."""
        found = automatic(frame, priors=before)
        target = found.probabilities[:, CLASSES.index("1")]
        chance = np.zeros(len(found.item_ids))
        folds = KFold(5, shuffle=True, random_state=seed)
        for train, test in folds.split(chance):
            rows = self.features[found.item_ids[train]]
            # Each item counts for both classes, as much as it is probable.
            tree = HistGradientBoostingClassifier(
                max_iter=80,
                learning_rate=0.08,
                max_leaf_nodes=12,
                min_samples_leaf=30,
                l2_regularization=1.0,
                random_state=seed,
            )
            tree.fit(
                np.vstack([rows, rows]),
                np.repeat([1, 0], len(train)),
                sample_weight=np.concatenate([target[train], 1 - target[train]]),
            )
            chance[test] = tree.predict_proba(self.features[found.item_ids[test]])[:, 1]
        return ItemPriors(found.item_ids, CLASSES, np.column_stack([1 - chance, chance]))


def pair_features(rows: Sequence[dict[str, str]]) -> Matrix:
    """(n, features) how alike two product records are, and how alike against their rivals."""
    left = [row["left_name"].lower() for row in rows]
    right = [row["right_name"].lower() for row in rows]
    full_left = [
        f"{a} {row['left_description'].lower()}" for a, row in zip(left, rows, strict=True)
    ]
    full_right = [
        f"{b} {row['right_description'].lower()}" for b, row in zip(right, rows, strict=True)
    ]
    found = [
        cosine(left, right, "word", (1, 1)),
        cosine(left, right, "char_wb", (3, 4)),
        cosine(full_left, full_right, "word", (1, 1)),
        cosine(full_left, full_right, "char_wb", (3, 4)),
    ]
    groups = [[row["left_id"] for row in rows], [row["right_id"] for row in rows]]
    rivals = [against_rivals(found[0] + found[1], ids) for ids in groups]
    plain = np.array([list(pair(row)) for row in rows], dtype=np.float64)
    return np.column_stack([*found, *rivals, plain])


def cosine(left: list[str], right: list[str], unit: str, sizes: tuple[int, int]) -> Matrix:
    texts = TfidfVectorizer(analyzer=unit, ngram_range=sizes, sublinear_tf=True)
    texts.fit(left + right)
    return np.asarray(texts.transform(left).multiply(texts.transform(right)).sum(axis=1)).ravel()


def against_rivals(likeness: Matrix, ids: Sequence[str]) -> Matrix:
    """(n, 2) the gap to the best other pair of the same record, and how many there are."""
    _, groups = np.unique(ids, return_inverse=True)
    members: list[list[int]] = [[] for _ in range(int(groups.max()) + 1)]
    for place, group in enumerate(groups.tolist()):
        members[group].append(place)
    gaps = np.zeros((len(ids), 2))
    for places in members:
        for place in places:
            others = [likeness[other] for other in places if other != place]
            gaps[place] = (likeness[place] - max(others, default=0.0), len(others))
    return gaps


def pair(row: dict[str, str]) -> tuple[float, ...]:
    """Numbers of one pair: shared words, model numbers, prices."""
    a, b = row["left_name"].lower(), row["right_name"].lower()
    words_a, words_b = set(re.findall(r"\w+", a)), set(re.findall(r"\w+", b))
    models_a, models_b = models(a), models(b + " " + row["right_description"].lower())
    tight_a, tight_b = re.sub(r"\W", "", a), re.sub(r"\W", "", b)
    numbers_a, numbers_b = set(re.findall(r"\d+", a)), set(re.findall(r"\d+", b))
    price_a, price_b = price(row["left_price"]), price(row["right_price"])
    return (
        len(words_a & words_b) / max(1, len(words_a | words_b)),
        len(words_a & words_b) / max(1, min(len(words_a), len(words_b))),
        float(len(models_a & models_b)),
        float(any(model in tight_b for model in models_a)),
        float(any(model in tight_a for model in models_b)),
        float(len(models_a)),
        float(len(models(b))),
        len(numbers_a & numbers_b) / max(1, len(numbers_a | numbers_b)),
        float(a.split()[:1] == b.split()[:1]),
        SequenceMatcher(None, a, b).ratio(),
        float(np.log(price_a / price_b)) if price_a and price_b else float("nan"),
        abs(float(np.log(price_a / price_b))) if price_a and price_b else float("nan"),
        float(len(a)),
        float(len(b)),
        float(bool(row["right_description"])),
    )


def models(text: str) -> set[str]:
    """Words with letters and digits, without their hyphens."""
    words = re.findall(r"[a-z0-9][a-z0-9\-/]{3,}", text)
    tight = {re.sub(r"[^a-z0-9]", "", word) for word in words}
    return {word for word in tight if re.search(r"\d", word) and re.search(r"[a-z]", word)}


def price(text: str) -> float:
    digits = re.sub(r"[^0-9.]", "", text)
    try:
        return float(digits)
    except ValueError:
        return 0.0


if __name__ == "__main__":
    main()
