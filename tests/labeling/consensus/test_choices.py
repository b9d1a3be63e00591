"""Questions with several answers as yes-no questions."""

import numpy as np
import pytest

from labeling.consensus.automatic import automatic
from labeling.consensus.base import LabelFrame
from labeling.consensus.choices import choice_consensus, choice_frames, chosen_probabilities
from labeling.consensus.majority_vote import majority_vote

ANSWERS = [
    (4, 1, ["title", "price"]),
    (4, 2, ["title"]),
    (4, 3, []),
    (2, 1, ["price"]),
    (2, 2, []),
]


def test_every_answer_answers_every_choice() -> None:
    frames = choice_frames(ANSWERS, ["title", "price", "brand"])
    assert frames["title"].labels.tolist() == ["yes", "yes", "no", "no", "no"]
    assert all(frame.items.tolist() == [4, 4, 4, 2, 2] for frame in frames.values())
    found = choice_consensus(ANSWERS, ["title", "price", "brand"], majority_vote)
    assert found["title"][4].label == "yes"
    assert found["price"][2].label is None
    assert chosen_probabilities(found) == pytest.approx(np.array([[0, 0.5, 0], [2 / 3, 1 / 3, 0]]))


def test_nothing_answered_and_nothing_to_choose() -> None:
    found = choice_consensus([], ["title"], automatic)
    assert chosen_probabilities(found).shape == (0, 1)
    assert chosen_probabilities(choice_consensus([], [], automatic)).shape == (0, 0)


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\['title'\] are not among"):
        choice_frames(ANSWERS, ["price"])


def test_empty_values_are_refused() -> None:
    frame = LabelFrame(np.array([1, 2]), np.array([1, 1]), np.array(["a", None], dtype=object))
    with pytest.raises(ValueError, match="labels has an empty value"):
        majority_vote(frame)
