"""What strategies are told of a pool."""

from dataclasses import replace

import numpy as np
import pytest

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import FeatureLayout
from active_learning.exceptions import NoLabels
from active_learning.query_strategies.candidate_facts import CandidateFacts


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
