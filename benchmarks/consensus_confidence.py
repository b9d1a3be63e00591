"""Is a stated confidence as often right, and are the cases that it opens worth a look?

Part of ``benchmarks.consensus``. A simulated crowd is made from a seed, so that truth is known:

* ``independent``: twelve annotators right 60 to 97 times of 100, errors spread evenly.
* ``rare``: the same, classes .85, .10 and .05 frequent.
* ``hard``: items differ in difficulty, and who errs falls for the same wrong class.
* ``demo``: the annotators and the records of the demo.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.demo.annotators import PROFILES, answer
from backend.demo.records import generate
from labeling.consensus.automatic import fit_consensus
from labeling.consensus.base import LabelFrame
from labeling.consensus.posterior import ConsensusResult

NAMES = np.array(["a", "b", "c", "d"])
GRADES = ("good", "fair", "poor")
REVIEW_BELOW = 0.75  # the policy's default
FULL_TENTH = 100  # items from which a tenth is compared
SEEDS = 4
SMALL = (5, 8, 10, 20, 30, 50)

Crowd = tuple[LabelFrame, NDArray[np.str_]]
"""The labels and (I,) the true label of item i."""


def figures(result: ConsensusResult, truth: dict[int, str]) -> dict[str, Any]:
    """How often labels stated with each tenth of confidence are right, and what is opened.

    ``surplus`` is the mean stated less the share right, ``mean_gap`` the mean of the tenths'
    differences by their items, ``worst_tenth`` the largest in a tenth of at least 100 items.
    ``cases`` have two labels or more, do not all say the same and are less probable than .75;
    ``cases_wrong`` is the share of them that is wrong. ``unanimous`` counts items of which all
    say the same.
    """
    rows = np.array([row for row, item in enumerate(result.item_ids.tolist()) if item in truth])
    known = np.array([truth[item] for item in result.item_ids[rows].tolist()])
    codes = result.codes[rows]
    is_label = codes >= 0
    stated = result.confidence[rows][is_label]
    right = result.classes[codes[is_label]] == known[is_label]
    tenth = np.minimum((10 * stated).astype(int), 9)
    found = [
        {
            "stated": round(float(stated[tenth == k].mean()), 3),
            "right": round(float(right[tenth == k].mean()), 3),
            "items": int((tenth == k).sum()),
        }
        for k in np.unique(tenth).tolist()
    ]
    votes = result.votes[rows][is_label]
    is_unanimous = (votes > 0).sum(axis=1) == 1
    is_case = (votes.sum(axis=1) > 1) & ~is_unanimous & (stated < REVIEW_BELOW)
    gaps = [abs(each["stated"] - each["right"]) for each in found if each["items"] >= FULL_TENTH]
    return {
        "surplus": round(float(stated.mean() - right.mean()), 3),
        "mean_gap": round(
            sum(abs(each["stated"] - each["right"]) * each["items"] for each in found)
            / max(1, len(stated)),
            3,
        ),
        "worst_tenth": round(max(gaps), 3) if gaps else None,
        "cases": int(is_case.sum()),
        "cases_wrong": round(float((~right[is_case]).mean()), 3) if is_case.any() else None,
        "ties": int((~is_label).sum()),
        "unanimous": int(is_unanimous.sum()),
        "unanimous_wrong": round(float((~right[is_unanimous]).mean()), 3)
        if is_unanimous.any()
        else None,
        "tenths": found,
    }


def crowd_figures() -> dict[str, dict[str, Any]]:
    """The figures of every kind of crowd, four seeds together."""
    return {name: _together(make) for name, make in CROWDS.items()}


def small_projects(projects: int) -> dict[str, float]:
    """Records to the share of projects in which an answer that all gave is overturned.

    That is: another label, or another class more probable. Two to four annotators, right 60 to
    98 times of 100, two or three of them on a record, two to four classes.
    """
    return {
        str(items): float(
            np.mean([_overturns(_small_project(seed, items)) for seed in range(projects)])
        )
        for items in SMALL
    }


def _overturns(frame: LabelFrame) -> bool:
    result = fit_consensus(frame).consensus(frame)
    only = (result.votes > 0).sum(axis=1) == 1
    given = result.votes[only].argmax(axis=1)
    p = result.probabilities[only]
    is_behind = p[np.arange(len(p)), given] < p.max(axis=1, initial=0.0) - 1e-9
    return bool((is_behind | (result.codes[only] != given)).any())


def _small_project(seed: int, items: int) -> LabelFrame:
    rng = np.random.default_rng([seed, items])
    classes, people = int(rng.integers(2, 5)), int(rng.integers(2, 5))
    votes = min(people, int(rng.integers(2, 4)))
    truth = rng.choice(classes, items, p=rng.dirichlet(np.full(classes, 2.0)))
    return _independent(rng, truth, classes, votes, rng.uniform(0.6, 0.98, people))


def _together(make: Callable[[int], Crowd]) -> dict[str, Any]:
    """All seeds as one: items of seed s are numbered from s million on."""
    found: list[ConsensusResult] = []
    truth: dict[int, str] = {}
    for seed in range(SEEDS):
        frame, labels = make(seed)
        apart = LabelFrame(frame.items + seed * 1_000_000, frame.annotators, frame.labels)
        found.append(fit_consensus(apart, classes=sorted(set(labels.tolist()))).consensus(apart))
        truth |= {seed * 1_000_000 + item: label for item, label in enumerate(labels.tolist())}
    one = found[0]
    whole = ConsensusResult(
        method="several",
        item_ids=np.concatenate([each.item_ids for each in found]),
        classes=one.classes,
        probabilities=np.concatenate([each.probabilities for each in found]),
        votes=np.concatenate([each.votes for each in found]),
    )
    return {"methods": [each.method for each in found], **figures(whole, truth)}


def _independent(
    rng: np.random.Generator,
    truth: NDArray[np.int64],
    classes: int,
    votes: int,
    skill: NDArray[np.float64],
) -> LabelFrame:
    def said(kind: int, who: int) -> int:
        is_right = rng.random() < skill[who]
        return kind if is_right else int(kind + rng.integers(1, classes)) % classes

    return LabelFrame.from_rows(
        (item, who, str(NAMES[said(kind, who)]))
        for item, kind in enumerate(truth.tolist())
        for who in rng.permutation(len(skill))[:votes].tolist()
    )


def _spread(
    classes: int, votes: int, frequencies: list[float] | None = None
) -> Callable[[int], Crowd]:
    def make(seed: int) -> Crowd:
        rng = np.random.default_rng(seed)
        truth = rng.choice(classes, 1500, p=frequencies)
        frame = _independent(rng, truth, classes, votes, rng.uniform(0.6, 0.97, 12))
        return frame, NAMES[truth]

    return make


def _hard(classes: int, votes: int) -> Callable[[int], Crowd]:
    def make(seed: int) -> Crowd:
        rng = np.random.default_rng(seed)
        truth = rng.integers(0, classes, 1500)
        lure = (truth + rng.integers(1, classes, 1500)) % classes
        skill, difficulty = rng.normal(2.0, 0.7, 12), rng.normal(0.0, 1.5, 1500)

        def rows() -> Iterator[tuple[int, int, str]]:
            for item in range(1500):
                for who in rng.permutation(12)[:votes].tolist():
                    is_right = rng.random() < 1 / (1 + np.exp(difficulty[item] - skill[who]))
                    yield item, who, str(NAMES[truth[item] if is_right else lure[item]])

        return LabelFrame.from_rows(rows()), NAMES[truth]

    return make


def _demo(votes: int) -> Callable[[int], Crowd]:
    def make(seed: int) -> Crowd:
        truths = [record.truth for record in generate(600, seed)]
        rows = [
            (item, who, answer(truth, PROFILES[who], grades=GRADES, issues=(), seed=seed).grade)
            for item, truth in enumerate(truths)
            for who in np.random.default_rng([seed, item]).permutation(3)[:votes].tolist()
        ]
        return LabelFrame.from_rows(rows), np.array([truth.grade for truth in truths])

    return make


CROWDS: dict[str, Callable[[int], Crowd]] = {
    "independent_2_classes_3_votes": _spread(2, 3),
    "independent_4_classes_3_votes": _spread(4, 3),
    "independent_4_classes_5_votes": _spread(4, 5),
    "independent_3_classes_2_votes": _spread(3, 2),
    "rare_3_classes_3_votes": _spread(3, 3, [0.85, 0.1, 0.05]),
    "hard_3_classes_5_votes": _hard(3, 5),
    "hard_2_classes_3_votes": _hard(2, 3),
    "demo_3_votes": _demo(3),
    "demo_2_votes": _demo(2),
}
