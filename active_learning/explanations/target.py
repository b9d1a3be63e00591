"""What is explained: one grade or one issue, as a number that is linear in the design matrix."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.head_training import FittedParts
from active_learning.classifiers.logistic_heads import OUT_OF_PLAY
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.columns.signals import Signals
from active_learning.exceptions import NotFitted, UnknownLabel
from active_learning.types import Embeddings, Probabilities, Scores


@dataclass(frozen=True)
class Target:
    """The calibrated log-odds of one answer: ``design matrix @ weights + reference``.

    For an issue it is the logit of yes. For a grade it is its logit less the mean logit of the
    other grades that were ever given: of two grades the log-odds of one against the other, of
    more against the geometric mean of the others. 0 means: no more likely than the others.
    """

    name: str
    weights: NDArray[np.float64]
    """(design columns,)"""
    reference: float
    """The log-odds at the mean of the labelled records, where every contribution is 0."""

    @classmethod
    def of(cls, classifier: RecordClassifier, name: str) -> "Target":
        """The target of that name, a grade or an issue.

        Raises:
            NotFitted: the classifier has learnt nothing.
            UnknownLabel: neither a grade nor an issue has that name.
        """
        parts = fitted_parts(classifier)
        grades, issues = list(classifier.classes), list(classifier.issues)
        heads = parts.heads
        if name in grades:
            place = grades.index(name)
            in_play = np.flatnonzero(heads.biases[: heads.classes] > OUT_OF_PLAY)
            rivals = in_play[in_play != place]
            if not len(rivals):  # the only grade ever given: nothing speaks for or against it
                return cls(name, np.zeros(len(heads.weights)), 0.0)
            weights = heads.weights[:, place] - heads.weights[:, rivals].mean(axis=1)
            reference = heads.biases[place] - heads.biases[rivals].mean()
            heat = parts.temperature
            return cls(name, weights / heat, float(reference / heat))
        if name in issues:
            place = issues.index(name)
            slope, offset = parts.issue_scaling[place]
            column = heads.classes + place
            return cls(
                name,
                heads.weights[:, column] * slope,
                float(heads.biases[column] * slope + offset),
            )
        raise UnknownLabel(f"{name!r} is neither a grade {grades} nor an issue {issues}.")

    def scores(
        self,
        parts: FittedParts,
        embeddings: Embeddings,
        signals: Signals,
        faults: Probabilities,
    ) -> Scores:
        """(n,) log-odds of the rows."""
        design = parts.design.transform(embeddings, signals, faults)
        scores: Scores = design.astype(np.float64) @ self.weights + self.reference
        return scores


def fitted_parts(classifier: RecordClassifier) -> FittedParts:
    """What the classifier has learnt.

    Raises:
        NotFitted: nothing yet.
    """
    if classifier.fitted_ is None:
        raise NotFitted("The classifier has seen no label yet: there is nothing to explain.")
    return classifier.fitted_
