"""A classifier's rows, whatever the order of items and classes."""

import numpy as np
import pytest

from labeling.consensus.item_priors import LEAST, ItemPriors


def priors() -> ItemPriors:
    ids = np.array([9, 2, 40, 7])
    return ItemPriors(ids, ["b", "a", "c"], np.random.default_rng(0).dirichlet(np.ones(3), 4))


def test_rows_are_those_of_their_items_and_others_get_what_is_said_otherwise() -> None:
    given = priors()
    otherwise = np.array([0.2, 0.3, 0.5])
    items = np.array([1, 2, 7, 8, 9, 40, 41])
    rows = given.rows_of(items, otherwise)
    known = {9: 0, 2: 1, 40: 2, 7: 3}
    for item, row in zip(items.tolist(), rows, strict=True):
        expected = given.probabilities[known[item]] if item in known else otherwise
        assert row == pytest.approx(expected)
    assert given.has(items).tolist() == [False, True, True, False, True, True, False]
    assert given.rows_of(items[:0], otherwise).shape == (0, 3)
    none = ItemPriors(np.zeros(0, dtype=np.int64), ["a", "b", "c"], np.zeros((0, 3)))
    assert none.rows_of(items, 2 * otherwise) == pytest.approx(np.tile(otherwise, (7, 1)))


def test_no_class_is_ever_impossible() -> None:
    sure = ItemPriors(np.array([1]), ["a", "b"], np.array([[1.0, 0.0]]))
    (row,) = sure.rows_of(np.array([1]), np.ones(2))
    assert row == pytest.approx(np.array([1.0, LEAST]) / (1 + LEAST))


def test_classes_come_in_any_order_and_are_the_same() -> None:
    given = priors()
    moved = given.over(np.array(["a", "b", "c"]))
    assert moved.classes == ["a", "b", "c"]
    assert moved.probabilities.tolist() == given.probabilities[:, [1, 0, 2]].tolist()
    assert moved.item_ids.tolist() == given.item_ids.tolist()
    assert given.over(np.array(["b", "a", "c"])) is given
    for names in (["a", "b"], ["a", "b", "d"], ["a", "b", "c", "d"]):
        with pytest.raises(ValueError, match="classes"):
            given.over(np.array(names))


@pytest.mark.parametrize(
    ("row", "is_sound"),
    [
        ([0.4, 0.6], True),
        ([0.4, 0.6009], True),
        ([0.4, 0.603], False),
        ([0.4, 0.597], False),
        ([-0.1, 1.1], False),
        ([0.0, 1.0], True),
        ([np.inf, 0.0], False),
        ([np.nan, 1.0], False),
    ],
)
def test_rows_are_shares(row: list[float], is_sound: bool) -> None:
    table = np.array([[0.5, 0.5], row])
    if is_sound:
        ItemPriors(np.array([1, 2]), ["a", "b"], table)
        return
    with pytest.raises(ValueError, match="sum to 1"):
        ItemPriors(np.array([1, 2]), ["a", "b"], table)
