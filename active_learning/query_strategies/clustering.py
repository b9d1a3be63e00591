"""Small clusterings of candidate vectors, seeded."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from sklearn.cluster import MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning

from active_learning.types import Positions, Scores


def clusters_of(
    vectors: NDArray[np.float32], count: int, seed: int, weights: Scores | None = None
) -> Positions:
    """(n,) cluster numbers of k-means with ``count`` centres."""
    if count >= len(vectors):
        return np.arange(len(vectors))
    model: Any = MiniBatchKMeans(count, random_state=seed, n_init=1, max_iter=40, batch_size=2048)
    with warnings.catch_warnings():
        # Fewer distinct vectors than centres is usual among duplicated records.
        warnings.simplefilter("ignore", ConvergenceWarning)
        labels = model.fit(vectors, sample_weight=weights).labels_
    return np.asarray(labels, dtype=np.intp)


def in_order_of_likeness(vectors: NDArray[np.float32], clusters: Positions) -> Positions:
    """(n,) the clusters numbered anew, as leaves of a tree that joins like centres (Ward 1963)."""
    names, places = np.unique(clusters, return_inverse=True)
    if len(names) < 3:
        return places
    order = np.argsort(places, kind="stable")
    starts = np.searchsorted(places[order], np.arange(len(names)))
    sums = np.add.reduceat(vectors[order].astype(np.float64), starts)
    centres = sums / np.bincount(places)[:, None]
    rank = np.empty(len(names), dtype=np.intp)
    rank[leaves_list(linkage(centres, "ward"))] = np.arange(len(names))
    return rank[places]


def best_of_each(clusters: Positions, scores: Scores) -> Positions:
    """(clusters,): the highest scored of the n rows of every cluster, highest first."""
    order = np.argsort(-scores, kind="stable")
    _, first = np.unique(clusters[order], return_index=True)
    return order[np.sort(first)]
