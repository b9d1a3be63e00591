"""Relabelling against cleanlab's ActiveLab, and what it tells a caller."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from active_learning.exceptions import NoLabels, ShapeMismatch
from active_learning.query_strategies.relabelling import (
    COARSE,
    _at_temperature,
    _counts,
    _majority,
    relabel,
)
from tests.fixtures.chinese import in_chinese

CLASSES = ["good", "fair", "poor"]


def world(seed: int, most: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Answers of six annotators, 1 to ``most`` a record, and a classifier better than chance."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, 200)
    answers = np.full((200, 6), -1, dtype=np.intp)
    for row in range(200):
        for annotator in rng.permutation(6)[: rng.integers(1, most + 1)]:
            is_right = rng.random() < 0.6 + 0.06 * annotator
            answers[row, annotator] = truth[row] if is_right else rng.integers(0, 3)
    probabilities = np.stack([rng.dirichlet(1 + 2 * np.eye(3)[kind]) for kind in truth])
    return answers, probabilities


@pytest.mark.parametrize("seed", range(3))
def test_scores_of_single_answers_are_those_of_cleanlab(seed: int) -> None:
    reference = pytest.importorskip("cleanlab.multiannotator")
    answers, probabilities = world(seed, 1)
    unlabelled = np.random.default_rng(seed).dirichlet(np.ones(3), 50)
    expected = reference.get_active_learning_scores(
        np.where(answers < 0, np.nan, answers.astype(float)), probabilities, unlabelled
    )
    ours = relabel(answers, probabilities, CLASSES, unlabelled)
    assert 1 - ours.labelled == pytest.approx(expected[0], abs=1e-6)
    assert 1 - ours.unlabelled == pytest.approx(expected[1], abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_quality_of_many_answers_is_that_of_cleanlab_at_the_same_temperature(seed: int) -> None:
    reference = pytest.importorskip("cleanlab.multiannotator")
    answers, probabilities = world(seed, 4)
    table = np.where(answers < 0, np.nan, answers.astype(float))
    ours = relabel(answers, probabilities, CLASSES)
    scaled = probabilities ** (1 / ours.temperature)
    scaled /= scaled.sum(axis=1, keepdims=True)
    found = reference.get_label_quality_multiannotator(table, scaled, verbose=False)
    expected = found["label_quality"]
    assert ours.consensus.tolist() == expected["consensus_label"].tolist()
    assert ours.quality == pytest.approx(expected["consensus_quality_score"].to_numpy(), abs=1e-6)
    # cleanlab's temperature differs: its count of answers shifts classes that a record lacks
    # (value_counts of answers 1, 1, 2 is [2, 1, 0]). So the order is alike, not the same.
    scores, _ = reference.get_active_learning_scores(table, probabilities)
    assert spearmanr(-scores, ours.labelled).statistic > 0.6


def test_a_disputed_record_deserves_a_vote_more_than_an_agreed_one() -> None:
    answers = np.array([[0, 0, 0], [0, 1, -1], [1, 1, 1], [2, 2, -1], [1, 1, 0]])
    probabilities = np.eye(3)[[0, 0, 1, 2, 1]] * 0.7 + 0.1
    found = relabel(answers, probabilities, CLASSES)
    assert found.labelled.argmax() == 1
    assert "1 of 2 annotators said good" in str(found.reasons[1])
    assert "2 名标注员中 1 名" in in_chinese(found.reasons[1])
    assert found.consensus.tolist() == [0, 0, 1, 2, 1]


def test_wrong_input_is_named() -> None:
    answers, probabilities = world(0, 2)
    with pytest.raises(NoLabels):
        relabel(np.full((2, 3), -1), probabilities[:2], CLASSES)
    with pytest.raises(ShapeMismatch):
        relabel(answers, probabilities[:, :2], CLASSES)
    with pytest.raises(ShapeMismatch):
        relabel(answers + 5, probabilities, CLASSES)
    with pytest.raises(ShapeMismatch):
        relabel(answers, probabilities * np.nan, CLASSES)


def by_definition(
    answers: NDArray[np.intp],
    probabilities: NDArray[np.float64],
    unlabelled: NDArray[np.float64],
) -> tuple[list[int], list[float], list[float], list[float]]:
    """(consensus, quality, scores of the labelled, of the unlabelled), record by record."""
    rows, people, kinds = range(len(answers)), range(answers.shape[1]), range(len(CLASSES))
    said = [
        {who: int(answers[row, who]) for who in people if answers[row, who] >= 0} for row in rows
    ]
    of_class = [sum(list(each.values()).count(k) for each in said) for k in kinds]

    def majority(row: int) -> int:
        votes = list(said[row].values())
        most = max(votes.count(k) for k in kinds)
        tied = [k for k in kinds if votes.count(k) == most]
        best = max(probabilities[row, k] for k in tied)
        tied = [k for k in tied if probabilities[row, k] == best]
        return min(tied, key=lambda k: (of_class[k], k))

    def weighed(labels: list[int]) -> tuple[list[list[float]], float, list[float]]:
        shared = [row for row in rows if len(said[row]) > 1]
        agreement = [
            np.mean([label == labels[row] for label in said[row].values()]) for row in shared
        ]
        right = float(np.mean(agreement))
        common = max(kinds, key=lambda k: ([labels[row] for row in shared].count(k), -k))
        blind = max(1e-6, float(np.mean([labels[row] != common for row in shared])))
        trusted: list[float | None] = []
        for who in people:
            pairs = [
                said[row][who] == said[row][peer]
                for row in shared
                if who in said[row]
                for peer in said[row]
                if peer != who
            ]
            trusted.append(float(np.mean(pairs)) if pairs else None)
        usual = float(np.mean([each for each in trusted if each is not None]))
        weights = [
            max(1e-6, 1 - (1 - (usual if each is None else each)) / blind) for each in trusted
        ]
        wrong = float(np.mean([probabilities[row].argmax() != labels[row] for row in shared]))
        asked = float(np.mean([len(each) for each in said]))
        classifier = max(1e-6, 1 - wrong / blind) * asked**0.5
        found = []
        for row in rows:
            whole = classifier + sum(weights[who] for who in said[row])
            found.append(
                [
                    (
                        classifier * probabilities[row, k]
                        + sum(
                            weights[who] * (right if label == k else (1 - right) / (len(kinds) - 1))
                            for who, label in said[row].items()
                        )
                    )
                    / whole
                    for k in kinds
                ]
            )
        return found, classifier, weights

    first = [majority(row) for row in rows]
    found, _, _ = weighed(first)
    consensus = [
        first[row] if found[row].count(max(found[row])) > 1 else int(np.argmax(found[row]))
        for row in rows
    ]
    found, classifier, weights = weighed(consensus)
    quality = [found[row][consensus[row]] for row in rows]
    usual, even = float(np.mean(weights)), 1 / len(kinds)
    old = []
    for row in rows:
        whole = classifier + sum(weights[who] for who in said[row])
        old.append(1 - (quality[row] * whole + even * usual) / (whole + usual))
    new = [
        1 - (max(each) * classifier + even * usual) / (classifier + usual) for each in unlabelled
    ]
    return consensus, quality, old, new


@pytest.mark.parametrize("seed", range(8))
def test_scores_of_many_answers_are_the_definition_at_their_temperature(seed: int) -> None:
    answers, probabilities = world(seed, 2 + seed % 3)
    answers, probabilities = answers[:60], probabilities[:60]
    if seed % 2:  # somebody who shares no record with anybody
        alone = np.full((60, 1), -1)
        answers = np.hstack([answers, alone])
        answers[0] = -1
        answers[0, -1] = 1
    unlabelled = np.random.default_rng(seed).dirichlet(np.ones(3), 20)
    ours = relabel(answers, probabilities, CLASSES, unlabelled)

    def scaled(table: NDArray[np.float64]) -> NDArray[np.float64]:
        powers = table ** (1 / ours.temperature)
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    consensus, quality, old, new = by_definition(answers, scaled(probabilities), scaled(unlabelled))
    assert ours.consensus.tolist() == consensus
    assert ours.quality == pytest.approx(np.array(quality))
    assert ours.labelled == pytest.approx(np.array(old))
    assert ours.unlabelled == pytest.approx(np.array(new))
    assert relabel(answers, probabilities, CLASSES).unlabelled.shape == (0,)
    for row, reason in enumerate(ours.reasons):
        agree, said = (answers[row] == consensus[row]).sum(), (answers[row] >= 0).sum()
        name = CLASSES[consensus[row]]
        assert (
            str(reason)
            == f"{agree} of {said} {'annotator' if said == 1 else 'annotators'} said {name}"
        )


@pytest.mark.parametrize("is_one_class", [False, True])
def test_who_contradicts_everybody_has_hardly_a_weight_and_none_below(is_one_class: bool) -> None:
    """Nor is anything divided by nothing where all agree on one class."""
    kinds = np.zeros(12, dtype=np.intp) if is_one_class else np.arange(12) % 3
    answers = np.stack([kinds, kinds, kinds, (kinds + 1) % 3], axis=1)
    probabilities = 0.1 + 0.7 * np.eye(3)[(kinds + 2) % 3]
    ours = relabel(answers, probabilities, CLASSES)
    powers = probabilities ** (1 / ours.temperature)
    scaled = powers / powers.sum(axis=1, keepdims=True)
    consensus, quality, old, _ = by_definition(answers, scaled, scaled[:1])
    assert ours.consensus.tolist() == consensus == kinds.tolist()
    assert ours.quality == pytest.approx(np.array(quality))
    assert ours.labelled == pytest.approx(np.array(old))


def test_ties_of_votes_go_to_the_classifiers_favourite_then_to_the_rarer_class() -> None:
    answers = np.array([[0, 1], [0, 2], [0, 1], [0, 0]])
    probabilities = np.array([[0.3, 0.4, 0.3], [0.2, 0.7, 0.1], [0.3, 0.3, 0.4], [0.8, 0.1, 0.1]])
    counts = _counts(answers, 3)
    assert counts.tolist() == [[1, 1, 0], [1, 0, 1], [1, 1, 0], [2, 0, 0]]
    assert _majority(counts, probabilities).tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("power", [0.02, 0.12, 0.4, 0.7, 1.0, 1.6, 2.7, 4.0, 7.0, 9.0])
def test_the_temperature_fits_the_answers_as_well_as_any(power: float) -> None:
    """However much too sure the classifier is, or too little."""
    rng = np.random.default_rng(5)
    honest = rng.dirichlet(np.full(3, 0.7), 400)
    told = np.array([[rng.choice(3, p=row) for _ in range(2)] for row in honest])
    probabilities = honest**power
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    counts = _counts(told, 3)

    def loss(temperature: float) -> float:
        logs = np.log(np.maximum(_at_temperature(probabilities, temperature), 1e-100))
        return float(-(counts / 2 * logs).sum(axis=1).mean())

    found = relabel(told, probabilities, CLASSES).temperature
    best = min(np.geomspace(COARSE[0], COARSE[-1], 300).tolist(), key=loss)
    assert loss(found) == pytest.approx(loss(best), abs=2e-3)
    assert COARSE[0] <= found <= COARSE[-1]
    assert (found == COARSE[0]) == (power < COARSE[0])
    assert (found == COARSE[-1]) == (power > COARSE[-1])


def test_at_a_temperature_the_order_of_the_classes_stays_and_ratios_are_powers() -> None:
    table = np.array([[0.5, 0.3, 0.2], [1.0, 0.0, 0.0], [0.8, 0.1, 0.1]])
    found = _at_temperature(table, 2.0)
    assert found.sum(axis=1) == pytest.approx(np.ones(3))
    assert found[0] == pytest.approx(np.sqrt(table[0]) / np.sqrt(table[0]).sum())
    assert found[1] == pytest.approx([1.0, 0.0, 0.0])
    assert _at_temperature(table, 1.0) == pytest.approx(table)


@pytest.mark.parametrize(
    ("answers", "probabilities", "unlabelled", "error"),
    [
        ((4,), (4, 3), None, ShapeMismatch),
        ((4, 2, 1), (4, 3), None, ShapeMismatch),
        ((4, 2), (3, 3), None, ShapeMismatch),
        ((4, 2), (4, 4), None, ShapeMismatch),
        ((4, 2), (4, 3), (5,), ShapeMismatch),
        ((4, 2), (4, 3), (5, 3, 1), ShapeMismatch),
        ((4, 2), (4, 3), (5, 2), ShapeMismatch),
        ((0, 2), (0, 3), None, NoLabels),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(
    answers: tuple[int, ...],
    probabilities: tuple[int, ...],
    unlabelled: tuple[int, ...] | None,
    error: type[Exception],
) -> None:
    given = np.zeros(answers, dtype=np.intp)
    table = np.full(probabilities, 1 / 3)
    with pytest.raises(error):
        relabel(given, table, CLASSES, None if unlabelled is None else np.full(unlabelled, 1 / 3))


def test_numbers_of_classes_and_empty_rows_are_told_to_the_row() -> None:
    table = np.full((3, 3), 1 / 3)
    assert relabel(np.array([[2, -1], [-1, 0], [1, 1]]), table, CLASSES).consensus.tolist() == [
        2,
        0,
        1,
    ]
    with pytest.raises(ShapeMismatch, match="class 3, there are 3"):
        relabel(np.array([[3, -1], [-1, 0], [1, 1]]), table, CLASSES)
    with pytest.raises(NoLabels):
        relabel(np.array([[2, -1], [-1, -1], [1, 1]]), table, CLASSES)
    for broken in (np.nan, np.inf):
        with pytest.raises(ShapeMismatch, match="unlabelled"):
            relabel(np.zeros((3, 1), int), table, CLASSES, np.full((1, 3), broken))
