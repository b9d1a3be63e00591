"""A forest of extremely randomised trees that is stored as plain arrays, never as a pickle.

scikit-learn grows the trees; what it publishes of them (children, feature, threshold and value of
every node) is all that is kept. It offers no way back from these arrays to an estimator but a
pickle, so the rows are led through the nodes here.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier

from active_learning.exceptions import ArtifactCorrupt
from active_learning.types import Probabilities, Reason

TREES = 64
"""Between 64 and 128 trees more hardly help (Oshiro, Perez and Baranauskas 2012); each costs time
for every record of a pool, so the fewest."""
BLOCK = 16_384
"""Rows that are led through a tree together. Chosen: fastest of 2,048 to 65,536 with 30 signals;
smaller ones pay for their calls, larger ones fall out of the processor's cache."""
STRIDE = 5
"""Nodes after which rows that are in a leaf are dropped; in a leaf a row stays. Chosen: dropping
them after each node costs more than it saves."""
Arrays = dict[str, NDArray[Any]]
LEAF = -1
"""The child of a leaf, as scikit-learn has it."""


class Forest:
    """Class probabilities as the mean over trees (Geurts, Ernst and Wehenkel 2006)."""

    def __init__(
        self,
        left: NDArray[np.intp],
        right: NDArray[np.intp],
        feature: NDArray[np.intp],
        threshold: NDArray[np.float64],
        values: NDArray[np.float64],
        counts: NDArray[np.intp],
        features: int,
    ) -> None:
        """The trees' nodes, one tree behind the other.

        Args:
            left: (nodes,) the child for a value up to the threshold, counted from the tree's root;
                ``LEAF`` in a leaf. Children come after their parents.
            right: (nodes,) the child for a larger value.
            feature: (nodes,) column that is asked.
            threshold: (nodes,).
            values: (nodes, classes) weights of the classes.
            counts: (trees,) nodes of each tree.
            features: columns of the rows.

        Raises:
            ValueError: a child lies outside its tree, or there is no such column.
        """
        _check_links(left, right, feature, counts, features)
        self._nodes = {
            "left_child": left,
            "right_child": right,
            "feature": feature,
            "threshold": threshold,
        }
        self._values = values
        self._counts = counts
        self._features = features
        self._roots = np.cumsum(counts) - counts
        root = np.repeat(self._roots, counts)
        self._is_leaf = left == LEAF
        stay = np.arange(len(left))
        self._child = np.where(self._is_leaf, stay, np.stack([left, right]) + root).T.ravel()
        self._asked = np.where(self._is_leaf, 0, feature)
        self._limit = _rounded_down(threshold)
        self._shares = values / np.maximum(values.sum(axis=1, keepdims=True), 1e-12)

    @classmethod
    def fit(
        cls,
        features: NDArray[np.float32],
        codes: NDArray[np.intp],
        classes: int,
        *,
        seed: int,
        trees: int = TREES,
        min_leaf: int = 2,
    ) -> tuple["Forest", Probabilities]:
        """The forest, and the out-of-bag probabilities of the rows it was fitted on.

        Args:
            features: (n, d).
            codes: (n,) classes from 0 to ``classes`` - 1; at least two differ.
            classes: how many there are.
            seed: of the trees.
            trees: how many.
            min_leaf: fewest rows in a leaf; 1 keeps a fault that was seen only once.
        """
        model: Any = ExtraTreesClassifier(
            trees, min_samples_leaf=min_leaf, max_features=0.6, bootstrap=True, random_state=seed
        )
        model.fit(features, codes)
        grown = [estimator.tree_ for estimator in model.estimators_]
        counts = np.array([tree.node_count for tree in grown], dtype=np.intp)
        values = np.zeros((int(counts.sum()), classes))
        values[:, model.classes_.astype(int)] = np.concatenate([tree.value[:, 0] for tree in grown])
        forest = cls(
            np.concatenate([tree.children_left for tree in grown]),
            np.concatenate([tree.children_right for tree in grown]),
            np.concatenate([tree.feature for tree in grown]),
            np.concatenate([tree.threshold for tree in grown]),
            values,
            counts,
            features.shape[1],
        )
        return forest, forest._out_of_bag(features, model.estimators_samples_)

    def predict_proba(self, features: NDArray[np.float32]) -> Probabilities:
        """(n, classes) mean of the trees' leaf shares."""
        total = np.zeros((len(features), self._shares.shape[1]))
        for start in range(0, len(features), BLOCK):
            block = features[start : start + BLOCK]
            columns = _columns(block)
            for root in self._roots.tolist():
                leaves = self._leaves(root, columns, len(block))
                total[start : start + BLOCK] += self._shares.take(leaves, axis=0)
        mean: Probabilities = total / len(self._roots)
        return mean

    def to_arrays(self) -> Arrays:
        """Plain arrays that ``from_arrays`` understands."""
        arrays: Arrays = {f"node_{name}": column for name, column in self._nodes.items()}
        arrays["values"] = self._values
        arrays["node_counts"] = self._counts
        arrays["shape"] = np.array([self._values.shape[1], self._features])
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Forest":
        """The forest that ``to_arrays`` wrote, also that of format 1, which held more columns.

        Raises:
            ArtifactCorrupt: the arrays do not describe a forest.
        """
        try:
            classes, features = (int(size) for size in arrays["shape"])
            counts = arrays["node_counts"].astype(np.intp)
            nodes = int(counts.sum())
            return cls(
                arrays["node_left_child"].astype(np.intp).reshape(nodes),
                arrays["node_right_child"].astype(np.intp).reshape(nodes),
                arrays["node_feature"].astype(np.intp).reshape(nodes),
                arrays["node_threshold"].astype(np.float64).reshape(nodes),
                arrays["values"].astype(np.float64).reshape(nodes, classes),
                counts,
                features,
            )
        except (KeyError, ValueError, IndexError) as error:
            raise ArtifactCorrupt(
                Reason("The stored forest cannot be read: {error}", error=error)
            ) from error

    def _leaves(self, root: int, columns: NDArray[np.float32], rows: int) -> NDArray[np.intp]:
        """(rows,) the leaf of the tree in which each row ends."""
        ends = np.full(rows, root, dtype=np.intp)
        on_the_way, at = np.arange(rows), ends
        while len(on_the_way):
            for _ in range(STRIDE):
                value = columns.take(self._asked.take(at) * rows + on_the_way)
                at = self._child.take(2 * at + (value > self._limit.take(at)))
            ends[on_the_way] = at
            is_going_on = ~self._is_leaf.take(at)
            on_the_way, at = on_the_way[is_going_on], at[is_going_on]
        return ends

    def _out_of_bag(
        self, features: NDArray[np.float32], samples: list[NDArray[Any]]
    ) -> Probabilities:
        """Each row judged by the trees that did not see it; by all trees where none is left."""
        total = np.zeros((len(features), self._shares.shape[1]))
        votes = np.zeros(len(features))
        for root, used in zip(self._roots.tolist(), samples, strict=True):
            unseen = np.setdiff1d(np.arange(len(features)), used)
            leaves = self._leaves(root, _columns(features[unseen]), len(unseen))
            total[unseen] += self._shares.take(leaves, axis=0)
            votes[unseen] += 1
        judged: Probabilities = total / np.maximum(votes, 1)[:, None]
        if (votes == 0).any():
            judged[votes == 0] = self.predict_proba(features[votes == 0])
        return judged


def _columns(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The values, column behind column."""
    return np.ascontiguousarray(rows.T, dtype=np.float32).ravel()


def _rounded_down(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 not above it: a float32 value is larger than both, or than neither."""
    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)


def _check_links(
    left: NDArray[np.intp],
    right: NDArray[np.intp],
    feature: NDArray[np.intp],
    counts: NDArray[np.intp],
    features: int,
) -> None:
    """Children lie inside their tree and behind their parent, so that every way ends in a leaf."""
    if len(counts) == 0 or (counts < 1).any():
        raise ValueError("a tree has no node")
    place = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
    inner = left != LEAF
    for child in (left[inner], right[inner]):
        if ((child <= place[inner]) | (child >= np.repeat(counts, counts)[inner])).any():
            raise ValueError("a node points outside its tree")
    if ((feature[inner] < 0) | (feature[inner] >= features)).any():
        raise ValueError("a node asks for an unknown feature")
