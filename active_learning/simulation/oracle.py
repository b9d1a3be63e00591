"""Simulated annotators: they know the truth and err at a declared rate, repeatably."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from active_learning.exceptions import ShapeMismatch, UnknownLabel
from active_learning.types import Marks


class SimulatedAnnotator:
    """Answers like a person with this error rate.

    Args:
        classes: the grades.
        error_rate: share of wrong grades, spread evenly over the other grades; also the share of
            flipped issue and field marks.
        seed: equal seeds and questions give equal answers.
        confusion: (classes, classes) rows of probabilities, true grade to answer; replaces the
            even spread.

    Raises:
        ShapeMismatch: a confusion matrix of another size, or rows that do not sum to one.
    """

    def __init__(
        self,
        classes: Sequence[str],
        error_rate: float,
        *,
        seed: int,
        confusion: NDArray[np.float64] | None = None,
    ) -> None:
        self._classes = list(classes)
        k = len(self._classes)
        if not 0.0 <= error_rate <= 1.0:
            raise ValueError(f"error_rate is {error_rate}; give a share from 0 to 1.")
        if confusion is None:
            confusion = np.full((k, k), error_rate / max(k - 1, 1))
            np.fill_diagonal(confusion, 1.0 - error_rate if k > 1 else 1.0)
        if confusion.shape != (k, k) or not np.allclose(confusion.sum(axis=1), 1.0):
            raise ShapeMismatch(f"Give a {k} x {k} confusion matrix whose rows sum to one.")
        self._cumulative = confusion.cumsum(axis=1)
        self._error_rate = error_rate
        self._rng = np.random.default_rng(seed)

    def grades(self, truth: Sequence[str]) -> list[str]:
        """This annotator's grades for records whose true grades are given.

        Raises:
            UnknownLabel: a true grade that was not declared.
        """
        try:
            codes = np.array([self._classes.index(grade) for grade in truth], dtype=np.intp)
        except ValueError as error:
            raise UnknownLabel(f"{error}: it is not among {self._classes}.") from error
        draws = self._rng.random(len(codes))
        answers = (draws[:, None] > self._cumulative[codes]).sum(axis=1)
        return [self._classes[min(code, len(self._classes) - 1)] for code in answers.tolist()]

    def marks(self, truth: Marks) -> Marks:
        """(n, marks) of issues or fields, each answered one flipped at half the error rate."""
        flips = (self._rng.random(truth.shape) < self._error_rate / 2) & (truth >= 0)
        answered: Marks = np.where(flips, 1 - truth, truth).astype(np.int8)
        return answered


def class_dependent(error_rates: Sequence[float]) -> NDArray[np.float64]:
    """(classes, classes): confusion with an error rate a class, spread evenly over the others.

    Raises:
        ValueError: a rate outside 0 to 1.
    """
    rates = np.asarray(error_rates, dtype=np.float64)
    if ((rates < 0) | (rates > 1)).any():
        raise ValueError(f"error_rates is {list(error_rates)}; give shares from 0 to 1.")
    k = len(rates)
    if k < 2:
        return np.ones((k, k))
    confusion = np.repeat((rates / (k - 1))[:, None], k, axis=1)
    np.fill_diagonal(confusion, 1.0 - rates)
    return confusion


def consensus(answers: Sequence[Sequence[str]], *, seed: int) -> list[str]:
    """The most frequent answer for each record; a tie is broken by a seeded draw.

    Args:
        answers: of each annotator, one answer for each record.
        seed: of the draws.

    >>> consensus([["a", "b"], ["a", "b"], ["b", "b"]], seed=0)
    ['a', 'b']
    """
    rng = np.random.default_rng(seed)
    agreed: list[str] = []
    for votes in zip(*answers, strict=True):
        names = sorted(set(votes))
        counts = [votes.count(name) for name in names]
        first = [n for n, count in zip(names, counts, strict=True) if count == max(counts)]
        agreed.append(first[int(rng.integers(len(first)))] if len(first) > 1 else first[0])
    return agreed
