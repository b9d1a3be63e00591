"""How well a method foresees votes that it has not seen: a comparison that needs no truth."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.base import CodedLabels, Codes
from labeling.consensus.dawid_skene import TINY, Fitted
from labeling.consensus.posterior import normalise_scores

FOLDS = 3
"""Parts that are held out in turn: two thirds of the votes are left to learn from."""
LABELS = 200_000
"""Votes that are enough to compare by; more only take longer. Chosen: bounds time."""
TEMPERS = (1.0, 0.5, 0.25)
"""Powers under which a method that is too sure is compared fairly with one that is not. Chosen."""
DEPENDENCES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8)
"""Values that are tried; at 0.8 five votes count as one and a quarter. Chosen."""
CLEARLY = 2.0
"""Standard errors that a gain has to be above 0: about 95 times of 100 it is then no chance."""
SHORT = 40
"""Iterations that are enough to compare: later ones change the fourth decimal."""

Fit = Callable[[CodedLabels], Fitted]


def vote_log_likelihoods(
    coded: CodedLabels,
    methods: Mapping[str, Fit],
    *,
    seed: int,
    needs_other_vote: bool = True,
    tempers: tuple[float, ...] = TEMPERS,
) -> dict[str, NDArray[np.float64]]:
    """Method to the log-probabilities (votes,) it gave held-out votes; the same votes for all.

    A third of the votes is left out in turn. What a method finds without them, probabilities
    and confusion matrices, foresees each: sum over k of P(item is k) * P(annotator says l | k).
    A method may be too sure; the temper that foresees best counts.

    Args:
        coded: the labels; those of a random part of the items where there are very many.
        methods: each is fitted on the labels it gets.
        seed: draws the thirds. The order of the labels has no influence.
        needs_other_vote: leave votes aside whose item has no other vote in the rest.
        tempers: powers of the probabilities that are tried.
    """
    found: dict[tuple[str, float], list[NDArray[np.float64]]] = {
        (name, temper): [] for name in methods for temper in tempers
    }
    for rest, item, annotator, label in _held_out_votes(coded, seed, int(needs_other_vote)):
        for name, method in methods.items():
            fitted = method(rest)
            says = fitted.confusion[annotator, :, label]
            for temper in tempers:
                p = fitted.probabilities[item] ** temper
                foreseen = (p * says).sum(axis=1) / p.sum(axis=1)
                found[name, temper].append(np.log(foreseen.clip(min=1e-12)))
    joined = {key: np.concatenate(parts) for key, parts in found.items()}
    return {
        name: max((joined[name, temper] for temper in tempers), key=lambda logs: logs.sum())
        for name in methods
    }


def choose_dependence(coded: CodedLabels, method: Fit, *, seed: int) -> float:
    """How much of one another's errors an item's annotators make: 0 to 0.8.

    Votes that err together are worth less than independent ones: n of them count as
    n / (1 + (n - 1) * dependence), the design effect of clusters (Kish, Survey Sampling, 1965).
    The value is the one under which held-out votes are most probable, 0 unless that is clearly
    (two standard errors) better than 0. It shows from four or five votes an item on; with
    fewer, shared errors look like skill and 0 comes back.

    Args:
        coded: the labels; those of a random part of the items where there are very many.
        method: fitted on the labels it gets.
        seed: draws the thirds that are held out.
    """
    logs: dict[float, list[NDArray[np.float64]]] = {each: [] for each in (0.0, *DEPENDENCES)}
    for rest, item, annotator, label in _held_out_votes(coded, seed, 2):
        fitted = method(rest)
        says = fitted.confusion[annotator, :, label]
        others = np.bincount(rest.item, minlength=len(rest.items))[item] - 1
        surely = np.log(fitted.probabilities[item].clip(min=TINY))
        for dependence, found in logs.items():
            p = normalise_scores(surely / (1 + others * dependence)[:, None])
            found.append(np.log((p * says).sum(axis=1).clip(min=1e-12)))
    joined = {each: np.concatenate(parts) for each, parts in logs.items() if parts}
    if not joined or not len(joined[0.0]):
        return 0.0
    best = max(joined, key=lambda each: joined[each].mean())
    gain = joined[best] - joined[0.0]
    error = float(gain.std() / np.sqrt(len(gain)))
    return best if float(gain.mean()) > CLEARLY * error else 0.0


def _held_out_votes(
    coded: CodedLabels, seed: int, fewest: int
) -> Iterator[tuple[CodedLabels, Codes, Codes, Codes]]:
    """The rest, and item, annotator and label of the votes left out, a third at a time.

    Only votes whose item has at least ``fewest`` votes in the rest are given.
    """
    rng = np.random.default_rng(seed)
    coded = _sort_votes(_draw_items(coded, rng))
    fold = rng.integers(0, FOLDS, len(coded.label))
    for held in range(FOLDS):
        rest = coded.rows(fold != held)
        votes = np.bincount(rest.item, minlength=len(coded.items))
        counted = (fold == held) & (votes[coded.item] >= fewest)
        yield rest, coded.item[counted], coded.annotator[counted], coded.label[counted]


def _draw_items(coded: CodedLabels, rng: np.random.Generator) -> CodedLabels:
    if len(coded.label) <= LABELS:
        return coded
    kept = rng.random(len(coded.items)) < LABELS / len(coded.label)
    return coded.rows(kept[coded.item])


def _sort_votes(coded: CodedLabels) -> CodedLabels:
    order = np.lexsort((coded.label, coded.annotator, coded.item))
    return CodedLabels(
        coded.items,
        coded.annotators,
        coded.classes,
        coded.item[order],
        coded.annotator[order],
        coded.label[order],
    )
