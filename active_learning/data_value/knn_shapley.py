"""KNN-Shapley: the exact Shapley value of every record for a nearest-neighbour classifier.

Jia et al., "Efficient Task-Specific Data Valuation for Nearest Neighbor Algorithms", PVLDB 2019,
theorem 1: one sort of the distances a test record, then a recursion from the farthest record to
the nearest. Test records go through in chunks, so no n x n matrix is ever held.
"""

import numpy as np
from numpy.typing import NDArray

from active_learning.exceptions import NoLabels, ShapeMismatch
from active_learning.types import Progress, Reason, Scores, ShouldStop, check_stop, never, silent

NEIGHBOURS = 10
"""Chosen: the theorem holds for any number; few keep the values local."""
CHUNK_CELLS = 2_000_000
"""Distances held at a time. Chosen: 16 MB of float64 bound memory."""


def knn_shapley(
    vectors: NDArray[np.float32],
    codes: NDArray[np.intp],
    test_vectors: NDArray[np.float32],
    test_codes: NDArray[np.intp],
    *,
    neighbours: int = NEIGHBOURS,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
) -> Scores:
    """(n,) mean Shapley values of the records; their sum is the mean utility of all together.

    The utility of a set for a test record is the share of ``neighbours`` that are in the set,
    among the nearest, and have the test record's label.

    Args:
        vectors: (n, d) of the labelled records.
        codes: (n,) their labels.
        test_vectors: (m, d) of records whose labels are trusted to judge.
        test_codes: (m,) their labels.
        neighbours: how many vote.

    Raises:
        NoLabels: there is no labelled record, or none to test on.
        ShapeMismatch: arrays that do not belong together.
        Cancelled: ``should_stop`` answered True.
    """
    _check(vectors, codes, test_vectors, test_codes)
    total = np.zeros(len(codes))
    step = max(1, CHUNK_CELLS // len(codes))
    for start in range(0, len(test_codes), step):
        check_stop(should_stop, "valuing labelled records")
        part = slice(start, start + step)
        distances = _distances(test_vectors[part], vectors)
        total += _chunk_values(distances, codes, test_codes[part], neighbours)
        progress(min(1.0, (start + step) / len(test_codes)), Reason("valuing labelled records"))
    values: Scores = total / len(test_codes)
    return values


def knn_shapley_within(
    vectors: NDArray[np.float32],
    codes: NDArray[np.intp],
    *,
    neighbours: int = NEIGHBOURS,
    judges: int = 5_000,
    seed: int = 0,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
) -> Scores:
    """(n,) values of labelled records where they alone judge each other.

    Every record judges all others, itself left out; of more than ``judges`` records a random
    sample does. A record's value is the mean over those that judged it.

    Raises:
        NoLabels: there are fewer than two records.
        ShapeMismatch: arrays that do not belong together.
        Cancelled: ``should_stop`` answered True.
    """
    _check(vectors, codes, vectors, codes)
    n = len(codes)
    if n < 2:
        raise NoLabels("One labelled record has nobody to judge it: give at least two.")
    drawn = np.sort(np.random.default_rng(seed).permutation(n)[:judges])
    total = np.zeros(n)
    step = max(1, CHUNK_CELLS // n)
    for start in range(0, len(drawn), step):
        check_stop(should_stop, "valuing labelled records")
        rows = drawn[start : start + step]
        distances = _distances(vectors[rows], vectors)
        # The judge comes last and is cut off: its own label must not speak for itself.
        distances[np.arange(len(rows)), rows] = np.inf
        total += _chunk_values(distances, codes, codes[rows], neighbours, left_out=1)
        progress(min(1.0, (start + step) / len(drawn)), Reason("valuing labelled records"))
    judged = np.full(n, float(len(drawn)))
    judged[drawn] -= 1.0
    values: Scores = total / np.maximum(judged, 1.0)
    return values


def _chunk_values(
    distances: NDArray[np.float32],
    codes: NDArray[np.intp],
    test_codes: NDArray[np.intp],
    neighbours: int,
    left_out: int = 0,
) -> Scores:
    """(n,) sums over the test records of one chunk; the ``left_out`` farthest get nothing."""
    order = np.argsort(distances, axis=1, kind="stable")
    order = order[:, : order.shape[1] - left_out]
    n = order.shape[1]
    agree: NDArray[np.float64] = (codes[order] == test_codes[:, None]).astype(np.float64)
    places = np.arange(1, n)
    caps = np.minimum(neighbours, places) / (neighbours * places)
    steps = (agree[:, :-1] - agree[:, 1:]) * caps
    values = np.empty_like(agree)
    values[:, -1] = agree[:, -1] / max(n, neighbours)
    values[:, :-1] = values[:, -1:] + np.cumsum(steps[:, ::-1], axis=1)[:, ::-1]
    sums = np.bincount(order.ravel(), values.ravel(), minlength=len(codes))
    return np.asarray(sums, dtype=np.float64)


def _distances(rows: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """(rows, others) squared Euclidean distances, less what is the same for a whole row."""
    squares = np.einsum("ij,ij->i", others, others)
    distances: NDArray[np.float32] = squares - 2.0 * (rows @ others.T)
    return distances


def _check(
    vectors: NDArray[np.float32],
    codes: NDArray[np.intp],
    test_vectors: NDArray[np.float32],
    test_codes: NDArray[np.intp],
) -> None:
    if not len(codes) or not len(test_codes):
        raise NoLabels("Data value needs labelled records and records to judge them by.")
    if len(vectors) != len(codes) or len(test_vectors) != len(test_codes):
        raise ShapeMismatch("Every vector needs one label: vectors and codes differ in length.")
    if vectors.ndim != 2 or vectors.shape[1:] != test_vectors.shape[1:]:
        raise ShapeMismatch(
            f"Vectors of shapes {vectors.shape} and {test_vectors.shape} cannot be compared."
        )
    if not np.isfinite(vectors).all() or not np.isfinite(test_vectors).all():
        raise ShapeMismatch("A vector holds a value that is not a number: embed the record anew.")
