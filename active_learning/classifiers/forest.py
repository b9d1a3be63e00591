"""A forest of extremely randomised trees that is stored as plain arrays, never as a pickle."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.tree._tree import Tree

from active_learning.exceptions import ArtifactCorrupt
from active_learning.types import Probabilities

TREES = 64
"""Between 64 and 128 trees more hardly help (Oshiro, Perez and Baranauskas 2012); each costs time
for every record of a pool, so the fewest."""
Arrays = dict[str, NDArray[Any]]


class Forest:
    """Class probabilities as the mean over trees (Geurts, Ernst and Wehenkel 2006)."""

    def __init__(self, trees: list[Any], classes: int, features: int) -> None:
        self._trees = trees
        self._classes = classes
        self._features = features

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
            seed: of the trees.
            trees: how many.
            min_leaf: fewest rows in a leaf; 1 keeps a fault that was seen only once.
        """
        model: Any = ExtraTreesClassifier(
            trees, min_samples_leaf=min_leaf, max_features=0.6, bootstrap=True, random_state=seed
        )
        model.fit(features, codes)
        seen = model.classes_.astype(int)
        grown = []
        for estimator in model.estimators_:
            state = estimator.tree_.__getstate__()
            values = np.zeros((state["node_count"], 1, classes))
            values[:, :, seen] = state["values"]
            grown.append(_tree(state["nodes"], values, state["max_depth"], features.shape[1]))
        forest = cls(grown, classes, features.shape[1])
        return forest, _out_of_bag(forest, features, model.estimators_samples_)

    def predict_proba(self, features: NDArray[np.float32]) -> Probabilities:
        """(n, classes) mean of the trees' leaf shares."""
        rows = np.ascontiguousarray(features, dtype=np.float32)
        total = np.zeros((len(rows), self._classes))
        for tree in self._trees:
            total += _leaf_shares(tree, rows)
        mean: Probabilities = total / len(self._trees)
        return mean

    def to_arrays(self) -> Arrays:
        """Plain arrays that ``from_arrays`` understands."""
        states = [tree.__getstate__() for tree in self._trees]
        nodes = np.concatenate([state["nodes"] for state in states])
        arrays: Arrays = {
            f"node_{name}": np.ascontiguousarray(nodes[name]) for name in nodes.dtype.names
        }
        arrays["values"] = np.concatenate([state["values"] for state in states])
        arrays["node_counts"] = np.array([state["node_count"] for state in states])
        arrays["depths"] = np.array([state["max_depth"] for state in states])
        arrays["shape"] = np.array([self._classes, self._features])
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Forest":
        """The forest that ``to_arrays`` wrote.

        Raises:
            ArtifactCorrupt: the arrays do not describe a forest.
        """
        try:
            classes, features = (int(size) for size in arrays["shape"])
            names = [name.removeprefix("node_") for name in arrays if name.startswith("node_")]
            template = Tree(features, np.array([classes], dtype=np.intp), 1)
            dtype = template.__getstate__()["nodes"].dtype
            counts = arrays["node_counts"].astype(int)
            nodes = np.zeros(int(counts.sum()), dtype=dtype)
            for name in dtype.names:
                nodes[name] = arrays[f"node_{name}"]
            if len(names) - 1 != len(dtype.names):
                raise ValueError("unknown node columns")
            ends = np.cumsum(counts)
            _check_links(nodes, counts, ends, features)
            trees = [
                _tree(
                    nodes[end - count : end],
                    arrays["values"][end - count : end],
                    int(depth),
                    features,
                )
                for count, end, depth in zip(counts, ends, arrays["depths"], strict=True)
            ]
        except (KeyError, ValueError, IndexError) as error:
            raise ArtifactCorrupt(f"The stored forest cannot be read: {error}") from error
        return cls(trees, classes, features)


def _tree(nodes: NDArray[Any], values: NDArray[Any], depth: int, features: int) -> Any:
    tree: Any = Tree(features, np.array([values.shape[2]], dtype=np.intp), 1)
    tree.__setstate__(
        {
            "max_depth": depth,
            "node_count": len(nodes),
            "nodes": np.ascontiguousarray(nodes),
            "values": np.ascontiguousarray(values, dtype=np.float64),
        }
    )
    return tree


def _leaf_shares(tree: Any, rows: NDArray[np.float32]) -> Probabilities:
    values: Probabilities = tree.predict(rows).reshape(len(rows), -1)
    shares: Probabilities = values / np.maximum(values.sum(axis=1, keepdims=True), 1e-12)
    return shares


def _out_of_bag(
    forest: Forest, features: NDArray[np.float32], samples: list[NDArray[Any]]
) -> Probabilities:
    """Each row judged by the trees that did not see it; by all trees where none is left."""
    rows = np.ascontiguousarray(features, dtype=np.float32)
    total = np.zeros((len(rows), forest._classes))
    votes = np.zeros(len(rows))
    for tree, used in zip(forest._trees, samples, strict=True):
        unseen = np.setdiff1d(np.arange(len(rows)), used)
        if len(unseen):
            total[unseen] += _leaf_shares(tree, rows[unseen])
            votes[unseen] += 1
    judged = total / np.maximum(votes, 1)[:, None]
    if (votes == 0).any():
        judged[votes == 0] = forest.predict_proba(rows[votes == 0])
    out: Probabilities = judged
    return out


def _check_links(
    nodes: NDArray[Any], counts: NDArray[Any], ends: NDArray[Any], features: int
) -> None:
    """Children and features lie inside the tree: a damaged file must not read foreign memory."""
    for count, end in zip(counts, ends, strict=True):
        part = nodes[end - count : end]
        inner = part["left_child"] != -1
        for name in ("left_child", "right_child"):
            child = part[name][inner]
            if ((child <= np.flatnonzero(inner)) | (child >= count)).any():
                raise ValueError("a node points outside its tree")
        if ((part["feature"][inner] < 0) | (part["feature"][inner] >= features)).any():
            raise ValueError("a node asks for an unknown feature")
