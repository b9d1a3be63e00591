"""Which items get another answer, why, and what that saves."""

import numpy as np
import pytest

from labeling.consensus.automatic import automatic
from labeling.consensus.base import LabelFrame
from labeling.consensus.item_priors import ItemPriors
from labeling.consensus.overlap import OverlapPlan, OverlapPolicy, is_shared, plan_overlap
from labeling.consensus.overlap_words import OverlapReason
from labeling.consensus.posterior import UNCHECKED, ConsensusResult
from tests.fixtures.chinese import in_chinese

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


def view_of(truth: np.ndarray, rng: np.random.Generator) -> ItemPriors:
    """A calibrated classifier."""
    score = rng.normal(np.where(truth, 1.2, -1.2), 1.2) * 2 / 1.2 + np.log(0.3 / 0.7)
    chance = 1 / (1 + np.exp(-score))
    table = np.column_stack([1 - chance, chance])
    return ItemPriors(np.arange(len(truth), dtype=np.int64), ["no", "yes"], table)


def planned(
    frame: LabelFrame, policy: OverlapPolicy, view: ItemPriors | None = None, seed: int = 0
) -> OverlapPlan:
    """The plan on the consensus of these answers."""
    return plan_overlap(automatic(frame, priors=view), policy, priors=view, seed=seed)


def test_label_and_confidence_are_the_consensuss() -> None:
    for seed in range(4):
        rows, truth, _ = crowd(seed, items=200, votes=1 + seed % 3)
        frame = LabelFrame.from_rows(rows)
        view = view_of(truth, np.random.default_rng(seed)) if seed % 2 else None
        found = automatic(frame, priors=view)
        plan = plan_overlap(found, OverlapPolicy(), priors=view)
        assert list(plan) == list(found)
        for item, each in found.items():
            sure = None if found.method == UNCHECKED else each.confidence
            if plan[item].label is not None:
                assert (plan[item].label, plan[item].confidence) == (each.label, sure)
            else:
                assert each.is_tied or each.confidence < 0.95


def test_reasons_and_words() -> None:
    rng = np.random.default_rng(2)
    rows, truth, _ = crowd(2)
    view = view_of(truth, rng)
    # Item 0 has one answer and item 1 all three, the others between one and three.
    first = next(row for row in rows if row[0] == 0)
    shown = [row for place, row in enumerate(rows) if row[0] and (row[0] == 1 or place % 2)]
    frame = LabelFrame.from_rows([first, *shown])
    plan = planned(frame, ALONE, view)
    assert plan[1].reason == OverlapReason.MOST
    two = OverlapPolicy(least=2, shared=0.0)
    assert planned(frame, two, view)[0].reason == OverlapReason.TOO_FEW
    seen = {plan[item].reason for item in plan}
    assert {
        OverlapReason.SURE,
        OverlapReason.UNSURE,
        OverlapReason.MODEL_DISAGREES,
        OverlapReason.ANNOTATORS_DISAGREE,
    } <= seen
    for decision in (plan[item] for item in plan):
        assert str(decision.words)
        assert any("一" <= letter <= "鿿" for letter in in_chinese(decision.words))
        if decision.votes < 3:
            assert decision.wanted == ((decision.confidence or 0.0) < 0.95)
        else:
            assert not decision.wanted
    asked = plan.items_wanted()
    assert set(asked) == {item for item in plan if plan[item].wanted}
    unsure = next(item for item in asked if plan[item].reason == OverlapReason.UNSURE)
    assert "95 % is wanted" in str(plan[unsure].words)


def test_a_tie_says_so() -> None:
    plan = planned(LabelFrame.from_rows([(1, 1, "yes"), (1, 2, "no")]), ALONE)
    assert (plan[1].label, plan[1].confidence, plan[1].wanted) == (None, None, True)
    assert "no answer is more probable" in str(plan[1].words)


def test_the_saving_counts_all_answers() -> None:
    rows, _, _ = crowd(3, items=100, votes=1)
    plan = planned(LabelFrame.from_rows(rows), OverlapPolicy(confidence=1.0))
    assert (plan.votes, len(plan.items_wanted()), plan.fixed_votes) == (100, 100, 300)
    assert (plan.answers_spared, plan.share_spared) == (100, pytest.approx(1 / 3))
    assert "100 saved (33 %)" in str(plan.in_words())
    rows, _, _ = crowd(3, items=100, votes=2)
    easy = planned(LabelFrame.from_rows(rows), OverlapPolicy(confidence=0.01, shared=0))
    assert (easy.items_wanted(), easy.answers_spared) == ([], 100)


def test_a_budget_is_never_passed_and_the_least_sure_come_first() -> None:
    rows, truth, _ = crowd(4, votes=1)
    view = view_of(truth, np.random.default_rng(4))
    frame = LabelFrame.from_rows(rows)
    free = planned(frame, ALONE, view)
    bound = planned(frame, OverlapPolicy(shared=0.0, mean_votes=1.1), view)
    assert len(bound.items_wanted()) == 60 < len(free.items_wanted())
    assert bound.items_wanted() == free.items_wanted()[:60]
    assert bound[free.items_wanted()[60]].reason == OverlapReason.BUDGET


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
        plan = planned(frame(place < given[items]), policy, view)
        given[plan.items_wanted()] += 1
    adaptive = place < given[items]
    chance = place == 0
    extra = rng.permutation(np.flatnonzero(place > 0))[: adaptive.sum() - chance.sum()]
    chance[extra] = True

    def accuracy(shown: np.ndarray) -> float:
        found = automatic(frame(shown), priors=view)
        return float(((found.probabilities[:, 1] > 0.5) == truth).mean())

    assert adaptive.sum() <= 1.6 * 2000
    assert accuracy(adaptive) > accuracy(chance) + 0.01


def test_shared_items_stay_shared() -> None:
    items = np.arange(50_000, dtype=np.int64)
    drawn = is_shared(items, 0.1, 3)
    assert drawn.mean() == pytest.approx(0.1, abs=0.006)
    assert (is_shared(items[100:200], 0.1, 3) == drawn[100:200]).all()
    assert (is_shared(items, 0.2, 3) | ~drawn).all()
    assert (is_shared(items, 0.1, 4) != drawn).any()


def test_nothing_one_annotator_and_one_class() -> None:
    empty = planned(LabelFrame.from_rows([]), OverlapPolicy())
    assert (len(empty), empty.answers_spared, empty.share_spared) == (0, 0, None)
    assert str(empty.in_words()) == "There are no records yet."
    one = planned(LabelFrame.from_rows([(1, 1, "yes"), (2, 1, "no")]), ALONE)
    assert [one[item].confidence for item in one] == [None, None]
    assert [one[item].wanted for item in one] == [True, True]
    assert "how often people are right" in str(one[1].words)
    same = planned(LabelFrame.from_rows([(1, 1, "yes"), (2, 2, "yes")]), ALONE)
    assert [same[item].label for item in same] == ["yes", "yes"]


def test_a_policy_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="least=4"):
        OverlapPolicy(least=4)
    with pytest.raises(ValueError, match="mean_votes"):
        OverlapPolicy(least=2, mean_votes=1.5)


def test_a_classifier_that_says_nothing_of_an_item_has_no_view_of_it() -> None:
    frame = LabelFrame.from_rows([(1, 1, "b"), (2, 1, "b"), (3, 1, "a")])
    some = ItemPriors(np.array([2]), ["a", "b"], np.array([[0.9, 0.1]]))
    plan = planned(frame, OverlapPolicy(shared=0, confidence=1.0), some)
    assert plan[1].reason is not OverlapReason.MODEL_DISAGREES
    assert plan[3].reason is not OverlapReason.MODEL_DISAGREES


@pytest.mark.parametrize("seed", [0, 1, 7, 2**31, 2**32 - 1, 2**32 + 5])
def test_shared_items_are_drawn_by_splitmix64(seed: int) -> None:
    def share_of(item: int) -> float:
        mixed = (item + (seed % 2**32 + 1) * 0x9E3779B97F4A7C15) % 2**64
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB % 2**64
        return float((mixed ^ (mixed >> 31)) >> 11) / 2**53

    items = np.append(np.arange(200), [2**40 + 3, -1, -77])
    drawn = np.array([share_of(int(item)) for item in items])
    assert drawn.min() < 0.03
    assert drawn.max() > 0.97
    for share in (0.0, 0.05, 0.5, float(drawn[9]), 1.0):
        assert is_shared(items, share, seed).tolist() == (drawn < share).tolist()


@pytest.mark.parametrize("method", ["dawid_skene", UNCHECKED])
@pytest.mark.parametrize("seed", range(4))
def test_each_item_is_asked_about_for_the_weightiest_of_its_reasons(seed: int, method: str) -> None:
    """By definition, item by item; under a budget the most urgent and least sure."""
    rng = np.random.default_rng(seed)
    votes = rng.integers(0, 3, (80, 3)).astype(float)
    votes[votes.sum(axis=1) == 0, 0] = 1.0
    p = rng.dirichlet(np.full(3, 0.4), 80)
    found = ConsensusResult(method, np.arange(80) * 3, np.array(["a", "b", "c"]), p, votes)
    q = rng.dirichlet(np.ones(3), 40)
    priors = ItemPriors(rng.permutation(found.item_ids)[:40], ["c", "a", "b"], q)
    policy = OverlapPolicy(least=2, most=4, confidence=0.8, shared=0.2)
    plan = plan_overlap(found, policy, priors=priors, seed=seed)
    expected = dict(
        zip(priors.item_ids.tolist(), ["cab"[k] for k in q.argmax(axis=1)], strict=True)
    )
    shared = is_shared(found.item_ids, 0.2, seed)
    settled = found.settled_codes(0.8)
    for row, (item, each) in enumerate(plan.items()):
        given = int(votes[row].sum())
        label = found[item].label or ""
        if given >= 4:
            reason = OverlapReason.MOST
        elif given < 2:
            reason = OverlapReason.TOO_FEW
        elif shared[row]:
            reason = OverlapReason.SHARED
        elif found[item].confidence >= 0.8 and method != UNCHECKED:
            reason = OverlapReason.SURE
        elif (votes[row] > 0).sum() > 1:
            reason = OverlapReason.ANNOTATORS_DISAGREE
        elif expected.get(item, label) != label:
            reason = OverlapReason.MODEL_DISAGREES
        else:
            reason = OverlapReason.UNSURE
        assert each.reason is reason, item
        assert (each.item, each.votes) == (item, given)
        assert each.wanted is bool(plan.wanted[row]) is reason.is_asking
        assert each.label == (None if settled[row] < 0 else "abc"[settled[row]])
        is_known = each.label is not None and method != UNCHECKED
        assert each.confidence == (found[item].confidence if is_known else None)
    asked = [row for row in range(80) if plan.wanted[row]]
    by_doubt = sorted(asked, key=lambda row: found.sureness[row])
    assert plan.items_wanted() == found.item_ids[by_doubt].tolist()
    reasons = [plan[item].reason for item in plan]
    for more in (0, 1, 7, 1_000):
        mean = (votes.sum() + more) / 80
        bound = OverlapPolicy(least=2, most=4, confidence=0.8, shared=0.2, mean_votes=mean)
        kept = plan_overlap(found, bound, priors=priors, seed=seed)
        ranked = sorted(asked, key=lambda row: (reasons[row].urgency, found.sureness[row]))
        assert sorted(kept.items_wanted()) == sorted(found.item_ids[ranked[:more]].tolist())
        for row in ranked[more:]:
            assert kept[int(found.item_ids[row])].reason is OverlapReason.BUDGET
    assert len(plan) == 80
    assert plan.votes == votes.sum()
    assert plan.fixed_votes == 320
    assert plan.answers_spared == 320 - votes.sum() - len(asked)


@pytest.mark.parametrize(
    "wrong",
    [
        {"least": 0},
        {"least": 2, "most": 1},
        {"confidence": 0.0},
        {"confidence": 1.01},
        {"shared": -0.01},
        {"shared": 1.01},
        {"mean_votes": 0.99},
    ],
)
def test_policies_at_their_borders(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        OverlapPolicy(**wrong)  # type: ignore[arg-type]
    OverlapPolicy(least=1, most=1, confidence=1.0, shared=0.0, mean_votes=1.0)
    OverlapPolicy(shared=1.0)
