"""Wrong labels are found at least as well as by cleanlab, and bad input is named."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score, roc_auc_score

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.data_value.out_of_fold import design_label_errors, find_label_errors
from active_learning.exceptions import NoLabels, NotFitted, ShapeMismatch, UnknownLabel
from active_learning.label_errors import (
    confident_errors,
    label_errors,
    label_verdicts,
    true_label_posterior,
)
from tests.active_learning.conftest import CLASSES, ISSUES, World
from tests.fixtures.chinese import in_chinese

NAMES = ["a", "b", "c", "d"]


def noisy(
    seed: int, rate: float, n: int = 1200, classes: int = 4
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.bool_], NDArray[np.float32]]:
    """(true probabilities, given codes, is wrong, vectors), rows in random order."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, n, p=np.array([0.4, 0.3, 0.2, 0.1])[:classes])
    vectors = np.eye(classes)[truth] * 3.0 + rng.normal(size=(n, classes))
    logits = 3.0 * vectors + np.log([0.4, 0.3, 0.2, 0.1][:classes])
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    wrong = rng.random(n) < rate
    given = np.where(wrong, (truth + rng.integers(1, classes, n)) % classes, truth)
    return p / p.sum(axis=1, keepdims=True), given, wrong, vectors.astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_confident_errors_equal_cleanlab(seed: int) -> None:
    filters = pytest.importorskip("cleanlab.filter")
    p, given, _, _ = noisy(seed, 0.15)
    p = 0.7 * p + 0.3 * np.random.default_rng(seed).dirichlet(np.ones(4), len(p))
    wanted = filters.find_label_issues(given, p, filter_by="both", n_jobs=1)
    ours = confident_errors(p, given)
    # cleanlab rounds its counts another way; all but a few labels are judged the same.
    assert (wanted != ours).sum() <= 4
    assert ours.sum() > 100


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("kind", ["uniform", "pair"])
def test_it_finds_more_than_cleanlab_on_the_same_heads(kind: str, rate: float) -> None:
    filters = pytest.importorskip("cleanlab.filter")
    ours, theirs = [], []
    for seed in range(3):
        _, given, wrong, vectors = noisy(seed, rate)
        if kind == "pair":
            truth = noisy(seed, 0.0)[1]
            given = np.where(wrong, (truth + 1) % 4, truth)
        from active_learning.classifiers.head_training import out_of_fold, stratified_folds
        from active_learning.classifiers.logistic_heads import softmax

        logits, _ = out_of_fold(
            vectors,
            given,
            4,
            np.zeros((len(given), 0), np.int8),
            np.ones(len(given)),
            stratified_folds(given, 5, seed),
        )
        p = softmax(logits)
        found = design_label_errors(vectors, [NAMES[c] for c in given], NAMES, seed=seed)
        issues = filters.find_label_issues(given, p, n_jobs=1)
        own = p[np.arange(len(p)), given]
        ours.append((f1_score(wrong, found.is_suspected), roc_auc_score(wrong, found.scores)))
        theirs.append((f1_score(wrong, issues), roc_auc_score(wrong, 1 - own)))
    assert np.mean(ours, axis=0)[0] >= np.mean(theirs, axis=0)[0]
    assert np.mean(ours, axis=0)[1] >= np.mean(theirs, axis=0)[1] - 0.002


def test_ready_made_probabilities_name_the_true_label() -> None:
    p, given, wrong, vectors = noisy(1, 0.1)
    found = label_errors(p, [NAMES[c] for c in given], NAMES)
    assert f1_score(wrong, found.is_suspected) > 0.85
    assert found.noise_rate == pytest.approx(0.1, abs=0.03)
    for row in np.flatnonzero(found.is_suspected):
        assert found.suggested[row] != NAMES[given[row]]
        assert f"'{found.suggested[row]}'" in str(found.reasons[row])
        assert found.suggested[row] in in_chinese(found.reasons[row])
    ranked = found.ranking()
    assert wrong[ranked[:30]].mean() > 0.95
    assert set(ranked.tolist()) == set(np.flatnonzero(found.is_suspected).tolist())
    assert vectors.shape == (1200, 4)


def test_where_it_is_known_how_often_people_are_right_their_word_counts() -> None:
    p, given, _, _ = noisy(1, 0.1)
    people = np.full(p.shape, np.nan)
    sure, unsure = 0, 1
    people[sure] = np.full(4, 0.001)
    people[sure, given[sure]] = 0.997
    people[unsure] = 0.1
    people[unsure, (given[unsure] + 1) % 4] = 0.7
    found = label_verdicts(p, given, NAMES, people=people)
    alone = label_verdicts(p, given, NAMES)
    assert found.error_probabilities[[sure, unsure]] == pytest.approx([0.003, 0.9])
    assert found.is_suspected[[sure, unsure]].tolist() == [False, True]
    assert found.suggested[unsure] == NAMES[(given[unsure] + 1) % 4]
    np.testing.assert_array_equal(found.error_probabilities[2:], alone.error_probabilities[2:])


def test_the_order_of_records_and_classes_does_not_matter() -> None:
    p, given, _, _ = noisy(2, 0.1)
    found = label_errors(p, [NAMES[c] for c in given], NAMES)
    rows, columns = np.random.default_rng(0).permutation(1200), [2, 0, 3, 1]
    other = label_errors(
        p[rows][:, columns], [NAMES[c] for c in given[rows]], [NAMES[c] for c in columns]
    )
    np.testing.assert_allclose(
        other.error_probabilities, found.error_probabilities[rows], atol=1e-6
    )
    assert other.suggested == [found.suggested[row] for row in rows]


def test_the_posterior_finds_the_noise_that_was_injected() -> None:
    p, given, wrong, _ = noisy(5, 0.2, n=4000)
    posterior = true_label_posterior(p, given)
    np.testing.assert_allclose(posterior.sum(axis=1), 1.0)
    doubt = 1 - posterior[np.arange(4000), given]
    for low, high in ((0.0, 0.1), (0.3, 0.7), (0.9, 1.01)):
        part = (doubt >= low) & (doubt < high)
        assert wrong[part].mean() == pytest.approx(doubt[part].mean(), abs=0.12)


def test_clean_sure_labels_are_left_alone() -> None:
    p, given, _, _ = noisy(3, 0.0)
    assert label_errors(p, [NAMES[c] for c in given], NAMES).is_suspected.mean() < 0.02


def test_it_judges_the_grades_of_records_with_a_rare_class(world: World) -> None:
    grades = world.grades.copy()
    rng = np.random.default_rng(0)
    wrong = rng.random(len(grades)) < 0.15
    grades[wrong] = [rng.choice([c for c in CLASSES if c != g]) for g in grades[wrong]]
    classifier = RecordClassifier(world.layout, (*CLASSES, "odd", "never"), ISSUES).fit(
        world.features, np.where(np.arange(800) == 17, "odd", grades), faulty_fields=world.faulty
    )
    given = np.where(np.arange(800) == 17, "odd", grades)
    _, signals = world.layout.split(world.features)
    table = np.concatenate([signals.record, signals.cells.reshape(800, -1)], axis=1)
    for extra in (None, table):
        found = find_label_errors(
            classifier, world.features, given, faulty_fields=world.faulty, table=extra
        )
        assert roc_auc_score(wrong, found.scores) > 0.93
        assert f1_score(wrong, found.is_suspected) > 0.75
        assert "never" not in found.suggested


def test_a_class_of_its_own_is_no_error() -> None:
    found = label_errors(np.ones((3, 1)), ["a", "a", "a"], ["a"])
    assert not found.is_suspected.any()


def test_bad_input_is_named(world: World) -> None:
    with pytest.raises(NoLabels):
        label_errors(np.zeros((0, 2)), [], ["a", "b"])
    with pytest.raises(UnknownLabel, match="c"):
        label_errors(np.full((1, 2), 0.5), ["c"], ["a", "b"])
    with pytest.raises(ShapeMismatch):
        label_errors(np.full((2, 2), 0.5), ["a"], ["a", "b"])
    with pytest.raises(ShapeMismatch, match="finite"):
        label_errors(np.full((1, 2), np.nan), ["a"], ["a", "b"])
    with pytest.raises(NotFitted):
        find_label_errors(
            RecordClassifier(world.layout, CLASSES), world.features, world.grades.tolist()
        )


def _blobs(seed: int, n: int, apart: float) -> tuple[NDArray[np.float32], list[str]]:
    rng = np.random.default_rng(seed)
    centres, truth = rng.normal(size=(3, 10)) * apart, rng.integers(3, size=n)
    vectors = centres[truth] + rng.normal(size=(n, 10))
    return vectors.astype(np.float32), [NAMES[code] for code in truth]


def test_clean_labels_that_are_hard_to_predict_are_not_called_wrong() -> None:
    shares = []
    for seed in range(3):
        vectors, given = _blobs(seed, 300, 0.3)
        found = design_label_errors(vectors, given, NAMES[:3], seed=seed)
        shares.append(found.is_suspected.mean())
        assert found.noise_rate < 0.1
    assert max(shares) < 0.1


def test_many_wrong_labels_are_found_where_the_records_tell_them() -> None:
    figures = []
    for seed in range(3):
        vectors, truth = _blobs(seed, 300, 1.5)
        rng = np.random.default_rng(seed)
        wrong = rng.random(300) < 0.35
        places = (np.array([NAMES.index(name) for name in truth]) + rng.integers(1, 3, 300)) % 3
        given = [
            NAMES[place] if bad else name
            for place, bad, name in zip(places, wrong, truth, strict=True)
        ]
        found = design_label_errors(vectors, given, NAMES[:3], seed=seed)
        figures.append(f1_score(wrong, found.is_suspected))
    # What cannot be told from a weak classifier is not claimed.
    assert np.median(figures) > 0.75


def test_the_only_record_of_a_class_is_not_judged() -> None:
    vectors, given = _blobs(2, 80, 1.5)
    found = design_label_errors(vectors, [*given[:-1], "d"], NAMES, seed=0)
    assert not found.is_suspected[-1]
    assert found.error_probabilities[-1] < 0.5
    assert str(found.reasons[-1]) == "'d' is hardly known to the classifier: not judged"
