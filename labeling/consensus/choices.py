"""Questions with several answers: each choice, or each marked field, is a yes-no question."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.base import Aggregator, LabelFrame
from labeling.consensus.posterior import ConsensusResult

YES = "yes"
NO = "no"

ChosenNames = tuple[int, int, Collection[str]]
"""(item, annotator, what they chose); nothing chosen says no to every choice."""


def choice_frames(answers: Iterable[ChosenNames], choices: Sequence[str]) -> dict[str, LabelFrame]:
    """Choice to the frame of who said ``yes`` or ``no`` to it.

    Raises:
        ValueError: a choice that is not among ``choices``.

    >>> frames = choice_frames([(1, 7, {"title"}), (1, 8, set())], ["title", "price"])
    >>> frames["title"].labels.tolist(), frames["price"].labels.tolist()
    (['yes', 'no'], ['no', 'no'])
    """
    rows = [(item, annotator, frozenset(chosen)) for item, annotator, chosen in answers]
    known = frozenset(choices)
    unknown = sorted(set().union(*(chosen for _, _, chosen in rows)) - known)
    if unknown:
        raise ValueError(f"chosen {unknown} are not among the choices {list(choices)}")
    items = np.array([item for item, _, _ in rows], dtype=np.int64)
    annotators = np.array([annotator for _, annotator, _ in rows], dtype=np.int64)
    return {
        name: LabelFrame(
            items,
            annotators,
            np.array([YES if name in chosen else NO for _, _, chosen in rows], dtype=np.str_),
        )
        for name in choices
    }


def choice_consensus(
    answers: Iterable[ChosenNames], choices: Sequence[str], aggregator: Aggregator
) -> dict[str, ConsensusResult]:
    """Choice to the consensus on it; every result has the same items in the same order."""
    return {name: aggregator(frame) for name, frame in choice_frames(answers, choices).items()}


def chosen_probabilities(found: Mapping[str, ConsensusResult]) -> NDArray[np.float64]:
    """(I, choices) probability of ``yes``; 0 where nobody ever said it."""
    columns = []
    for result in found.values():
        place = np.flatnonzero(result.classes == YES)
        p = result.probabilities
        columns.append(p[:, place[0]] if len(place) else np.zeros(len(result.item_ids)))
    return np.stack(columns, axis=1) if columns else np.zeros((0, 0))
