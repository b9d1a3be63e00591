"""One item's consensus at once, with what is known of the annotators."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from labeling.consensus.posterior import TIE, Consensus, ConsensusResult

LEAST = 1e-4


class LivePosterior:
    """The consensus of single items with the annotators' confusion matrices held fixed.

    Takes tens of microseconds, so that a label is counted when it comes; the matrices are found
    again by the next full run. An annotator whom that run did not know counts as the average of
    those it knew.
    """

    def __init__(self, result: ConsensusResult) -> None:
        """Takes the matrices of ``result``.

        Raises:
            ValueError: its method has no confusion matrices (majority), or it has no annotator.
        """
        if result.confusion is None or not len(result.annotators) or result.class_prior is None:
            raise ValueError(
                f"{result.method} of {len(result.annotators)} annotators has no confusion "
                "matrices; use weighted_majority_vote, dawid_skene or a classifier's prior"
            )
        kept = result.confusion.clip(min=LEAST)
        kept = kept / kept.sum(axis=2, keepdims=True)
        # [w, l] is the row of log P(w says l | k) over k; the last row is the average annotator.
        both = np.concatenate([kept, kept.mean(axis=0, keepdims=True)])
        self._says = np.log(both).transpose(0, 2, 1).copy()
        self._classes: list[str] = result.classes.tolist()
        self._class_row = {name: row for row, name in enumerate(self._classes)}
        self._person_row = {person: row for row, person in enumerate(result.annotators.tolist())}
        self._log_prior = np.log(result.class_prior.clip(min=LEAST))

    def probabilities(
        self, labels: Iterable[tuple[int, str]], prior: Sequence[float] | None = None
    ) -> NDArray[np.float64]:
        """(K,) probabilities of an item with these (annotator, label).

        ``prior`` (K,) is what a classifier expects of the item, in place of the classes'
        frequencies; after ``classifier_prior`` f * (q / f) ** choice["weight"], as in
        ``consensus_with_priors``.

        Raises:
            ValueError: a label that the full run did not have; make a full run.
        """
        scores = self._log_prior if prior is None else np.log(np.maximum(prior, LEAST))
        if len(scores) != len(self._classes):
            raise ValueError(f"prior has {len(scores)} values for {len(self._classes)} classes")
        unknown = len(self._person_row)
        for annotator, label in labels:
            row = self._class_row.get(label)
            if row is None:
                raise ValueError(
                    f"label {label!r} is not among the classes {self._classes}; make a full run"
                )
            scores = scores + self._says[self._person_row.get(annotator, unknown), row]
        shifted = np.exp(scores - scores.max())
        return np.asarray(shifted / shifted.sum())

    def consensus(
        self, labels: Sequence[tuple[int, str]], prior: Sequence[float] | None = None
    ) -> Consensus:
        """The consensus of an item with these (annotator, label)."""
        p = self.probabilities(labels, prior)
        best = int(p.argmax())
        given = [label for _, label in labels]
        if (p >= p[best] - TIE).sum() > 1:
            most = max((given.count(label) for label in given), default=0)
            return Consensus(None, most / max(1, len(given)), len(given), float(p[best]))
        name = self._classes[best]
        return Consensus(name, given.count(name) / max(1, len(given)), len(given), float(p[best]))
