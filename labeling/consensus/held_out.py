"""How well a method foresees votes that it has not seen: a comparison that needs no truth."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.base import CodedLabels
from labeling.consensus.dawid_skene import Fitted

FOLDS = 3
LABELS = 200_000
TEMPERS = (1.0, 0.5, 0.25)

SHORT = 40
"""Iterations that are enough to compare."""

Fit = Callable[[CodedLabels], Fitted]


def vote_log_likelihoods(
    coded: CodedLabels,
    methods: Mapping[str, Fit],
    *,
    seed: int,
    needs_other_vote: bool = True,
    tempers: tuple[float, ...] = TEMPERS,
) -> dict[str, NDArray[np.float64]]:
    """Method to the log-probabilities it gave held-out votes; the same votes for all.

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
    rng = np.random.default_rng(seed)
    coded = _ordered(_part(coded, rng))
    fold = rng.integers(0, FOLDS, len(coded.label))
    found: dict[tuple[str, float], list[NDArray[np.float64]]] = {
        (name, temper): [] for name in methods for temper in tempers
    }
    for held in range(FOLDS):
        rest = coded.rows(fold != held)
        has_vote = np.bincount(rest.item, minlength=len(coded.items)) > 0
        counted = (fold == held) & (has_vote[coded.item] | (not needs_other_vote))
        item, annotator, label = (
            column[counted] for column in (coded.item, coded.annotator, coded.label)
        )
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


def _part(coded: CodedLabels, rng: np.random.Generator) -> CodedLabels:
    if len(coded.label) <= LABELS:
        return coded
    kept = rng.random(len(coded.items)) < LABELS / len(coded.label)
    return coded.rows(kept[coded.item])


def _ordered(coded: CodedLabels) -> CodedLabels:
    order = np.lexsort((coded.label, coded.annotator, coded.item))
    return CodedLabels(
        coded.items,
        coded.annotators,
        coded.classes,
        coded.item[order],
        coded.annotator[order],
        coded.label[order],
    )
