"""Query by committee: classifiers that saw different labels disagree."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from modAL.disagreement import KL_max_disagreement
from numpy.typing import NDArray

from active_learning.exceptions import NotFitted
from active_learning.query_strategies.base import Candidates, Need, highest
from active_learning.query_strategies.vectors import chunks
from active_learning.types import Positions, Reason, Scores, class_mention


class _KnownVotes:
    """The committee that modAL's measure asks: it answers what was computed already."""

    def __init__(self, votes: NDArray[np.float32]) -> None:
        self._votes = votes

    def __len__(self) -> int:
        return len(self._votes)

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return iter(self._votes)

    def vote_proba(self, rows: Positions) -> NDArray[np.float64]:
        """(rows, members, classes), as modAL's committees answer."""
        return np.maximum(self._votes[:, rows], 1e-12).transpose(1, 0, 2).astype(np.float64)


class CommitteeDisagreement:
    """The largest divergence of a member from the consensus (Seung, Opper and Sompolinsky 1992).

    modAL's ``KL_max_disagreement`` over a committee of classifiers on bootstrap samples.
    """

    name = "committee"
    needs: frozenset[Need] = frozenset({"probabilities", "committee"})

    def __init__(self, *, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def score(self, candidates: Candidates) -> Scores:
        """(n,) max over members of KL(member, consensus), in nats.

        Raises:
            NotFitted: there is no committee yet.
        """
        if candidates.committee is None:
            raise NotFitted("Strategy committee needs classifiers that have seen labels.")
        measure: Any = KL_max_disagreement
        committee = _KnownVotes(candidates.committee)
        out = np.empty(len(candidates))
        for rows in chunks(len(candidates)):
            out[rows] = measure(committee, np.arange(rows.start, rows.stop))
        return out

    def select(self, candidates: Candidates, scores: Scores, count: int) -> Positions:  # noqa: ARG002
        """The ``count`` most disputed rows, ties in random order."""
        return highest(scores, count, self._rng)

    def reason(self, candidates: Candidates, scores: Scores, row: int) -> Reason:
        """What the members say."""
        assert candidates.committee is not None
        votes = candidates.committee[:, row].argmax(axis=1)
        said = np.bincount(votes, minlength=len(candidates.classes))
        order = [place for place in np.argsort(-said, kind="stable").tolist() if said[place]]
        votes = [
            Reason("{votes} for {grade}", votes=said[place], grade=mention)
            for place, mention in (
                (place, class_mention(candidates.classes[place])) for place in order
            )
        ]
        return Reason(
            "a committee of models disagrees by {score:.2f}: {votes}",
            score=scores[row],
            votes=votes,
        )
