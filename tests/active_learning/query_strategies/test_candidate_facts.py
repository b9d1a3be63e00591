"""What strategies are told of a pool."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import FeatureLayout
from active_learning.exceptions import Cancelled, NoLabels, NonFiniteFeatures
from active_learning.query_strategies import candidate_facts as module
from active_learning.query_strategies.base import Need
from active_learning.query_strategies.candidate_facts import CandidateFacts, check_finite


def test_under_dropout_a_grade_that_nobody_gave_stays_improbable() -> None:
    """At a temperature that would make it likely if it were divided like the others."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(80, 16)).astype(np.float32)
    labels = np.array(["good", "poor"])[rng.integers(2, size=40)]
    classifier = RecordClassifier(FeatureLayout(15, 0, ("title",), 1), ["good", "poor", "unmet"])
    classifier.fit(features[:40], labels)
    assert classifier.fitted_ is not None
    classifier.fitted_ = replace(classifier.fitted_, temperature=20.0)
    facts = CandidateFacts(classifier, features, np.arange(40), None, seed=0)
    pool = facts.candidates(np.arange(40, 80), {"probabilities", "dropout"})
    assert pool.dropout is not None
    assert pool.dropout.shape[1:] == (40, 3)
    assert pool.dropout[..., 2].max() < 1e-6


def test_labelled_records_come_with_probabilities_where_they_are_needed() -> None:
    """Without labels at hand the counts of classes are those that the classifier expects."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(80, 16)).astype(np.float32)
    labels = np.array(["good", "poor"])[rng.integers(2, size=40)]
    classifier = RecordClassifier(FeatureLayout(15, 0, ("title",), 1), ["good", "poor"])
    classifier.fit(features[:40], labels)
    evidence = CandidateFacts(classifier, features, np.arange(40), None, seed=0)
    pool = evidence.candidates(np.arange(40, 80), {"probabilities"})
    assert pool.labelled_probabilities is not None
    assert pool.labelled_probabilities.shape == (40, 2)
    assert pool.class_counts is not None
    assert pool.class_counts.tolist() == pool.labelled_probabilities.sum(axis=0).tolist()
    assert pool.class_counts.sum() == pytest.approx(40)
    bare = evidence.candidates(np.arange(40, 80), set())
    assert (bare.probabilities, bare.labelled_probabilities, bare.class_counts) == (None,) * 3


def test_a_committee_is_made_where_it_is_needed_and_of_labels_alone() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 16)).astype(np.float32)
    labels = np.array(["good", "poor"])[rng.integers(2, size=40)]
    classifier = RecordClassifier(FeatureLayout(15, 0, ("title",), 1), ["good", "poor"])
    classifier.fit(features[:40], labels)
    needs = {"probabilities", "committee"}
    without = CandidateFacts(classifier, features, np.arange(40), None, seed=0)
    with pytest.raises(NoLabels, match="committee"):
        without.candidates(np.arange(40, 60), needs)
    assert without.candidates(np.arange(40, 60), {"probabilities"}).committee is None


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PREDICTED_AT_A_TIME", 7)


def world(signals: int = 3, records: int = 80) -> tuple[RecordClassifier, Any, Any]:
    """(classifier fitted to the first forty records, features, classes of all as numbers)."""
    rng = np.random.default_rng(signals)
    layout = FeatureLayout(9, signals, ("title",), 1)
    features = rng.normal(size=(records, layout.width)).astype(np.float32)
    kinds = (features[:, 0] + 0.3 * rng.normal(size=records) > 0).astype(np.intp)
    classifier = RecordClassifier(layout, ["good", "poor"])
    classifier.fit(features[:40], np.array(["good", "poor"])[kinds[:40]])
    return classifier, features, kinds


def facts(classifier: RecordClassifier, features: Any, labels: Any, **more: Any) -> CandidateFacts:
    return CandidateFacts(classifier, features, np.arange(40), labels, **{"seed": 0, **more})


def given_to(kinds: Any, count: int = 40) -> Any:
    """The classes of the first records; nobody knows the others'."""
    return np.where(np.arange(len(kinds)) < count, kinds, -1)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("signals", [0, 3])
def test_vectors_are_embeddings_beside_signals_that_count_as_much(signals: int) -> None:
    """Standardised by the candidates' own mean and spread; suspicion is their sum, clipped."""
    classifier, features, _ = world(signals)
    features[40:, 9 : 9 + signals] *= np.array([1e-3, 50.0, 0.0], np.float32)[:signals]
    features[45, 9:10] += 1000.0
    rows = np.random.default_rng(1).permutation(np.arange(40, 80))[:29]
    rows = np.append(rows, 45)[np.unique(np.append(rows, 45), return_index=True)[1]]
    pool = facts(classifier, features, None).candidates(rows, set())
    found = features[rows, 9 : 9 + signals].astype(float)
    spread = found.std(axis=0)
    scaled = (found - found.mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    beside = scaled / max(1, signals) ** 0.5
    expected = np.hstack([features[rows, :9], beside])
    assert pool.vectors[:] == pytest.approx(expected, rel=1e-3, abs=1e-4)
    assert pool.suspicion == pytest.approx(np.clip(scaled, -4, 4).sum(axis=1), abs=1e-3)
    assert pool.labelled_vectors is not None
    known = features[:40, 9 : 9 + signals]
    known = (known - found.mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    expected = np.hstack([features[:40, :9], known / max(1, signals) ** 0.5])
    assert pool.labelled_vectors == pytest.approx(expected, rel=1e-3, abs=1e-3)
    assert list(pool.classes) == ["good", "poor"]


@pytest.mark.usefixtures("small_pieces")
def test_probabilities_are_the_classifiers_and_progress_is_told() -> None:
    classifier, features, kinds = world()
    told: list[tuple[float, str]] = []
    of_pool = facts(
        classifier,
        features,
        given_to(kinds),
        progress=lambda part, words: told.append((part, str(words))),
    )
    rows = np.arange(40, 80)[::-1]
    pool = of_pool.candidates(rows, {"probabilities"})
    own = classifier.predict_proba(features)
    assert pool.probabilities == pytest.approx(own[rows], rel=1e-4)
    assert pool.labelled_probabilities == pytest.approx(own[:40], rel=1e-4)
    assert pool.class_counts is not None
    assert pool.class_counts.tolist() == np.bincount(kinds[:40], minlength=2).tolist()
    assert (pool.committee, pool.dropout) == (None, None)
    assert [part for part, _ in told] == [end / 40 for end in (7, 14, 21, 28, 35, 40)]
    assert told[0][1] == "scored 7 of 40 records"
    unfitted = RecordClassifier(classifier.layout, ["good", "poor"])
    bare = facts(unfitted, features, None).candidates(
        rows, {"probabilities", "committee", "dropout"}
    )
    assert (bare.probabilities, bare.committee, bare.dropout, bare.class_counts) == (None,) * 4


def test_each_record_has_the_same_chance_number_whatever_is_asked() -> None:
    classifier, features, _ = world()
    numbers = facts(classifier, features, None).candidates(np.arange(40, 80), set()).chance
    assert numbers is not None
    some = facts(classifier, features, None).candidates(np.array([77, 41]), set()).chance
    assert some is not None
    assert some.tolist() == [numbers[37], numbers[1]]
    other = facts(classifier, features, None, seed=1).candidates(np.array([77, 41]), set()).chance
    assert other is not None
    assert other.tolist() != some.tolist()


def test_of_too_many_known_records_the_labelled_and_a_random_part_are_compared_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    classifier, features, kinds = world()
    labels = np.full(80, -1)
    labels[[3, 17, 30]] = kinds[[3, 17, 30]]
    for most in (40, 39, 10, 2):
        monkeypatch.setattr(module, "MOST_KNOWN", most)
        drawn = set()
        for seed in range(12):
            known = facts(classifier, features, labels, seed=seed)._at_most().tolist()
            assert known == sorted(set(known))
            assert len(known) == most
            assert set(known) <= set(range(40))
            assert len({3, 17, 30} & set(known)) == min(3, most)
            drawn.add(tuple(known))
        assert (len(drawn) == 1) == (most == 40)
        without = facts(classifier, features, None)._at_most()
        assert len(without) == most
        pool = facts(classifier, features, labels).candidates(np.arange(40, 80), {"probabilities"})
        assert pool.labelled_vectors is not None
        assert len(pool.labelled_vectors) == most


def test_classes_that_were_met_are_those_with_a_label() -> None:
    classifier, features, _ = world()
    assert facts(classifier, features, None).classes_met == 0
    for given in ([], [1], [1, 1], [0, 1]):
        labels = np.full(80, -1)
        labels[: len(given)] = given
        assert facts(classifier, features, labels).classes_met == len(set(given))


@pytest.mark.usefixtures("small_pieces")
def test_a_committee_is_of_samples_of_the_labels_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier, features, kinds = world()
    labels = given_to(kinds)
    fitted: list[tuple[Any, Any]] = []
    fit = RecordClassifier.fit

    def listening(self: RecordClassifier, found: Any, names: Any, **more: Any) -> Any:
        fitted.append((found.copy(), names.tolist()))
        assert more["warm_start"] is classifier
        return fit(self, found, names, **more)

    monkeypatch.setattr(RecordClassifier, "fit", listening)
    rows = np.arange(40, 80)
    needs = frozenset[Need]({"probabilities", "committee"})
    committee = facts(classifier, features, labels).candidates(rows, needs).committee
    assert committee is not None
    assert committee.shape == (len(fitted), 40, 2) == (module.MEMBERS, 40, 2)
    assert committee.sum(axis=2) == pytest.approx(np.ones((module.MEMBERS, 40)))
    samples = []
    for found, names in fitted:
        places = [int(np.flatnonzero((features == row).all(axis=1))[0]) for row in found]
        assert len(places) == 40
        assert max(places) < 40
        assert 15 < len(set(places)) < 36, "drawn with replacement"
        assert names == [["good", "poor"][kinds[place]] for place in places]
        samples.append(tuple(places))
    assert len(set(samples)) == len(samples)
    for member in committee:
        assert (member.argmax(axis=1) == kinds[40:]).mean() > 0.7
    assert np.ptp(committee, axis=0).max() > 0.05
    again = facts(classifier, features, labels).candidates(rows, needs).committee
    assert again is not None
    assert again.tolist() == committee.tolist()
    with pytest.raises(NoLabels, match="committee"):
        facts(classifier, features, np.full(80, -1)).candidates(rows, needs)


@pytest.mark.usefixtures("small_pieces")
def test_under_dropout_half_of_the_inputs_count_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the odds are on average those of the whole input, and without dropout they are those."""
    classifier, features, _ = world()
    rows = np.arange(40, 80)
    monkeypatch.setattr(module, "DROPOUT_SAMPLES", 3_000)

    def log_odds(rate: float) -> Any:
        monkeypatch.setattr(module, "DROPOUT_RATE", rate)
        found = facts(classifier, features, None).candidates(rows, {"probabilities", "dropout"})
        assert found.dropout is not None
        assert found.dropout.shape == (3_000, 40, 2)
        return np.log(found.dropout[..., 0] / found.dropout[..., 1])

    whole = log_odds(0.0)
    own = classifier.predict_proba(features[rows])
    assert whole[[0, -1]] == pytest.approx(
        np.log(own[:, 0] / own[:, 1])[None].repeat(2, 0), abs=1e-3
    )
    dropped = log_odds(0.5)
    error = dropped.std(axis=0) / 3_000**0.5
    assert (np.abs(dropped.mean(axis=0) - whole[0]) < 5 * error + 1e-3).all()
    assert dropped.std(axis=0).min() > 0
    assert log_odds(0.2).std(axis=0).mean() < 0.7 * dropped.std(axis=0).mean()


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("column", [0, 10, 12])
def test_what_is_not_finite_is_counted_and_refused(column: int) -> None:
    classifier, features, _ = world()
    rows = np.arange(40, 80)
    features[[41, 60, 79], column] = [np.nan, np.inf, -np.inf]
    of_pool = facts(classifier, features, None)
    for needs in (frozenset[Need](), frozenset[Need]({"probabilities"})):
        with pytest.raises(NonFiniteFeatures, match="in 3 of 40 unlabelled rows"):
            of_pool.candidates(rows, needs)
    features[[41, 60, 79], column] = 0.0
    features[5] = np.nan
    with pytest.raises(NonFiniteFeatures, match="in 1 of 40 labelled rows"):
        facts(classifier, features, None).candidates(rows, set())
    features[5] = 3e38  # their sum overflows, each of them is a number
    check_finite(features, np.arange(40), "labelled")


@pytest.mark.usefixtures("small_pieces")
def test_whoever_stops_it_stops_it() -> None:
    classifier, features, kinds = world()
    asked = []

    def third() -> bool:
        asked.append(1)
        return len(asked) > 2

    with pytest.raises(Cancelled):
        facts(classifier, features, given_to(kinds), should_stop=third).candidates(
            np.arange(40, 80), set()
        )
    assert len(asked) == 3
