"""What every query strategy is: scores for all candidates, then a choice of some of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from active_learning.exceptions import NoLabels, NotFitted
from active_learning.query_strategies.distances import CPU_DISTANCES, Distances
from active_learning.query_strategies.vectors import Vectors
from active_learning.types import Positions, Probabilities, Reason, Scores

Need: TypeAlias = Literal["probabilities", "labelled", "committee", "dropout"]
"""What a strategy must be given besides vectors: a fitted classifier's probabilities, the labelled
records with their probabilities, a committee's probabilities, or those under dropout."""


@dataclass(frozen=True)
class Candidates:
    """The unlabelled records, row by row, as strategies see them."""

    vectors: Vectors
    """(n, d) where likeness is closeness; read it by ``vectors[rows]``, it may be a view."""
    suspicion: Scores
    """(n,) larger where a record's signals are less usual; needs no labels."""
    classes: Sequence[str]
    probabilities: Probabilities | None = None
    """(n, classes), or None before the first label."""
    labelled_vectors: NDArray[np.float32] | None = None
    """(m, d) of the records that are labelled or in a batch."""
    labelled_probabilities: Probabilities | None = None
    """(m, classes) of the same records."""
    class_counts: Scores | None = None
    """(classes,) how many labels each class has."""
    committee: NDArray[np.float32] | None = None
    """(members, n, classes) probabilities of classifiers that saw different labels."""
    dropout: NDArray[np.float32] | None = None
    """(samples, n, classes) probabilities of one classifier with parts of its input dropped."""
    distances: Distances = CPU_DISTANCES
    """Where distances between vectors are computed."""
    chance: Scores | None = None
    """(n,) a uniform number a record, from the seed of the batch: drawn at random is who has the
    highest. So strategies that are compared draw the same records (common random numbers), and
    what tells them apart is what they choose, not their luck."""

    def __len__(self) -> int:
        return len(self.vectors)


class QueryStrategy(Protocol):
    """Chooses what to label next. Equal seeds and inputs give equal choices."""

    @property
    def name(self) -> str:
        """The name in settings and on the command line."""

    @property
    def needs(self) -> frozenset[Need]:
        """What the candidates must carry; empty where it works before the first label."""

    def score(self, candidates: Candidates) -> Scores:
        """(n,) larger means more worth labelling."""

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:
        """(count,): different rows, most useful first; all n rows where there are fewer."""

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:
        """Why this row of the n was chosen; ``scores`` are (n,)."""


def probabilities_of(candidates: Candidates, name: str) -> Probabilities:
    """(n, classes).

    Raises:
        NotFitted: there are none yet.
    """
    if candidates.probabilities is None:
        raise NotFitted(f"Strategy {name} needs a classifier that has seen labels.")
    return candidates.probabilities


def labelled_candidates(
    candidates: Candidates, name: str
) -> tuple[NDArray[np.float32], Probabilities]:
    """Vectors (m, d) and probabilities (m, classes) of the m labelled records, at least one.

    Raises:
        NoLabels: there are none.
    """
    vectors, found = candidates.labelled_vectors, candidates.labelled_probabilities
    if vectors is None or found is None or len(vectors) == 0:
        raise NoLabels(f"Strategy {name} compares with labelled records, and the pool holds none.")
    return vectors, found


def chances_of(candidates: Candidates, rng: np.random.Generator) -> Scores:
    """(n,) the candidates' own uniform numbers, new ones where they carry none."""
    return rng.random(len(candidates)) if candidates.chance is None else candidates.chance


def known_vectors(candidates: Candidates) -> NDArray[np.float32]:
    """(m, d) of the labelled records; (0, d) where there is none."""
    if candidates.labelled_vectors is not None:
        return candidates.labelled_vectors
    return candidates.vectors[:1][:0]


def highest(scores: Scores, count: int, rng: np.random.Generator) -> Positions:
    """(count,): the rows with the highest ``scores`` (n,), highest first, ties in random order."""
    count = min(count, len(scores))
    if count == 0:
        return np.zeros(0, dtype=np.intp)
    # Only rows that reach the count-th score are sorted: one pass over a big pool.
    bar = np.partition(scores, len(scores) - count)[len(scores) - count]
    shuffled = rng.permutation(np.flatnonzero(scores >= bar))
    order = np.argsort(-scores[shuffled], kind="stable")
    return shuffled[order[:count]]


def complete(chosen: Positions, scores: Scores, count: int) -> Positions:
    """(count,): the chosen rows and, where they are too few, the highest scored of the others."""
    count = min(count, len(scores))
    if len(chosen) >= count:
        return chosen[:count]
    left = np.ones(len(scores), dtype=bool)
    left[chosen] = False
    rest = np.flatnonzero(left)
    rest = rest[np.argsort(-scores[rest], kind="stable")]
    return np.concatenate([chosen, rest[: count - len(chosen)]]).astype(np.intp)


def top_two(candidates: Candidates, row: int) -> tuple[str, str, float, float]:
    """(most probable class, second, probability, probability of the second)."""
    assert candidates.probabilities is not None
    values = candidates.probabilities[row]
    order = np.argsort(-values, kind="stable")
    second = order[1] if len(order) > 1 else order[0]
    return (
        candidates.classes[order[0]],
        candidates.classes[second],
        float(values[order[0]]),
        float(values[second]),
    )


def margins(probabilities: Probabilities) -> Scores:
    """(n,) difference of the two largest probabilities, one where there is one class."""
    if probabilities.shape[1] < 2:
        return np.ones(len(probabilities))
    best = probabilities.max(axis=1)
    leader = probabilities.argmax(axis=1)
    second = np.full(len(probabilities), -np.inf)
    for column in range(probabilities.shape[1]):
        np.maximum(second, probabilities[:, column], out=second, where=leader != column)
    return np.asarray(best - second, dtype=np.float64)


def entropies(probabilities: NDArray[np.floating]) -> Scores:
    """(...,) of the last axis, in nats."""
    logs = np.log(np.maximum(probabilities, 1e-12))
    return np.asarray(-(probabilities * logs).sum(axis=-1), dtype=np.float64)


def resolution(probabilities: Probabilities) -> float:
    """How far calibrated (n, classes) tell the records apart: 0 not at all, 1 beyond doubt.

    The share of the uncertainty about the class of a record that the classifier removes, measured
    by Brier's score (Murphy 1973): one less the mean of ``sum p (1 - p)`` over the same sum for
    the mean probabilities. For two classes it is the variance of p over its largest possible one.
    """
    if len(probabilities) == 0:
        return 0.0
    means = probabilities.mean(axis=0)
    whole = float((means * (1.0 - means)).sum())
    squares = float(np.einsum("ij,ij->", probabilities, probabilities)) / len(probabilities)
    left = float(means.sum()) - squares
    return 1.0 - left / whole if whole > 0.0 else 0.0
