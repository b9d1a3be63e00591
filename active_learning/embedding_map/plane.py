"""Where each embedding lies in a plane, so that neighbours stay neighbours."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from active_learning.types import Embeddings

Method = Literal["pca", "tsne"]
LANDMARKS = 3_000
"""Points that the neighbour embedding itself places: six seconds of one core. Chosen: a map is
drawn anew after every change of the records."""
FEWEST = 60
"""Below, the neighbour embedding has no neighbourhoods to keep: twice its perplexity."""
PERPLEXITY = 30.0
"""The authors' and scikit-learn's own."""
ITERATIONS = 500
"""Half of scikit-learn's own: its clusters stand by then. Chosen."""
START_SPREAD = 1e-4
"""Of the first component at the start, as scikit-learn's ``init="pca"`` has it."""
NEAREST = 5
"""Landmarks between which another point is placed. Chosen."""


def plane(reduced: Embeddings, seed: int) -> tuple[NDArray[np.float32], Method]:
    """(n, 2) places within -1 and 1 for (n, k) reduced embeddings, and how they were found.

    t-SNE (van der Maaten and Hinton 2008) of at most ``LANDMARKS`` points drawn at random, from
    their first two components on; every other point lies between its nearest landmarks, the
    nearer the closer. Few points, and such as do not differ, are their first two components.
    The same input and seed give the same places.
    """
    spread = reduced.std(axis=0).max() if reduced.size else 0.0
    if len(reduced) < FEWEST or spread == 0.0 or reduced.shape[1] < 2:
        return _within_one(_two_columns(reduced)), "pca"
    return _within_one(_neighbour_embedding(reduced, seed)), "tsne"


def _neighbour_embedding(reduced: Embeddings, seed: int) -> NDArray[np.float32]:
    from sklearn.manifold import TSNE
    from sklearn.neighbors import KNeighborsRegressor

    rng = np.random.default_rng(seed)
    count = min(LANDMARKS, len(reduced))
    landmarks = np.sort(rng.choice(len(reduced), count, replace=False))
    marked = reduced[landmarks]
    start = _two_columns(marked) / max(float(marked[:, 0].std()), 1e-12) * START_SPREAD
    with threadpool_limits(1):  # more threads gain little, and wait for each other where it is busy
        drawn = TSNE(
            perplexity=PERPLEXITY,
            max_iter=ITERATIONS,
            init=start,
            learning_rate="auto",
            random_state=seed,
        ).fit_transform(marked)
    places = np.empty((len(reduced), 2), dtype=np.float32)
    places[landmarks] = drawn
    others = np.setdiff1d(np.arange(len(reduced)), landmarks)
    if len(others):
        between = KNeighborsRegressor(NEAREST, weights="distance").fit(marked, drawn)
        places[others] = between.predict(reduced[others])
    return places


def _two_columns(reduced: Embeddings) -> NDArray[np.float32]:
    places = np.zeros((len(reduced), 2), dtype=np.float32)
    kept = min(2, reduced.shape[1])
    places[:, :kept] = reduced[:, :kept]
    return places


def _within_one(places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Moved and scaled, the same in both directions, so that the middle of what they span is 0."""
    if not len(places):
        return places
    low, high = places.min(axis=0), places.max(axis=0)
    half = float((high - low).max()) / 2 or 1.0
    found: NDArray[np.float32] = ((places - (low + high) / 2) / half).astype(np.float32)
    return found
