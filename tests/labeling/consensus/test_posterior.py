"""The consensus of each item by its definition, in plain loops."""

import numpy as np
import pytest

from labeling.consensus.posterior import (
    FEW_LABELS,
    UNCHECKED,
    Consensus,
    ConsensusResult,
    normalise_scores,
)


def drawn(seed: int, method: str, items: int = 60, classes: int = 4) -> ConsensusResult:
    """Few votes and round probabilities: many ties of either."""
    rng = np.random.default_rng(seed)
    votes = rng.integers(0, 3, (items, classes)).astype(float)
    votes[votes.sum(axis=1) == 0, 1] = 1.0
    parts = rng.integers(1, 4, (items, classes)).astype(float)
    return ConsensusResult(
        method,
        np.sort(rng.choice(999, items, replace=False)),
        np.array(list("abcdef"[:classes])),
        parts / parts.sum(axis=1, keepdims=True),
        votes,
        ordering=rng.random((items, classes)) if seed % 2 else None,
    )


@pytest.mark.parametrize("method", ["majority", "dawid_skene", UNCHECKED, FEW_LABELS])
@pytest.mark.parametrize("seed", range(4))
def test_the_label_is_the_most_probable_of_those_that_people_gave(seed: int, method: str) -> None:
    """Where people are not told apart, of those that most gave."""
    found = drawn(seed, method)
    is_by_vote = method in {UNCHECKED, FEW_LABELS}
    assert list(found) == found.item_ids.tolist()
    assert len(found) == 60
    for row, item in enumerate(found):
        votes, p = found.votes[row].tolist(), found.probabilities[row].tolist()
        most = max(votes)
        open_to = [k for k in range(4) if votes[k] >= (most if is_by_vote else 1)]
        best = max(p[k] for k in open_to)
        top = [k for k in open_to if p[k] == best]
        label = "abcd"[top[0]] if len(top) == 1 else None
        share = (votes[top[0]] if label else most) / sum(votes)
        assert found[item] == Consensus(label, share, int(sum(votes)), best)
        assert found[item].is_tied == (label is None) == found.is_tied[row]
        assert found.codes[row] == (top[0] if label else -1)
        assert found.confidence[row] == best
        order = found.probabilities if found.ordering is None else found.ordering
        assert found.sureness[row] == order[row, top[0]]
        is_split = votes.count(most) > 1
        for sure in (best - 1e-6, best, best + 1e-6):
            is_open = is_split and (is_by_vote or best < sure)
            assert found.settled_codes(sure)[row] == (-1 if is_open else found.codes[row])


def test_equal_is_equal_to_nine_digits() -> None:
    for apart, is_tied in ((0.5e-9, True), (2e-9, False)):
        found = ConsensusResult(
            "majority",
            np.array([7]),
            np.array(["a", "b"]),
            np.array([[0.5 - apart / 2, 0.5 + apart / 2]]),
            np.array([[1.0, 1.0]]),
        )
        assert found.is_tied.tolist() == [is_tied]
        assert found[7].label == (None if is_tied else "b")


@pytest.mark.parametrize("shape", [(0, 3), (2, 0)])
def test_without_items_or_classes_there_is_no_label(shape: tuple[int, int]) -> None:
    ids = np.arange(shape[0])
    found = ConsensusResult(
        "majority", ids, np.array(["a"] * shape[1]), np.zeros(shape), np.zeros(shape)
    )
    assert found.codes.tolist() == found.settled_codes(0.9).tolist() == [-1] * shape[0]
    assert found.confidence.tolist() == found.sureness.tolist() == [0.0] * shape[0]
    assert found.is_tied.tolist() == [False] * shape[0]
    assert list(found) == []
    assert len(found) == shape[0]
    assert normalise_scores(np.zeros(shape)).shape == shape


def test_scores_become_probabilities_however_large_they_are() -> None:
    scores = np.log([[1.0, 3.0], [2.0, 2.0]]) + np.array([[1e4], [-1e4]])
    assert normalise_scores(scores) == pytest.approx(np.array([[0.25, 0.75], [0.5, 0.5]]))
