"""A fitted model gives the consensus of any items as the whole fit does."""

import json

import numpy as np
import pytest

from labeling.consensus.automatic import automatic, fit_consensus
from labeling.consensus.base import LabelFrame
from labeling.consensus.consensus_model import ConsensusModel, LabelOutsideModel, model_of
from labeling.consensus.dawid_skene import Fitted, fit_smoothed
from labeling.consensus.item_priors import ItemPriors
from tests.labeling.consensus.rows import random_frame, random_rows


def opinions(frame: LabelFrame, seed: int, share: float = 0.8) -> ItemPriors:
    """A classifier that leans to what most said, of a random part of the items."""
    coded = frame.codes
    rng = np.random.default_rng(seed)
    votes = coded.votes() + rng.uniform(0.5, 2.0, (len(coded.items), len(coded.classes)))
    kept = rng.random(len(votes)) < share
    order = rng.permutation(int(kept.sum()))
    table = (votes / votes.sum(axis=1, keepdims=True))[kept][order]
    return ItemPriors(coded.items[kept][order], coded.classes.tolist(), table)


def part(frame: LabelFrame, items: np.ndarray) -> LabelFrame:
    rows = np.isin(frame.items, items)
    return LabelFrame(frame.items[rows], frame.annotators[rows], frame.labels[rows])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("has_classifier", [False, True])
def test_a_part_of_the_items_gets_what_the_whole_fit_gives(seed: int, has_classifier: bool) -> None:
    frame = random_frame(seed, items=300, votes=(0.1, 0.4, 0.8)[seed % 3])
    priors = opinions(frame, seed) if has_classifier else None
    model = fit_consensus(frame, priors)
    whole = automatic(frame, priors=priors)
    assert model.method == whole.method
    kept = ConsensusModel.from_json(json.loads(json.dumps(model.to_json())))
    drawn = np.random.default_rng(seed).permutation(whole.item_ids)[:40]
    some = kept.consensus(part(frame, drawn), priors)
    rows = np.searchsorted(whole.item_ids, some.item_ids)
    assert some.item_ids.tolist() == sorted(drawn.tolist())
    assert some.classes.tolist() == whole.classes.tolist()
    assert some.probabilities == pytest.approx(whole.probabilities[rows], abs=1e-12)
    assert some.votes.tolist() == whole.votes[rows].tolist()
    assert some.sureness == pytest.approx(whole.sureness[rows], abs=1e-12)
    assert [some[item] for item in some] == [whole[item] for item in some]


def test_somebody_new_counts_as_the_usual_annotator() -> None:
    frame = random_frame(1, items=400, people=4)
    model = fit_consensus(frame)
    assert model.method != "majority"
    label = frame.labels[0]
    by_skill = [model.consensus(LabelFrame.from_rows([(1, who, label)])) for who in range(4)]
    new = model.consensus(LabelFrame.from_rows([(1, 99, label)]))
    sure = [float(each.confidence[0]) for each in by_skill]
    assert min(sure) < new.confidence[0] < max(sure)


def test_an_unknown_label_asks_for_a_new_fit() -> None:
    model = fit_consensus(random_frame(2))
    with pytest.raises(LabelOutsideModel, match="fit again"):
        model.consensus(LabelFrame.from_rows([(1, 1, "never given")]))


def test_classes_that_nobody_gave_may_be_named() -> None:
    rows, _ = random_rows(3)
    model = fit_consensus(LabelFrame.from_rows(rows), classes=["d", "a", "b", "c"])
    found = model.consensus(LabelFrame.from_rows([(1, 1, "d")]))
    assert found.classes.tolist() == ["d", "a", "b", "c"]
    assert found[1].label == "d"


def test_annotators_alone_never_speak_against_everybodys_answer() -> None:
    rows = [(item, who, "ab"[item % 2]) for item in range(40) for who in (1, 2)]
    swapped = [(item, 3, "ba"[item % 2]) for item in range(40)]
    frame = LabelFrame.from_rows(rows + swapped)
    model = model_of(frame.codes, fit_smoothed(frame.codes), "dawid_skene")
    alone = model.consensus(LabelFrame.from_rows([(1, 3, "a")]))
    assert alone[1].label == "a"
    assert alone.confidence[0] == pytest.approx(0.5, abs=1e-5)


def test_the_usual_annotator_is_the_average_of_the_known_by_how_many_labels_they_gave() -> None:
    rows = [(item, 1, "ab"[item % 2]) for item in range(30)]
    rows += [(item, 2, "a") for item in range(10)]
    coded = LabelFrame.from_rows(rows).codes
    tables = np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.4, 0.6]]])
    fitted = Fitted(np.full((30, 2), 0.5), tables, np.array([0.6, 0.4]))
    model = model_of(coded, fitted, "dawid_skene")
    assert model.usual_confusion == pytest.approx(0.75 * tables[0] + 0.25 * tables[1])
    assert model.usual_confusion.sum(axis=1) == pytest.approx([1.0, 1.0])
    new = model.consensus(LabelFrame.from_rows([(1, 0, "b"), (2, 99, "b")]))
    scores = np.array([0.6, 0.4]) * model.usual_confusion[:, 1]
    for row in new.probabilities:
        assert row == pytest.approx(scores / scores.sum())


def test_errors_made_together_make_a_probability_less_sure() -> None:
    """Scores to the power of 1 / (1 + (n - 1) dependence), n the votes of the item."""
    tables = np.array([[[0.9, 0.1], [0.2, 0.8]]] * 3)
    model = ConsensusModel(
        "dawid_skene",
        np.array(["a", "b"]),
        np.array([1, 2, 3]),
        tables,
        tables[0],
        np.array([0.5, 0.5]),
        dependence=0.5,
    )
    rows = [(1, 1, "a"), (1, 2, "a"), (1, 3, "b"), (2, 1, "b")]
    found = model.consensus(LabelFrame.from_rows(rows)).probabilities
    scores = np.array([0.9 * 0.9 * 0.1, 0.2 * 0.2 * 0.8]) ** (1 / (1 + 2 * 0.5))
    assert found[0] == pytest.approx(scores / scores.sum())
    assert found[1] == pytest.approx(np.array([0.1, 0.8]) / 0.9)


def test_a_classifier_counts_to_its_power_beside_the_frequencies() -> None:
    table = np.array([[[0.9, 0.1], [0.2, 0.8]]])
    prior = np.array([0.7, 0.3])
    model = ConsensusModel(
        "classifier_prior",
        np.array(["a", "b"]),
        np.array([1]),
        table,
        table[0],
        prior,
        prior_weight=2.0,
    )
    q = np.array([0.25, 0.75])
    found = model.consensus(
        LabelFrame.from_rows([(1, 1, "b")]), ItemPriors(np.array([1]), ["a", "b"], q[None])
    )
    scores = prior * (q / prior) ** 2 * table[0, :, 1]
    # Its own frequencies may not speak against the one answer: they do not here.
    assert found.probabilities[0] == pytest.approx(scores / scores.sum())
    assert found.ordering is not None
    assert found.ordering[0] == pytest.approx((scores / scores.sum() + q) / 2)


@pytest.mark.parametrize("has_classifier", [False, True])
@pytest.mark.parametrize(
    "frame",
    [
        random_frame(0, items=4, people=2, votes=1.0),
        random_frame(1, items=50, people=5),
        random_frame(2, items=60, people=40, votes=0.05),
        LabelFrame.from_rows([(item, item % 3, "ab"[item % 2]) for item in range(30)]),
        LabelFrame.from_rows([(1, 1, "a"), (1, 2, "b"), (2, 1, "a")]),
        LabelFrame.from_rows([(1, 1, "a"), (2, 1, "b")]),
    ],
    ids=["few", "many", "sparse", "alone", "one of two", "one person"],
)
def test_frequencies_and_what_each_annotator_says_are_shares(
    frame: LabelFrame, has_classifier: bool
) -> None:
    model = fit_consensus(frame, opinions(frame, 0) if has_classifier else None)
    k = len(model.classes)
    assert model.class_prior.sum() == pytest.approx(1.0)
    assert model.class_prior.shape == (k,)
    assert model.usual_confusion.sum(axis=1) == pytest.approx(np.ones(k))
    assert model.confusion.shape == (len(model.annotators), k, k)
    assert model.confusion.sum(axis=2) == pytest.approx(np.ones(model.confusion.shape[:2]))
    assert 0.0 <= model.dependence <= 0.8
    if model.method in {"unchecked", "few_labels"}:
        assert model.choice == {}


def test_a_fit_to_nothing_has_no_classes_and_gives_nothing() -> None:
    model = fit_consensus(LabelFrame.from_rows([]))
    assert (model.method, len(model.classes), model.class_prior.tolist()) == ("unchecked", 0, [])
    assert len(model.consensus(LabelFrame.from_rows([]))) == 0
    named = fit_consensus(LabelFrame.from_rows([]), classes=["a", "b"])
    assert named.class_prior.tolist() == [0.5, 0.5]
    assert named.usual_confusion.tolist() == [[0.5, 0.5], [0.5, 0.5]]
    found = named.consensus(LabelFrame.from_rows([(1, 1, "b")]))
    assert found[1].label == "b"
    assert found.confidence.tolist() == [1.0]


def test_tables_that_do_not_fit_each_other_are_refused() -> None:
    kept = fit_consensus(random_frame(1, items=60)).to_json()
    for name in ("confusion", "usual_confusion", "class_prior"):
        with pytest.raises(ValueError, match="reshape"):
            ConsensusModel.from_json({**kept, name: kept[name][:-1]})
        with pytest.raises(KeyError):
            ConsensusModel.from_json({n: v for n, v in kept.items() if n != name})
