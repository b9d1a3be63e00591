"""Batches: honest audit, no record twice, reasons, and agreement with modAL."""

from collections import Counter

import numpy as np
import pytest
from modAL.uncertainty import entropy_sampling, margin_sampling, uncertainty_sampling

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.exceptions import (
    Cancelled,
    EmptyPool,
    NoLabels,
    NonFiniteFeatures,
    ShapeMismatch,
    UnknownLabel,
    UnknownRecord,
)
from active_learning.learner import ActiveLearner
from active_learning.pool import Pool
from active_learning.query_strategies.base import Candidates
from active_learning.query_strategies.factory import make_strategy, strategy_names
from tests.active_learning.classifiers.test_record_classifier import trained
from tests.active_learning.conftest import CLASSES, World
from tests.fixtures.chinese import in_chinese


def shuffled_pool(world: World, labelled: int = 0) -> tuple[Pool, list[int]]:
    ids = np.random.default_rng(9).permutation(10_000)[: len(world.records)].tolist()
    return Pool(ids, ids[:labelled]), ids


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("least_confidence", uncertainty_sampling),
        ("margin", margin_sampling),
        ("entropy", entropy_sampling),
    ],
)
def test_uncertainty_picks_what_modal_picks(world: World, name: str, reference: object) -> None:
    assert callable(reference)
    classifier = trained(world)
    rows = np.random.default_rng(2).permutation(len(world.records))[:400]
    features = world.features[rows]
    expected, _ = reference(classifier, features, n_instances=25)
    strategy = make_strategy(name, seed=5)
    candidates = Candidates(
        features, np.zeros(400), list(CLASSES), classifier.predict_proba(features)
    )
    picked = strategy.select(candidates, strategy.score(candidates), 25)
    assert set(picked.tolist()) == set(expected.tolist())


def test_cold_start_covers_every_grade_better_than_chance(world: World) -> None:
    pool, ids = shuffled_pool(world)
    unfitted = RecordClassifier(world.layout, CLASSES)
    grade_of = dict(zip(ids, world.grades.tolist(), strict=True))
    for seed in range(5):
        learner = ActiveLearner(unfitted, audit_share=0.0, seed=seed)
        batch = learner.select(pool, world.features, 20)
        assert {grade_of[record] for record in batch.record_ids} == set(CLASSES)


def test_the_audit_part_is_a_uniform_draw_from_the_unlabelled_pool(world: World) -> None:
    pool = Pool(list(range(100, 140)), [100, 105])
    features = world.features[:40]
    classifier = trained(world)
    drawn: Counter[int] = Counter()
    for seed in range(1500):
        learner = ActiveLearner(classifier, strategy="random", audit_share=0.2, seed=seed)
        batch = learner.select(pool, features, 10)
        audit = [
            r for r, is_audit in zip(batch.record_ids, batch.is_audit, strict=True) if is_audit
        ]
        assert batch.is_audit == [True, True] + [False] * 8
        drawn.update(audit)
    assert set(drawn) == set(range(100, 140)) - {100, 105}
    counts = np.array(list(drawn.values()))
    expected = 3000 / 38
    statistic = float(((counts - expected) ** 2 / expected).sum())
    assert statistic < 69.3, "chi-square with 37 degrees of freedom, p = 0.001"


@pytest.mark.parametrize("audit_share", [0.0, 0.2])
def test_strategies_draw_the_same_records_at_random(world: World, audit_share: float) -> None:
    """So where nothing can be learnt the default is random choice, and never loses to it."""
    blind = np.zeros_like(world.features)
    pool, ids = shuffled_pool(world, labelled=150)
    labels = {ids[row]: CLASSES[row % len(CLASSES)] for row in range(150)}
    known = np.flatnonzero(np.isin(ids, list(labels)))
    classifier = RecordClassifier(world.layout, CLASSES).fit(
        blind[known], [labels[ids[row]] for row in known]
    )

    def chosen(strategy: str, count: int) -> set[object]:
        learner = ActiveLearner(classifier, strategy=strategy, audit_share=audit_share, seed=8)
        return set(learner.select(pool, blind, count, labels=labels).record_ids)

    assert chosen("default", 30) == chosen("random", 30)
    assert chosen("margin", 30) & chosen("random", 30), "the random share of 5 % is random's, too"


def test_a_batch_is_new_distinct_and_explained(world: World) -> None:
    pool, ids = shuffled_pool(world, labelled=150)
    learner = ActiveLearner(trained(world), audit_share=0.2, seed=4)
    batch = learner.select(pool, world.features, 50)
    assert len(batch) == len(set(batch.record_ids)) == 50
    assert not set(batch.record_ids) & set(ids[:150])
    assert sum(batch.is_audit) == 10
    assert batch.is_audit == sorted(batch.is_audit, reverse=True)
    assert all(str(reason) and in_chinese(reason) for reason in batch.reasons)
    again = ActiveLearner(trained(world), audit_share=0.2, seed=4).select(pool, world.features, 50)
    assert again.record_ids == batch.record_ids


def test_the_margin_part_is_less_sure_than_the_pool(world: World) -> None:
    pool, ids = shuffled_pool(world, labelled=150)
    classifier = trained(world)
    learner = ActiveLearner(classifier, strategy="margin", audit_share=0.0, random_share=0.0)
    batch = learner.select(pool, world.features, 30)
    sorted_p = np.sort(classifier.predict_proba(world.features), axis=1)
    margins = dict(zip(ids, (sorted_p[:, -1] - sorted_p[:, -2]).tolist(), strict=True))
    chosen = [margins[record] for record in batch.record_ids]
    rest = [margins[r] for r in ids[150:] if r not in set(batch.record_ids)]
    assert max(chosen) <= min(rest) + 1e-9
    assert batch.scores == pytest.approx([-m for m in chosen])


def test_a_short_pool_gives_what_is_left_and_an_empty_one_says_so(world: World) -> None:
    pool = Pool([1, 2, 3], [2])
    learner = ActiveLearner(trained(world))
    assert sorted(learner.select(pool, world.features[:3], 10).record_ids) == [1, 3]
    pool.mark_labelled([1, 3])
    with pytest.raises(EmptyPool):
        learner.select(pool, world.features[:3], 10)
    with pytest.raises(ShapeMismatch):
        learner.select(pool, world.features[:2], 10)
    with pytest.raises(UnknownRecord):
        pool.positions([9])
    with pytest.raises(ShapeMismatch):
        Pool([1, 1])


@pytest.mark.parametrize("budget", [1, 2, 3])
def test_a_batch_smaller_than_its_shares_is_still_full(world: World, budget: int) -> None:
    pool, _ = shuffled_pool(world)
    unfitted = RecordClassifier(world.layout, CLASSES)
    learner = ActiveLearner(unfitted, audit_share=0.5, random_share=0.5, seed=1)
    assert len(learner.select(pool, world.features, budget)) == budget


def test_teaching_goes_through_modal(world: World) -> None:
    learner = ActiveLearner(RecordClassifier(world.layout, CLASSES))
    learner.teach(world.features[:100], world.grades[:100], faulty_fields=world.faulty[:100])
    assert learner.classifier.score(world.features[400:], world.grades[400:].tolist()) > 0.8


def test_selection_can_be_cancelled(world: World) -> None:
    pool, _ = shuffled_pool(world)
    with pytest.raises(Cancelled):
        ActiveLearner(trained(world)).select(pool, world.features, 5, should_stop=lambda: True)


@pytest.mark.parametrize("name", strategy_names())
def test_every_strategy_gives_new_full_explained_batches(world: World, name: str) -> None:
    pool, ids = shuffled_pool(world, labelled=60)
    features = world.features.copy()
    classifier = trained(world)
    labels = dict(zip(ids[:60], world.grades[:60].tolist(), strict=True))
    seen = set(ids[:60])
    for query in range(3):
        learner = ActiveLearner(classifier, strategy=name, seed=query)
        batch = learner.select(pool, features, 20, labels=labels)
        assert len(batch) == len(set(batch.record_ids)) == 20
        assert not seen & set(batch.record_ids)
        assert all(str(reason) and in_chinese(reason) for reason in batch.reasons)
        seen |= set(batch.record_ids)
        pool.mark_labelled(batch.record_ids)
    features[[100, 200, 300], 0] = np.nan
    untouched = Pool(ids)
    with pytest.raises(NonFiniteFeatures, match=r"in \d of"):
        ActiveLearner(classifier, strategy=name).select(untouched, features, 5, labels=labels)


@pytest.mark.parametrize("name", ["default", "margin", "committee", "badge", "cal"])
def test_one_class_only_is_no_obstacle(world: World, name: str) -> None:
    pool, ids = shuffled_pool(world, labelled=30)
    classifier = RecordClassifier(world.layout, CLASSES).fit(world.features[:30], ["good"] * 30)
    learner = ActiveLearner(classifier, strategy=name)
    labels = dict.fromkeys(ids[:30], "good")
    assert len(learner.select(pool, world.features, 10, labels=labels)) == 10


def test_a_rare_class_is_met_sooner_than_by_chance(world: World) -> None:
    """One record in fifty is of the class that nobody has met; labels are of the other."""
    common = np.flatnonzero(world.grades == "good")
    rare = np.flatnonzero(world.grades == "poor")
    found = {"default": 0, "random": 0}
    for seed in range(6):
        rng = np.random.default_rng(seed)
        rows = rng.permutation(np.r_[common, rng.permutation(rare)[: len(common) // 49]])
        features, grades = world.features[rows], world.grades[rows]
        first = np.flatnonzero(grades == "good")[:20].tolist()
        classifier = RecordClassifier(world.layout, CLASSES).fit(features[first], ["good"] * 20)
        labels: dict[int, str] = dict.fromkeys(first, "good")
        for name in found:
            learner = ActiveLearner(classifier, strategy=name, audit_share=0.0, seed=seed)
            batch = learner.select(
                Pool(range(len(rows)), first), features, 20, labels=labels
            ).record_ids
            found[name] += int((grades[batch] == "poor").sum())
    assert found["default"] >= 3 * max(1, found["random"])


def test_while_one_class_is_met_the_reasons_say_what_is_looked_for(world: World) -> None:
    pool, ids = shuffled_pool(world, labelled=30)
    classifier = RecordClassifier(world.layout, CLASSES).fit(world.features[:30], ["good"] * 30)
    learner = ActiveLearner(classifier, audit_share=0.0, random_share=0.0)
    batch = learner.select(pool, world.features, 10, labels=dict.fromkeys(ids[:30], "good"))
    assert all("far from what is labelled" in str(reason) for reason in batch.reasons)


def test_labels_must_be_classes_and_a_committee_needs_them(world: World) -> None:
    pool, ids = shuffled_pool(world, labelled=30)
    with pytest.raises(UnknownLabel, match="superb"):
        ActiveLearner(trained(world)).select(pool, world.features, 5, labels={ids[0]: "superb"})
    with pytest.raises(NoLabels, match="labels="):
        ActiveLearner(trained(world), strategy="committee").select(pool, world.features, 5)
