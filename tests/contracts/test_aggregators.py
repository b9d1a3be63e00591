"""What every method of consensus keeps to."""

from random import Random

import numpy as np
import pytest

from labeling.consensus.automatic import automatic
from labeling.consensus.base import Aggregator, LabelFrame
from labeling.consensus.dawid_skene import dawid_skene
from labeling.consensus.item_priors import ItemPriors
from labeling.consensus.majority_vote import majority_vote
from labeling.consensus.posterior import ConsensusResult
from labeling.consensus.weighted_majority_vote import weighted_majority_vote
from tests.labeling.consensus.rows import Rows, random_rows


def smoothed(frame: LabelFrame) -> ConsensusResult:
    return dawid_skene(frame, smoothing=1.0)


def with_even_priors(frame: LabelFrame) -> ConsensusResult:
    """The classifier knows nothing."""
    coded = frame.codes
    shape = (len(coded.items), len(coded.classes))
    even = np.full(shape, 1 / max(1, shape[1]))
    return automatic(frame, priors=ItemPriors(coded.items, coded.classes.tolist(), even))


METHODS = [
    majority_vote,
    weighted_majority_vote,
    dawid_skene,
    smoothed,
    automatic,
    with_even_priors,
]
each_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
DEGENERATE: dict[str, Rows] = {
    "one label": [(1, 1, "a")],
    "one annotator": [(item, 1, "ab"[item % 2]) for item in range(9)],
    "one class": [(item, person, "a") for item in range(5) for person in range(3)],
    "one item": [(1, person, "aab"[person]) for person in range(3)],
    "one vote an item": [(item, item % 4, "abc"[item % 3]) for item in range(30)],
    "all tied": [(item, person, "ab"[person]) for item in range(8) for person in range(2)],
    "all different": [(1, person, "abcdef"[person]) for person in range(6)],
    "someone always the same": [
        (item, person, "a" if person == 0 else "ab"[item % 2])
        for item in range(20)
        for person in range(3)
    ],
    "huge ids": [(2**60 + item, -(2**50) - item % 2, "a") for item in range(4)],
}


def assert_sound(frame: LabelFrame, result: ConsensusResult) -> None:
    assert result.item_ids.tolist() == sorted(set(frame.items.tolist()))
    assert result.probabilities.shape == (len(result.item_ids), len(result.classes))
    assert np.isfinite(result.probabilities).all()
    assert (result.probabilities >= 0).all()
    assert result.probabilities.sum(axis=1) == pytest.approx(np.ones(len(result.item_ids)))
    assert ((result.confidence > 0) & (result.confidence <= 1 + 1e-12)).all()
    given = dict(zip(*np.unique(frame.items, return_counts=True), strict=True))
    assert [each.votes for each in result.values()] == [given[item] for item in result]
    for code, each in zip(result.codes.tolist(), result.values(), strict=True):
        assert each.label == (None if code < 0 else result.classes[code])
        assert each.is_tied == (code < 0)
    for confusion in [] if result.confusion is None else [result.confusion]:
        assert confusion.shape == (len(result.annotators), *[len(result.classes)] * 2)
        assert np.isfinite(confusion).all()
        assert confusion.sum(axis=2) == pytest.approx(np.ones(confusion.shape[:2]))
    if result.accuracy is not None:
        assert ((result.accuracy >= 0) & (result.accuracy <= 1 + 1e-9)).all()


@each_method
@pytest.mark.parametrize("seed", range(3))
def test_results_are_sound(method: Aggregator, seed: int) -> None:
    rows, truth = random_rows(seed)
    frame = LabelFrame.from_rows(rows)
    result = method(frame)
    assert_sound(frame, result)
    right = [result[item].label == label for item, label in truth.items()]
    assert np.mean(right) > 0.6


@each_method
@pytest.mark.parametrize("kind", DEGENERATE)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_degenerate_labels_give_sound_results(method: Aggregator, kind: str) -> None:
    frame = LabelFrame.from_rows(DEGENERATE[kind])
    assert_sound(frame, method(frame))


@each_method
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_an_empty_frame_gives_an_empty_result(method: Aggregator) -> None:
    result = method(LabelFrame.from_rows([]))
    assert len(result) == 0
    assert result == {}
    assert result.codes.tolist() == []


@each_method
def test_unanimous_items_keep_their_label(method: Aggregator) -> None:
    rows = [(item, person, "abc"[item % 3]) for item in range(12) for person in range(4)]
    found = method(LabelFrame.from_rows(rows))
    assert {item: each.label for item, each in found.items()} == {
        item: label for item, _, label in rows
    }
    assert (found.confidence > 0.9).all()


@each_method
def test_nobody_can_break_a_tie_of_equals(method: Aggregator) -> None:
    rows = [(1, 1, "a"), (1, 2, "b")]
    found = method(LabelFrame.from_rows(rows))[1]
    assert found.label is None
    assert found.confidence == pytest.approx(0.5)


@each_method
def test_the_order_of_labels_changes_nothing(method: Aggregator) -> None:
    rows, _ = random_rows(5)
    shuffled = rows.copy()
    Random(1).shuffle(shuffled)
    one, other = (method(LabelFrame.from_rows(each)) for each in (rows, shuffled))
    assert one.method == other.method
    assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


@each_method
def test_names_change_nothing_but_the_order(method: Aggregator) -> None:
    rows, _ = random_rows(7, items=150, people=8)
    random = Random(2)
    items, people = random.sample(range(1000), 150), random.sample(range(1000), 8)
    labels = dict(zip("abc", "zxy", strict=True))
    renamed = [(items[i], people[w], labels[label]) for i, w, label in rows]
    one, other = (method(LabelFrame.from_rows(each)) for each in (rows, renamed))
    assert one.method == other.method
    for item, each in one.items():
        same = other[items[item]]
        assert same.label == (None if each.label is None else labels[each.label])
        assert same.confidence == pytest.approx(each.confidence, abs=1e-6)
