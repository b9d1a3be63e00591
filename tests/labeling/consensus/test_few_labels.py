"""Few records and few annotators: the answer is the vote, and an answer of all stays."""

import numpy as np
import pytest

from labeling.consensus.automatic import fit_consensus
from labeling.consensus.base import LabelFrame
from labeling.consensus.classifier_prior import FEWEST
from labeling.consensus.item_priors import ItemPriors
from labeling.consensus.posterior import FEW_LABELS, UNCHECKED, ConsensusResult


def small_project(seed: int, items: int) -> LabelFrame:
    """Two to four annotators of any skill from 0.5 on, two or three on a record."""
    rng = np.random.default_rng([seed, items])
    classes, people = int(rng.integers(2, 5)), int(rng.integers(2, 5))
    votes = min(people, int(rng.integers(2, 4)))
    truth = rng.choice(classes, items, p=rng.dirichlet(np.ones(classes)))
    skill = rng.uniform(0.5, 1.0, people)
    rows = []
    for item, kind in enumerate(truth.tolist()):
        for who in rng.permutation(people)[:votes].tolist():
            wrong = (kind + int(rng.integers(1, classes))) % classes
            rows.append((item, who, "abcd"[kind if rng.random() < skill[who] else wrong]))
    return LabelFrame.from_rows(rows)


def random_opinions(frame: LabelFrame, rng: np.random.Generator) -> ItemPriors:
    coded = frame.codes
    table = rng.dirichlet(np.full(len(coded.classes), 0.3), len(coded.items))
    return ItemPriors(coded.items, coded.classes.tolist(), table)


def unanimous(result: ConsensusResult) -> tuple[np.ndarray, np.ndarray]:
    """(rows, the code that all of the row's annotators gave)."""
    rows = np.flatnonzero((result.votes > 0).sum(axis=1) == 1)
    return rows, result.votes[rows].argmax(axis=1)


def assert_nothing_is_overturned(result: ConsensusResult) -> None:
    rows, given = unanimous(result)
    assert result.codes[rows].tolist() == given.tolist()
    assert result.settled_codes(0.9)[rows].tolist() == given.tolist()
    assert (result.probabilities[rows, given] >= result.probabilities[rows].max(axis=1)).all()


@pytest.mark.parametrize("items", [1, 2, 5, 8, 10, 15, 29])
def test_below_what_the_data_carry_the_answer_is_the_vote(items: int) -> None:
    for seed in range(300):
        frame = small_project(seed, items)
        result = fit_consensus(frame).consensus(frame)
        assert result.method == (FEW_LABELS if len(result.classes) > 1 else "majority")
        assert_nothing_is_overturned(result)
        most = result.votes.max(axis=1, keepdims=True)
        is_clear = (result.votes == most).sum(axis=1) == 1
        voted = np.where(is_clear, result.votes.argmax(axis=1), -1)
        assert result.settled_codes(0.9).tolist() == voted.tolist()


@pytest.mark.parametrize("items", [FEWEST, 40, 80])
def test_where_people_are_weighed_an_answer_of_all_stays(items: int) -> None:
    methods = set()
    for seed in range(40):
        frame = small_project(seed, items)
        result = fit_consensus(frame).consensus(frame)
        methods.add(result.method)
        assert_nothing_is_overturned(result)
    assert "dawid_skene" in methods


@pytest.mark.parametrize("items", [3, 12, 60])
def test_a_classifier_makes_an_answer_of_all_less_probable_and_never_another(items: int) -> None:
    lowered = 0
    for seed in range(60):
        frame = small_project(seed, items)
        priors = random_opinions(frame, np.random.default_rng(seed))
        result = fit_consensus(frame, priors).consensus(frame, priors)
        rows, given = unanimous(result)
        assert result.codes[rows].tolist() == given.tolist()
        lowered += int((result.probabilities[rows, given] < 0.5).sum())
    if items < FEWEST:
        assert lowered > 0


@pytest.mark.parametrize("items", [12, 60])
def test_an_answer_of_all_stays_where_the_classifier_did_not_speak(items: int) -> None:
    is_used = False
    for seed in range(60):
        frame = small_project(seed, items)
        coded, rng = frame.codes, np.random.default_rng(seed)
        leaning = coded.votes() + rng.dirichlet(np.full(len(coded.classes), 0.3), len(coded.items))
        leaning[:, 0] += 4 * (coded.votes()[:, 0] > 0)
        kept = rng.random(len(coded.items)) < 0.7
        shares = (leaning / leaning.sum(axis=1, keepdims=True))[kept]
        priors = ItemPriors(coded.items[kept], coded.classes.tolist(), shares)
        model = fit_consensus(frame, priors)
        is_used |= model.prior_weight > 0
        found = model.consensus(frame, priors)
        rows, given = unanimous(found)
        is_silent = ~kept[rows]
        rows, given = rows[is_silent], given[is_silent]
        assert (found.probabilities[rows, given] >= found.probabilities[rows].max(axis=1)).all()
    assert is_used


def test_two_who_agree_on_five_records_are_believed() -> None:
    rows = [(item, who, "good" if item < 4 else "poor") for item in range(5) for who in (1, 2)]
    result = fit_consensus(LabelFrame.from_rows(rows), classes=["good", "fair", "poor"])
    found = result.consensus(LabelFrame.from_rows(rows))
    assert found.method == FEW_LABELS
    assert [found[item].label for item in range(5)] == ["good"] * 4 + ["poor"]
    assert all(0.9 < found[item].confidence < 0.999 for item in range(5))


def test_only_answers_tell_nothing_until_one_is_checked() -> None:
    rows = [(item, item % 2, "ab"[item % 2]) for item in range(50)]
    assert fit_consensus(LabelFrame.from_rows(rows)).method == UNCHECKED
    assert fit_consensus(LabelFrame.from_rows([*rows, (0, 1, "a")])).method == FEW_LABELS
