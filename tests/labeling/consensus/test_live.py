"""One item at once is what the full run says of it."""

import numpy as np
import pytest

from labeling.consensus.base import LabelFrame
from labeling.consensus.dawid_skene import dawid_skene
from labeling.consensus.live import LivePosterior
from labeling.consensus.majority_vote import majority_vote
from labeling.consensus.weighted_majority_vote import weighted_majority_vote
from tests.labeling.consensus.rows import random_rows


@pytest.mark.parametrize("seed", range(5))
def test_live_is_the_full_runs_next_step(seed: int) -> None:
    rows, _ = random_rows(seed, votes=0.9)
    result = dawid_skene(LabelFrame.from_rows(rows), smoothing=1.0, tolerance=-1.0, iterations=500)
    live = LivePosterior(result)
    for item, found in result.items():
        labels = [(person, label) for i, person, label in rows if i == item]
        row = result.probabilities[result.item_ids == item][0]
        assert live.probabilities(labels) == pytest.approx(row, abs=0.01)
        now = live.consensus(labels)
        assert (now.label, now.votes) == (found.label, found.votes)
        assert now.share == pytest.approx(found.share)


def test_no_votes_and_unknown_people_and_priors() -> None:
    rows, _ = random_rows(1)
    result = dawid_skene(LabelFrame.from_rows(rows))
    live = LivePosterior(result)
    assert result.class_prior is not None
    assert live.probabilities([]) == pytest.approx(result.class_prior, abs=1e-3)
    stranger = live.probabilities([(99, "a")])
    assert np.isfinite(stranger).all()
    assert stranger.argmax() == 0
    assert live.probabilities([], [0.1, 0.1, 0.8]) == pytest.approx([0.1, 0.1, 0.8])


def test_a_tie_is_a_tie() -> None:
    rows = [(1, 1, "a"), (1, 2, "b"), (2, 1, "b"), (2, 2, "a")]
    live = LivePosterior(weighted_majority_vote(LabelFrame.from_rows(rows)))
    found = live.consensus([(1, "a"), (2, "b")])
    assert found.label is None
    assert found.share == pytest.approx(0.5)


def test_what_cannot_be_updated_says_so() -> None:
    frame = LabelFrame.from_rows([(1, 1, "a"), (1, 2, "b")])
    with pytest.raises(ValueError, match="no confusion matrices"):
        LivePosterior(majority_vote(frame))
    with pytest.raises(ValueError, match="of 0 annotators"):
        LivePosterior(dawid_skene(LabelFrame.from_rows([])))
    live = LivePosterior(dawid_skene(frame))
    with pytest.raises(ValueError, match="make a full run"):
        live.probabilities([(1, "new")])
    with pytest.raises(ValueError, match="3 values for 2 classes"):
        live.probabilities([(1, "a")], [0.2, 0.2, 0.6])
