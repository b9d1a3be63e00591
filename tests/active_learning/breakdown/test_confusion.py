import numpy as np
import pytest
from sklearn.metrics import confusion_matrix as reference_matrix
from sklearn.metrics import precision_recall_fscore_support

from active_learning.breakdown.confusion import class_measures, confusion_matrix, mark_measures
from active_learning.breakdown.shares import FEWEST
from active_learning.exceptions import ShapeMismatch

CLASSES = ["good", "fair", "poor", "never"]


@pytest.mark.parametrize("seed", range(8))
def test_matrix_precision_and_recall_are_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.choice(CLASSES[:3], 200, p=[0.6, 0.3, 0.1]).tolist()
    answers = np.where(rng.random(200) < 0.7, truth, rng.choice(CLASSES[:3], 200)).tolist()
    table = confusion_matrix(truth, answers, CLASSES)
    assert (table == reference_matrix(truth, answers, labels=CLASSES)).all()
    precision, recall, _, support = precision_recall_fscore_support(
        truth, answers, labels=CLASSES, zero_division=0
    )
    for place, found in enumerate(class_measures(table, CLASSES)):
        assert (found.name, found.present) == (CLASSES[place], support[place])
        for share, wanted in ((found.precision, precision), (found.recall, recall)):
            if share.n >= FEWEST:
                assert share.estimate is not None
                assert share.estimate.value == pytest.approx(wanted[place])
                assert share.estimate.low <= wanted[place] <= share.estimate.high
            else:
                assert (share.estimate, share.missing) == (None, FEWEST - share.n)


@pytest.mark.parametrize("seed", range(8))
def test_marks_that_nobody_knows_do_not_count(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.choice([1, 0, -1], (150, 2)).astype(np.int8)
    probabilities = rng.random((150, 2))
    for place, found in enumerate(mark_measures(truth, probabilities, ["odd", "old"])):
        known = truth[:, place] >= 0
        precision, recall, _, _ = precision_recall_fscore_support(
            truth[known, place], probabilities[known, place] >= 0.5, average="binary"
        )
        assert found.precision.estimate is not None
        assert found.recall.estimate is not None
        assert found.precision.estimate.value == pytest.approx(precision)
        assert found.recall.estimate.value == pytest.approx(recall)
        assert found.present == (truth[:, place] == 1).sum()


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(ShapeMismatch, match="2 labels and 1 answers"):
        confusion_matrix(["good", "fair"], ["good"], CLASSES)
    with pytest.raises(ShapeMismatch, match="odd"):
        confusion_matrix(["odd"], ["good"], CLASSES)
    with pytest.raises(ShapeMismatch):
        mark_measures(np.zeros((3, 2), np.int8), np.zeros((3, 1)), ["odd"])
