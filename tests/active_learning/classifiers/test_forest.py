"""The forest answers as scikit-learn's does, and comes back from its arrays the same."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier

from active_learning.classifiers import forest as module
from active_learning.classifiers.forest import Forest
from active_learning.exceptions import ArtifactCorrupt


def table(n: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Rows with ties, and a class that two columns together decide."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 12)).astype(np.float32)
    rows[:, :4] = rows[:, :4] > 1
    score = rows[:, 0] + rows[:, 5] * rows[:, 6] + rng.normal(size=n)
    return rows, (score > 1).astype(np.intp)


@pytest.fixture(scope="module")
def grown() -> Forest:
    return Forest.fit(*table(400), 2, seed=3, trees=16)[0]


def test_it_answers_as_scikit_learn_does(grown: Forest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 97)
    model: Any = ExtraTreesClassifier(
        16, min_samples_leaf=2, max_features=0.6, bootstrap=True, random_state=3
    ).fit(*table(400))
    rows, _ = table(1_000, seed=1)
    np.testing.assert_allclose(grown.predict_proba(rows), model.predict_proba(rows), atol=1e-12)


def test_unseen_rows_are_judged_by_trees_that_did_not_learn_from_them() -> None:
    rows, codes = table(400)
    _, unseen = Forest.fit(rows, codes, 2, seed=3, trees=16)
    model: Any = ExtraTreesClassifier(
        16, min_samples_leaf=2, max_features=0.6, bootstrap=True, random_state=3, oob_score=True
    ).fit(rows, codes)
    judged = np.isfinite(model.oob_decision_function_[:, 0])
    np.testing.assert_allclose(unseen[judged], model.oob_decision_function_[judged], atol=1e-12)


def test_a_class_that_no_row_has_gets_nothing() -> None:
    rows, codes = table(100)
    found = Forest.fit(rows, codes * 2, 4, seed=0, trees=4)[0].predict_proba(rows)
    assert found.shape == (100, 4)
    assert not found[:, [1, 3]].any()


def test_a_value_on_the_threshold_goes_left() -> None:
    """Also where the threshold lies between two values that float32 can hold."""
    between = float(np.float32(0.1)) + 1e-10
    stump = Forest.from_arrays(stump_arrays(threshold=between))
    rows = np.array(
        [[np.float32(0.1)], [np.nextafter(np.float32(0.1), np.float32(1))]], dtype=np.float32
    )
    assert stump.predict_proba(rows)[:, 0].tolist() == [1.0, 0.0]


def test_the_arrays_make_the_same_forest(grown: Forest) -> None:
    rows, _ = table(500, seed=2)
    again = Forest.from_arrays(grown.to_arrays())
    np.testing.assert_array_equal(again.predict_proba(rows), grown.predict_proba(rows))


def test_arrays_of_the_first_format_are_read(grown: Forest) -> None:
    """They held every column of scikit-learn's nodes, values with an axis more, and depths."""
    rows, _ = table(500, seed=2)
    arrays = grown.to_arrays()
    arrays |= {"values": arrays["values"][:, None, :], "depths": np.full(16, 9)}
    for name in ("impurity", "n_node_samples", "missing_go_to_left"):
        arrays[f"node_{name}"] = np.zeros(len(arrays["values"]))
    again = Forest.from_arrays(arrays)
    np.testing.assert_array_equal(again.predict_proba(rows), grown.predict_proba(rows))


@pytest.mark.parametrize(
    "damage",
    [
        {"node_left_child": np.array([0, -1, -1])},
        {"node_right_child": np.array([3, -1, -1])},
        {"node_feature": np.array([7, -2, -2])},
        {"node_counts": np.array([2])},
        {"node_counts": np.array([3, 0])},
        {"values": np.ones((2, 2))},
    ],
)
def test_damaged_arrays_are_refused(damage: dict[str, NDArray[Any]]) -> None:
    with pytest.raises(ArtifactCorrupt, match="forest cannot be read"):
        Forest.from_arrays({**stump_arrays(), **damage})


def test_missing_arrays_are_refused() -> None:
    arrays = stump_arrays()
    del arrays["node_threshold"]
    with pytest.raises(ArtifactCorrupt, match="node_threshold"):
        Forest.from_arrays(arrays)


def stump_arrays(threshold: float = 0.5) -> dict[str, NDArray[Any]]:
    """One tree that asks one column."""
    return {
        "node_left_child": np.array([1, -1, -1]),
        "node_right_child": np.array([2, -1, -1]),
        "node_feature": np.array([0, -2, -2]),
        "node_threshold": np.array([threshold, -2.0, -2.0]),
        "values": np.array([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]]),
        "node_counts": np.array([3]),
        "shape": np.array([2, 1]),
    }
