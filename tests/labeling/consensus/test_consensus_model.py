"""A fitted model gives the consensus of any items as the whole fit does."""

import json

import numpy as np
import pytest

from labeling.consensus.automatic import automatic, fit_consensus
from labeling.consensus.base import LabelFrame
from labeling.consensus.consensus_model import ConsensusModel, LabelOutsideModel, model_of
from labeling.consensus.dawid_skene import fit_smoothed
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
