"""Which method is taken, and that a classifier helps or is left out."""

import numpy as np
import pytest

from labeling.consensus.automatic import automatic, fit_consensus
from labeling.consensus.base import LabelFrame
from labeling.consensus.classifier_prior import consensus_with_classifier
from labeling.consensus.dawid_skene import dawid_skene, fit_smoothed, result_of
from labeling.consensus.item_priors import ItemPriors
from labeling.consensus.majority_vote import majority_vote
from labeling.consensus.posterior import ConsensusResult
from labeling.consensus.weighted_majority_vote import weighted_majority_vote
from tests.labeling.consensus.rows import Rows, random_frame


def biased(items: int, votes: int, people: int, seed: int) -> tuple[Rows, np.ndarray]:
    """Rare "b"; half of the people see it far too often."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(items) < 0.2).astype(int)
    rows = []
    for item in range(items):
        for person in rng.choice(people, votes, replace=False):
            false_alarm, seen = (0.35, 0.95) if person % 2 else (0.03, 0.85)
            says = rng.random() < (seen if truth[item] else false_alarm)
            rows.append((item, int(person), "ab"[int(says)]))
    return rows, truth


def share_right(codes: np.ndarray, truth: np.ndarray) -> float:
    return float((codes == truth).mean())


def test_single_votes_are_the_majority() -> None:
    result = automatic(LabelFrame.from_rows([(i, i % 3, "ab"[i % 2]) for i in range(30)]))
    assert result.method == "unchecked"


def test_equally_skilled_people_are_not_told_apart() -> None:
    frame = random_frame(0, items=40, people=40, votes=0.06, skill=(0.7, 0.7), classes="abcdefgh")
    assert automatic(frame).method != "dawid_skene"


def test_biased_people_call_for_matrices() -> None:
    rows, truth = biased(600, 4, 12, 0)
    frame = LabelFrame.from_rows(rows)
    result = automatic(frame)
    assert result.method == "dawid_skene"
    assert set(result.choice) == {
        "majority",
        "weighted_majority",
        "weighted_majority with frequencies",
        "dawid_skene",
    }
    assert share_right(result.codes, truth) > share_right(majority_vote(frame).codes, truth) + 0.02


def crowd(
    seed: int, confusion: np.ndarray, frequencies: list[float], items: int, votes: int
) -> tuple[LabelFrame, np.ndarray]:
    """Votes by confusion matrices [w, truth, said]; the truth is drawn by the frequencies."""
    rng = np.random.default_rng(seed)
    people, classes, _ = confusion.shape
    truth = rng.choice(classes, items, p=frequencies)
    rows = [
        (item, int(person), "abcdef"[rng.choice(classes, p=confusion[person, truth[item]])])
        for item in range(items)
        for person in rng.choice(people, votes, replace=False)
    ]
    return LabelFrame.from_rows(rows), truth


def even_errors(skills: np.ndarray, classes: int) -> np.ndarray:
    wrong = ((1 - skills) / (classes - 1))[:, None, None]
    return np.where(np.eye(classes, dtype=bool), skills[:, None, None], wrong)


def accuracy_of(result: ConsensusResult, truth: np.ndarray) -> float:
    """A tie counts as the chance to break it right."""
    p = result.probabilities
    is_top = p >= p.max(axis=1, keepdims=True) - 1e-9
    known = np.array(["abcdef".index(name) for name in result.classes.tolist()])
    is_right = is_top & (known == truth[result.item_ids][:, None])
    return float((is_right.sum(axis=1) / is_top.sum(axis=1)).mean())


@pytest.mark.parametrize("votes", [2, 3])
@pytest.mark.parametrize("frequencies", [[0.25] * 4, [0.94, 0.02, 0.02, 0.02]])
def test_it_is_not_below_the_better_of_majority_and_dawid_skene(
    votes: int, frequencies: list[float]
) -> None:
    found: dict[str, list[float]] = {"ours": [], "majority": [], "dawid_skene": []}
    for seed in range(4):
        skills = np.random.default_rng(seed).beta(6, 2, 12)
        frame, truth = crowd(seed, even_errors(skills, 4), frequencies, 250, votes)
        for name, method in (
            ("ours", automatic),
            ("majority", majority_vote),
            ("dawid_skene", dawid_skene),
        ):
            found[name].append(accuracy_of(method(frame), truth))
    means = {name: np.mean(each) for name, each in found.items()}
    assert means["ours"] > max(means["majority"], means["dawid_skene"]) - 0.003
    if frequencies[0] > 0.9:
        assert means["ours"] > means["majority"] + 0.05, "rare classes are known to be rare"


def test_many_only_votes_make_nobody_better() -> None:
    rng = np.random.default_rng(0)
    skills = (0.65, 0.9, 0.85)
    truth = rng.integers(0, 2, 5400)
    rows = [
        (item, person, "ab"[truth[item] if rng.random() < skill else 1 - truth[item]])
        for item in range(5400)
        for person, skill in enumerate(skills)
        if item < 400 or person == 0
    ]
    frame = LabelFrame.from_rows(rows)
    for result in (weighted_majority_vote(frame), automatic(frame)):
        assert result.accuracy == pytest.approx(skills, abs=0.06)
        assert share_right(result.codes[:400], truth[:400]) > 0.9
    smoothed = result_of(frame.codes, fit_smoothed(frame.codes), "dawid_skene")
    assert smoothed.accuracy == pytest.approx(skills, abs=0.06)


def test_confidence_is_how_often_it_is_right() -> None:
    surplus = []
    for seed in range(4):
        frame, truth = crowd(seed, even_errors(np.full(8, 0.8), 3), [0.4, 0.3, 0.3], 300, 5)
        result = automatic(frame)
        surplus.append(result.confidence.mean() - accuracy_of(result, truth))
    assert abs(np.mean(surplus)) < 0.03


def test_the_majoritys_probability_is_that_of_its_annotators() -> None:
    found = [
        automatic(crowd(seed, even_errors(np.full(40, 0.7), 4), [0.25] * 4, 60, 2)[0])
        for seed in range(6)
    ]
    plain = [result for result in found if result.method == "majority"]
    assert plain
    for result in plain:
        agreed = result.votes.max(axis=1) == 2
        assert result.confidence[agreed].max() < 0.999, "two may err alike"
        assert result.is_tied[~agreed].all()


@pytest.mark.parametrize("votes", [1, 3])
@pytest.mark.parametrize("power", [1.0, 5.0])
def test_a_classifier_that_is_always_wrong_is_left_out(votes: int, power: float) -> None:
    frame, truth = crowd(1, even_errors(np.full(6, 0.85), 2), [0.5, 0.5], 400, votes)
    p = priors_of(1 - truth, 0.9, np.random.default_rng(0)).probabilities ** power
    wrong = ItemPriors(np.arange(400), ["a", "b"], p / p.sum(axis=1, keepdims=True))
    result = automatic(frame, priors=wrong)
    assert result.method != "classifier_prior"
    assert accuracy_of(result, truth) > 0.8


def test_a_classifier_that_swaps_two_classes_is_left_out() -> None:
    frame, truth = crowd(2, even_errors(np.full(6, 0.8), 4), [0.25] * 4, 600, 3)
    p = np.full((600, 4), 0.05)
    p[np.arange(600), np.array([1, 0, 2, 3])[truth]] = 0.85
    result = automatic(frame, priors=ItemPriors(np.arange(600), list("abcd"), p))
    assert result.method != "classifier_prior"


def priors_of(truth: np.ndarray, right: float, rng: np.random.Generator) -> ItemPriors:
    """A classifier that is honestly ``right`` so often."""
    said = np.where(rng.random(len(truth)) < right, truth, 1 - truth)
    frequency = np.array([1 - truth.mean(), truth.mean()])
    p = np.where(said[:, None] == np.arange(2), right, 1 - right) * frequency
    p /= p.sum(axis=1, keepdims=True)
    return ItemPriors(np.arange(len(truth)), ["a", "b"], p)


@pytest.mark.parametrize("votes", [1, 2, 3])
def test_a_classifier_that_knows_helps(votes: int) -> None:
    rows, truth = biased(1500, votes, 12, 1)
    frame = LabelFrame.from_rows(rows)
    without = automatic(frame)
    result = automatic(frame, priors=priors_of(truth, 0.9, np.random.default_rng(0)))
    assert result.method == "classifier_prior"
    found = result.probabilities.argmax(axis=1)
    assert share_right(found, truth) > share_right(without.codes, truth) + 0.01
    wrong = result.codes != truth
    for order in (result.confidence, result.sureness):
        assert order[wrong].mean() < order[~wrong].mean() - 0.1


@pytest.mark.parametrize("votes", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_a_classifier_that_guesses_is_left_out(votes: int, seed: int) -> None:
    rows, _ = biased(800, votes, 12, seed)
    frame = LabelFrame.from_rows(rows)
    rng = np.random.default_rng(seed)
    noise = ItemPriors(np.arange(800), ["a", "b"], rng.dirichlet([5, 2], 800))
    found, without = automatic(frame, priors=noise), automatic(frame)
    assert found.method == without.method
    assert found.probabilities == pytest.approx(without.probabilities)


def test_one_vote_an_item_does_not_collapse() -> None:
    rows, truth = biased(3000, 1, 20, 3)
    rng = np.random.default_rng(3)
    seen = truth + rng.normal(0, 0.6, len(truth))
    frame = LabelFrame.from_rows(rows)

    def out_of_fold(items: np.ndarray, soft: np.ndarray) -> np.ndarray:
        """Shares of soft labels in bins of what is seen, the item's own left out."""
        bins = np.digitize(seen[items], np.quantile(seen, np.linspace(0.05, 0.95, 19)))
        sums = np.stack([np.bincount(bins, soft[:, k], 20) for k in range(2)], axis=1)
        left = sums[bins] - soft + 0.1
        return np.asarray(left / left.sum(axis=1, keepdims=True))

    result = consensus_with_classifier(frame, out_of_fold, start=fit_consensus(frame), rounds=3)
    votes = majority_vote(frame).codes
    found = result.probabilities.argmax(axis=1)
    assert share_right(found, truth) > share_right(votes, truth)
    assert found[truth == 1].mean() > 0.5, "the rare class is still found"


def test_priors_may_have_more_items_and_classes() -> None:
    rows, truth = biased(300, 3, 8, 0)
    frame = LabelFrame.from_rows([row for row in rows if row[0] >= 20])
    known = priors_of(truth, 0.9, np.random.default_rng(0))
    wide = np.column_stack([known.probabilities[:, 1], np.zeros(300), known.probabilities[:, 0]])
    order = np.random.default_rng(1).permutation(300)[:250]
    priors = ItemPriors(known.item_ids[order], ["b", "never", "a"], wide[order])
    result = automatic(frame, priors=priors)
    assert result.item_ids.tolist() == list(range(20, 300))
    said = [each.label for each in result.values()]
    assert (
        np.mean([label == "ab"[truth[item]] for item, label in zip(result, said, strict=True)])
        > 0.9
    )


def test_priors_that_cannot_be_are_refused() -> None:
    ids = np.array([1, 2])
    with pytest.raises(ValueError, match="shape"):
        ItemPriors(ids, ["a"], np.ones((2, 2)))
    with pytest.raises(ValueError, match="twice"):
        ItemPriors(np.array([1, 1]), ["a"], np.ones((2, 1)))
    for broken in (
        [[np.nan, 1.0], [0.5, 0.5]],
        [[0.4, 0.4], [0.5, 0.5]],
        [[1.5, -0.5], [0.5, 0.5]],
    ):
        with pytest.raises(ValueError, match="finite"):
            ItemPriors(ids, ["a", "b"], np.array(broken))
    frame = LabelFrame.from_rows([(1, 1, "c"), (1, 2, "a")])
    with pytest.raises(ValueError, match="not among the classes"):
        fit_consensus(frame, ItemPriors(ids, ["a", "b"], np.full((2, 2), 0.5)))
