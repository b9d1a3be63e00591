"""When a classifier takes part, how much it counts, and when it is left out."""

import numpy as np
import pytest

from labeling.consensus.automatic import fit_consensus
from labeling.consensus.base import LabelFrame
from labeling.consensus.classifier_prior import (
    FEWEST,
    WEIGHTS,
    _agrees,
    _habits,
    _log_priors,
    _surplus,
    add_classifier,
    consensus_with_classifier,
)
from labeling.consensus.item_priors import ItemPriors
from labeling.consensus.posterior import FEW_LABELS, UNCHECKED
from tests.labeling.consensus.rows import random_frame


def crowd(items: int, several: int, seed: int = 0) -> tuple[LabelFrame, ItemPriors]:
    """So many items, of which so many have two labels; the classifier is mostly right."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, items)
    rows = []
    for item in range(items):
        for who in rng.permutation(4)[: 1 + (item < several)].tolist():
            said = truth[item] if rng.random() < 0.85 else rng.integers(3)
            rows.append((item, who, "abc"[said]))
    p = np.where(truth[:, None] == np.arange(3), 0.8, 0.1)
    return LabelFrame.from_rows(rows), ItemPriors(np.arange(items), ["a", "b", "c"], p)


@pytest.mark.parametrize(
    ("items", "several", "without", "is_measured"),
    [
        (FEWEST - 1, 0, UNCHECKED, False),
        (FEWEST - 1, 12, FEW_LABELS, False),
        (120, FEWEST - 1, FEW_LABELS, False),
        (120, 0, UNCHECKED, True),
        (200, 200, None, True),
    ],
)
def test_with_too_few_labels_to_measure_anything_the_classifier_counts_once(
    items: int, several: int, without: str | None, is_measured: bool
) -> None:
    frame, priors = crowd(items, several)
    plain = fit_consensus(frame, classes=priors.classes)
    assert without is None or plain.method == without
    model = fit_consensus(frame, priors)
    if is_measured:
        assert model.method == "classifier_prior"
        assert model.prior_weight in WEIGHTS
        assert model.choice["weight"] == model.prior_weight
        return
    assert (model.method, model.prior_weight, model.dependence) == (FEW_LABELS, 1.0, 0.0)
    assert dict(model.choice) == {}
    assert (model.confusion == model.confusion[0]).all()
    assert model.class_prior == pytest.approx(priors.probabilities.mean(axis=0))
    # By Bayes' rule: the classifier's probability times what each says of each class.
    result = model.consensus(frame, priors)
    says = model.confusion[0]
    for item, row in zip(result.item_ids.tolist(), result.probabilities, strict=True):
        scores = priors.probabilities[item].copy()
        for label in frame.labels[frame.items == item].tolist():
            scores *= says[:, "abc".index(label)]
        assert row == pytest.approx(scores / scores.sum())


def test_the_weight_is_the_one_that_foresees_held_out_votes_best() -> None:
    frame, priors = crowd(300, 300, seed=3)
    model = fit_consensus(frame, priors)
    assert model.method == "classifier_prior"
    tried = {name: mean for name, mean in model.choice.items() if "weight " in name}
    assert len(tried) == 3 * len(WEIGHTS)
    best = max(tried, key=lambda name: tried[name])
    assert model.prior_weight == float(best.rpartition(" ")[2])
    assert {"without", "habits"} < model.choice.keys()
    assert tried[best] > max(model.choice["without"], model.choice["habits"])
    assert sorted({float(name.rpartition(" ")[2]) for name in tried}) == sorted(WEIGHTS)


def test_a_classifier_of_other_items_or_of_one_class_is_left_out() -> None:
    frame, priors = crowd(60, 60)
    without = fit_consensus(frame, classes=priors.classes)
    elsewhere = ItemPriors(priors.item_ids + 1_000, priors.classes, priors.probabilities)
    coded = frame.codes.over(priors.classes)
    assert add_classifier(coded, elsewhere, without=without) is without
    alone = LabelFrame.from_rows([(item, who, "a") for item in range(40) for who in (1, 2)])
    one = ItemPriors(np.arange(40), ["a"], np.ones((40, 1)))
    plain = fit_consensus(alone)
    assert add_classifier(alone.codes, one, without=plain) is plain


def test_agreement_is_told_of_all_votes_and_of_those_for_each_class() -> None:
    frame = random_frame(2, items=50)
    coded = frame.codes
    even = np.full((50, 3), 1 / 3)
    assert not _agrees(coded, even, at_least=0.0)
    assert _agrees(coded, even, at_least=-0.1)
    votes = coded.votes()
    towards = (votes + 0.5) / (votes + 0.5).sum(axis=1, keepdims=True)
    assert _agrees(coded, towards, at_least=2.0)
    assert not _agrees(coded, 2 / 3 - towards, at_least=-2.0)
    # Two classes swapped: agreement with the third does not make up for it.
    swapped = towards[:, [1, 0, 2]]
    assert not _agrees(coded, swapped, at_least=-50.0)


def test_a_surplus_is_the_mean_in_standard_errors() -> None:
    gain = np.array([1.0, 2.0, 3.0, 6.0])
    assert _surplus(gain) == pytest.approx(3.0 / (gain.std() / 2.0))
    assert _surplus(-gain) == -_surplus(gain)
    assert _surplus(np.zeros(5)) == 0.0
    assert _surplus(np.ones(5)) > 1e6


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0, 3.0])
def test_priors_to_a_power_are_beside_the_frequencies(weight: float) -> None:
    rng = np.random.default_rng(0)
    q, f = rng.dirichlet(np.ones(3), 20), np.array([0.5, 0.3, 0.2])
    found = np.exp(_log_priors(q, f, weight))
    expected = f * (q / f) ** weight
    assert found == pytest.approx(expected / expected.sum(axis=1, keepdims=True))


def test_habits_are_how_often_each_says_what_whatever_the_item_is() -> None:
    frame = random_frame(5, items=40, people=4)
    coded = frame.codes
    q = np.random.default_rng(0).dirichlet(np.ones(3), 40)
    found = _habits(q, coded)
    mean = q.mean(axis=0)
    assert found.class_prior == pytest.approx(mean)
    counts = np.zeros((4, 3))
    np.add.at(counts, (coded.annotator, coded.label), 1.0)
    for k in range(3):
        pooled = counts.sum(axis=0) * mean[k] + 1 / 3
        for who in range(4):
            says = counts[who] * mean[k] + pooled / pooled.sum()
            assert found.confusion[who, k] == pytest.approx(says / says.sum())


def test_classifier_and_consensus_take_turns_as_often_as_asked() -> None:
    frame, priors = crowd(200, 200)
    start = fit_consensus(frame, classes=priors.classes)
    asked = []

    def out_of_fold(items: np.ndarray, soft: np.ndarray) -> np.ndarray:
        asked.append(soft)
        assert items.tolist() == list(range(200))
        return priors.probabilities

    for rounds in (0, 1, 3):
        asked.clear()
        found = consensus_with_classifier(frame, out_of_fold, start=start, rounds=rounds)
        assert len(asked) == rounds
        assert found.method == ("classifier_prior" if rounds else start.method)
        if rounds:
            assert asked[0] == pytest.approx(start.consensus(frame).probabilities)
    asked.clear()
    consensus_with_classifier(
        frame, lambda i, s: out_of_fold(i, s)[:, [1, 2, 0]], start=start, rounds=3
    )
    assert len(asked) == 1, "a classifier that does not help is not asked again"
    nothing = LabelFrame.from_rows([])
    assert len(consensus_with_classifier(nothing, out_of_fold, start=start)) == 0
