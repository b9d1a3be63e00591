"""Which items get another answer, why, and what that saves."""

import numpy as np
import pytest

from labeling.consensus.answer_model import ClassProbabilities, answer_model
from labeling.consensus.base import LabelFrame
from labeling.consensus.overlap import OverlapPolicy, is_shared, plan_overlap
from labeling.consensus.overlap_words import Ground
from labeling.consensus.prior_weight import choose_prior_weight

Rows = list[tuple[int, int, str]]
ALONE = OverlapPolicy(shared=0.0)


def crowd(seed: int, items: int = 600, votes: int = 3) -> tuple[Rows, np.ndarray, np.ndarray]:
    """(rows in random order, truth, accuracy of each of 12 people)."""
    rng = np.random.default_rng(seed)
    truth = rng.random(items) < 0.3
    skill = np.linspace(0.6, 0.98, 12)
    rows = []
    for item in range(items):
        for person in rng.permutation(12)[:votes].tolist():
            right = rng.random() < skill[person]
            rows.append((item, person, "yes" if truth[item] == right else "no"))
    return [rows[place] for place in rng.permutation(len(rows))], truth, skill


def view_of(truth: np.ndarray, rng: np.random.Generator) -> ClassProbabilities:
    """A calibrated classifier."""
    score = rng.normal(np.where(truth, 1.2, -1.2), 1.2) * 2 / 1.2 + np.log(0.3 / 0.7)
    chance = 1 / (1 + np.exp(-score))
    table = np.column_stack([1 - chance, chance])
    return ClassProbabilities(np.arange(len(truth), dtype=np.int64), ["no", "yes"], table)


def test_people_are_told_apart_and_the_estimate_beats_the_vote() -> None:
    rows, truth, skill = crowd(0, items=1500)
    model = answer_model(LabelFrame.from_rows(rows))
    accuracies = model.accuracies()
    assert np.corrcoef([accuracies[person] for person in range(12)], skill)[0, 1] > 0.95
    yes = model.classes.index("yes")
    guess = model.posterior[:, yes] > 0.5
    voted = model.votes[:, yes] >= 2
    assert (guess == truth).mean() > (voted == truth).mean() + 0.01
    assert np.allclose(model.posterior.sum(axis=1), 1)


def test_the_posterior_is_bayes_rule() -> None:
    rows, truth, _ = crowd(1, items=80)
    view = view_of(truth, np.random.default_rng(1))
    model = answer_model(LabelFrame.from_rows(rows), view, rounds=300)
    for row in range(0, 80, 7):
        scores = model.prior[row].clip(1e-3).copy()
        for item, person, label in rows:
            if item == model.items[row]:
                place = int(np.searchsorted(model.annotators, person))
                scores *= model.confusions[place, :, model.classes.index(label)].clip(1e-3)
        assert model.posterior[row] == pytest.approx(scores / scores.sum(), abs=1e-4)


def test_grounds_and_words() -> None:
    rng = np.random.default_rng(2)
    rows, truth, _ = crowd(2)
    view = view_of(truth, rng)
    # Item 0 has no answer, item 1 all three, the others between one and three.
    shown = [row for place, row in enumerate(rows) if row[0] and (row[0] == 1 or place % 2)]
    plan = plan_overlap(LabelFrame.from_rows(shown), ALONE, probabilities=view)
    assert plan[0].ground == Ground.TOO_FEW
    assert plan[1].ground == Ground.MOST
    seen = {plan[item].ground for item in plan}
    assert {Ground.SURE, Ground.UNSURE, Ground.MODEL_DISAGREES, Ground.ANNOTATORS_DISAGREE} <= seen
    for decision in (plan[item] for item in plan):
        assert decision.reason.en
        assert any("一" <= letter <= "鿿" for letter in decision.reason.zh)
        if 1 <= decision.votes < 3:
            assert decision.confidence is not None
            assert decision.wanted == (decision.confidence < 0.95)
        else:
            assert decision.wanted == (decision.votes == 0)
    asked = plan.items_wanted()
    assert set(asked) == {item for item in plan if plan[item].wanted}
    unsure = next(item for item in asked if plan[item].ground == Ground.UNSURE)
    assert "95 % is wanted" in plan[unsure].reason.en


def test_the_saving_counts_all_answers() -> None:
    rows, _, _ = crowd(3, items=100, votes=1)
    plan = plan_overlap(LabelFrame.from_rows(rows), OverlapPolicy(confidence=1.0))
    assert (plan.votes, len(plan.items_wanted()), plan.fixed_votes) == (100, 100, 300)
    assert (plan.saved, plan.saving) == (100, pytest.approx(1 / 3))
    assert "100 saved (33 %)" in plan.in_words().en
    easy = plan_overlap(LabelFrame.from_rows(rows), OverlapPolicy(confidence=0.01, shared=0))
    assert (easy.items_wanted(), easy.saved) == ([], 200)


def test_a_budget_is_never_passed_and_the_least_sure_come_first() -> None:
    rows, truth, _ = crowd(4, votes=1)
    view = view_of(truth, np.random.default_rng(4))
    frame = LabelFrame.from_rows(rows)
    free = plan_overlap(frame, ALONE, probabilities=view)
    bound = plan_overlap(frame, OverlapPolicy(shared=0.0, mean_votes=1.1), probabilities=view)
    assert len(bound.items_wanted()) == 60 < len(free.items_wanted())
    assert bound.items_wanted() == free.items_wanted()[:60]
    assert bound[free.items_wanted()[60]].ground == Ground.BUDGET


def test_adaptive_answers_are_worth_more_than_the_same_number_at_random() -> None:
    rng = np.random.default_rng(5)
    rows, truth, _ = crowd(5, items=2000)
    view = view_of(truth, rng)
    place = np.zeros(len(rows), dtype=int)
    counted: dict[int, int] = {}
    for number, row in enumerate(rows):
        place[number] = counted.get(row[0], 0)
        counted[row[0]] = place[number] + 1
    items = np.array([row[0] for row in rows])
    given = np.ones(2000, dtype=int)

    def frame(shown: np.ndarray) -> LabelFrame:
        return LabelFrame.from_rows([row for row, kept in zip(rows, shown, strict=True) if kept])

    policy = OverlapPolicy(confidence=0.97, mean_votes=1.6)
    for _ in range(2):
        plan = plan_overlap(frame(place < given[items]), policy, probabilities=view)
        given[plan.items_wanted()] += 1
    adaptive = place < given[items]
    chance = place == 0
    extra = rng.permutation(np.flatnonzero(place > 0))[: adaptive.sum() - chance.sum()]
    chance[extra] = True

    def accuracy(shown: np.ndarray) -> float:
        model = answer_model(frame(shown), view)
        return float(((model.posterior[:, 1] > 0.5) == truth).mean())

    assert adaptive.sum() <= 1.6 * 2000
    assert accuracy(adaptive) > accuracy(chance) + 0.01


def test_the_classifiers_weight_is_what_foretells_hidden_answers() -> None:
    rng = np.random.default_rng(6)
    rows, truth, _ = crowd(6, items=3000, votes=2)
    view = view_of(truth, rng)
    frame = LabelFrame.from_rows(rows)
    honest = choose_prior_weight(frame, view, rng)
    assert 0.5 <= honest <= 1.5
    # A classifier that says the same more loudly gets less weight, a shy one more.
    for power, expected in ((3.0, 0.5), (1 / 3, 3.0)):
        loud = view.table**power
        other = ClassProbabilities(view.items, view.classes, loud / loud.sum(axis=1, keepdims=True))
        assert choose_prior_weight(frame, other, rng) == expected
    few = LabelFrame.from_rows([row for row in rows if row[0] < 50])
    assert choose_prior_weight(few, view, rng) == 1.0


def test_shared_items_stay_shared() -> None:
    items = np.arange(50_000, dtype=np.int64)
    drawn = is_shared(items, 0.1, 3)
    assert drawn.mean() == pytest.approx(0.1, abs=0.006)
    assert (is_shared(items[100:200], 0.1, 3) == drawn[100:200]).all()
    assert (is_shared(items, 0.2, 3) | ~drawn).all()
    assert (is_shared(items, 0.1, 4) != drawn).any()


def test_nothing_one_annotator_and_one_class() -> None:
    empty = plan_overlap(LabelFrame.from_rows([]), OverlapPolicy())
    assert (len(empty), empty.saved, empty.saving) == (0, 0, None)
    assert empty.in_words().en == "There are no records yet."
    one = plan_overlap(LabelFrame.from_rows([(1, 1, "yes"), (2, 1, "no")]), ALONE)
    assert all(one[item].confidence is not None for item in one)
    same = plan_overlap(LabelFrame.from_rows([(1, 1, "yes"), (2, 2, "yes")]), ALONE)
    assert [same[item].label for item in same] == ["yes", "yes"]
    unseen = ClassProbabilities(np.array([4]), ["no", "yes"], np.array([[0.1, 0.9]]))
    only = plan_overlap(LabelFrame.from_rows([]), ALONE, probabilities=unseen)
    assert (only[4].label, only[4].wanted) == ("yes", True)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="least=4"):
        OverlapPolicy(least=4)
    with pytest.raises(ValueError, match="mean_votes"):
        OverlapPolicy(least=2, mean_votes=1.5)
    with pytest.raises(ValueError, match="not probabilities"):
        ClassProbabilities(np.array([1]), ["a", "b"], np.array([[np.nan, 1.0]]))


def test_a_classifier_that_says_nothing_of_an_item_has_no_view_of_it() -> None:
    frame = LabelFrame.from_rows([(1, 1, "b"), (2, 1, "b")])
    silent = ClassProbabilities(np.array([1, 2, 3]), ["a", "b"], np.array([[0, 0], [0, 2], [0, 0]]))
    plan = plan_overlap(frame, OverlapPolicy(shared=0), probabilities=silent, prior_weight=1.0)
    assert plan.model.has_prior.tolist() == [False, True, False]
    assert np.isfinite(plan.model.posterior).all()
    assert plan[1].ground is not Ground.MODEL_DISAGREES
    assert plan[3].label is None
    with pytest.raises(ValueError, match="twice"):
        ClassProbabilities(np.array([1]), ["a", "a"], np.array([[0.5, 0.5]]))


def test_many_only_answers_make_nobody_better_or_worse() -> None:
    rng = np.random.default_rng(0)
    skills = (0.9, 0.65, 0.85)
    truth = rng.integers(0, 4, 3400)
    rows = [
        (item, who, "abcd"[truth[item] if rng.random() < skill else (truth[item] + 1) % 4])
        for item in range(3400)
        for who, skill in enumerate(skills)
        if item < 400 or who == 0
    ]
    found = answer_model(LabelFrame.from_rows(rows)).accuracies()
    assert list(found.values()) == pytest.approx(skills, abs=0.08)
