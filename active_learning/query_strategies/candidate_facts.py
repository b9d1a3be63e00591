"""What strategies see of a pool: computed in chunks, and only what the strategy needs."""

from collections.abc import Callable, Collection, Iterator

import numpy as np
from modAL.models import ActiveLearner as ModalLearner
from modAL.models import Committee
from numpy.typing import NDArray

from active_learning.classifiers.logistic_heads import LogisticHeads, divide_by_temperature, softmax
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.exceptions import NoLabels, NonFiniteFeatures
from active_learning.query_strategies.base import Candidates, Need
from active_learning.query_strategies.distances import distances_on
from active_learning.query_strategies.vectors import RowView, chunks
from active_learning.types import (
    FeatureRows,
    Features,
    Positions,
    Probabilities,
    Progress,
    Reason,
    Scores,
    ShouldStop,
    check_stop,
    never,
    silent,
)

MEMBERS = 5
"""Of the committee. Chosen: each is one more training."""
DROPOUT_SAMPLES = 10
"""Chosen: each is one more prediction of the pool."""
DROPOUT_RATE = 0.5
"""The usual rate of hidden units (Srivastava et al. 2014)."""
PREDICTED_AT_A_TIME = 32_768
"""Rows. Chosen: bounds memory."""
CHANCE_SEED = 53
"""Any number: keeps these draws apart from others of the same seed."""
MOST_KNOWN = 20_000
"""Known records that others are compared with: 50 MB of vectors. Projects have fewer, unless a
machine labels most of the pool. Chosen."""


class CandidateFacts:
    """Candidates of a pool for a classifier.

    Args:
        classifier: fitted or not.
        features: (N, width), labelled rows included; read in pieces, never as a whole.
        known: rows that are labelled or in a batch.
        labels: (N,) class of each row as a number, -1 where unknown; None where no labels are at
            hand.
        seed: of the committee's bootstrap samples, of dropout and of chance.
        device: where distances are computed, as for :func:`distances_on`.
    """

    def __init__(
        self,
        classifier: RecordClassifier,
        features: FeatureRows,
        known: Positions,
        labels: NDArray[np.intp] | None,
        *,
        seed: int,
        device: str = "auto",
        progress: Progress = silent,
        should_stop: ShouldStop = never,
    ) -> None:
        self._progress = progress
        self._distances = distances_on(device)
        self._classifier, self._features, self._known = classifier, features, known
        self._labels, self._seed, self._should_stop = labels, seed, should_stop
        self._chance = np.random.default_rng([CHANCE_SEED, seed]).random(len(features))

    @property
    def classes_met(self) -> int:
        """How many classes have a label; 0 where no labels are at hand."""
        return 0 if self._labels is None else len(np.unique(self._labels[self._labels >= 0]))

    def candidates(self, rows: Positions, needs: Collection[Need]) -> Candidates:
        """The rows (n,) of the pool as a strategy with these needs sees them.

        Raises:
            NonFiniteFeatures: NaN or infinity among the rows or the known rows.
            NoLabels: a committee is needed and no labels are at hand.
        """
        known = self._at_most()
        check_finite(self._features, known, "labelled")
        fitted = self._classifier.is_fitted and "probabilities" in needs
        vectors, standardised = self._vectors(rows)
        suspicion, probabilities = self._suspicion_and_probabilities(rows, standardised, fitted)
        known_probabilities = self._probabilities(known) if fitted else None
        return Candidates(
            vectors,
            suspicion,
            list(self._classifier.classes),
            probabilities,
            vectors.at(known),
            known_probabilities,
            self._counts(known_probabilities),
            self._committee(rows) if fitted and "committee" in needs else None,
            self._dropout(rows) if fitted and "dropout" in needs else None,
            self._distances,
            self._chance[rows],
        )

    def _at_most(self) -> Positions:
        """The known rows; where they are too many, those with a label and a random part of the
        others."""
        if len(self._known) <= MOST_KNOWN:
            return self._known
        by_chance = self._chance[self._known]
        if self._labels is not None:
            by_chance = by_chance + (self._labels[self._known] >= 0)
        return np.sort(self._known[np.argsort(-by_chance, kind="stable")[:MOST_KNOWN]])

    def _vectors(
        self, rows: Positions
    ) -> tuple[RowView, Callable[[NDArray[np.float32]], NDArray[np.float32]]]:
        """Embeddings beside standardised record signals, and what standardises the signals."""
        layout = self._classifier.layout
        first, second = layout.embedding, layout.embedding + layout.record_signals
        mean, spread = self._usual(rows, slice(first, second))

        def standardised(signals: NDArray[np.float32]) -> NDArray[np.float32]:
            return (signals - mean) / spread

        if first == second:
            return RowView(self._features, rows, columns=first), standardised
        # Likeness of text and likeness of signals count the same.
        weight = np.float32(1.0 / np.sqrt(second - first))

        def transform(found: NDArray[np.float32]) -> NDArray[np.float32]:
            scaled = weight * standardised(found[:, first:second])
            return np.concatenate([found[:, :first], scaled], axis=1, dtype=np.float32)

        return RowView(self._features, rows, transform, second), standardised

    def _usual(
        self, rows: Positions, columns: slice
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(mean, standard deviation) of each of the columns, infinite where there is none."""
        count = columns.stop - columns.start
        mean, squares = np.zeros(count), np.zeros(count)
        with np.errstate(all="ignore"):  # what is not finite is told by the check of all columns
            for part in chunks(len(rows), PREDICTED_AT_A_TIME):
                check_stop(self._should_stop, "selecting")
                found = self._features[rows[part], columns]
                mean += found.sum(axis=0, dtype=np.float64)
            mean /= max(1, len(rows))
            for part in chunks(len(rows), PREDICTED_AT_A_TIME):
                found = self._features[rows[part], columns] - mean
                squares += np.einsum("ij,ij->j", found, found)
            spread = np.sqrt(squares / max(1, len(rows)))
        spread = np.where(spread > 0, spread, np.inf)
        return mean.astype(np.float32), spread.astype(np.float32)

    def _suspicion_and_probabilities(
        self,
        rows: Positions,
        standardised: Callable[[NDArray[np.float32]], NDArray[np.float32]],
        fitted: bool,
    ) -> tuple[Scores, Probabilities | None]:
        """((n,) suspicion, (n, classes) probabilities where it is fitted) in one pass.

        Raises:
            NonFiniteFeatures: NaN or infinity among the rows.
        """
        layout = self._classifier.layout
        first, second = layout.embedding, layout.embedding + layout.record_signals
        suspicion = np.empty(len(rows))
        probabilities = np.empty((len(rows), len(self._classifier.classes))) if fitted else None
        bad = 0
        for part, found in self._parts(rows):
            worse = _rows_not_finite(found)
            bad += worse
            if bad:
                continue
            scaled = standardised(found[:, first:second])
            suspicion[part] = np.clip(scaled, -4.0, 4.0).sum(axis=1)
            if probabilities is not None:
                probabilities[part] = self._classifier.predict_proba(found)
            self._progress(
                part.stop / len(rows),
                Reason.ngettext(
                    "scored {done:,} of {n:,} record",
                    "scored {done:,} of {n:,} records",
                    n=len(rows),
                    done=part.stop,
                ),
            )
        _check_none(bad, len(rows), "unlabelled")
        return suspicion, probabilities

    def _probabilities(self, rows: Positions) -> Probabilities:
        out = np.empty((len(rows), len(self._classifier.classes)))
        for part, found in self._parts(rows):
            out[part] = self._classifier.predict_proba(found)
        return out

    def _parts(self, rows: Positions) -> Iterator[tuple[slice, Features]]:
        view = RowView(self._features, rows)
        for part in chunks(len(rows), PREDICTED_AT_A_TIME):
            check_stop(self._should_stop, "selecting")
            yield part, view[part]

    def _counts(self, known_probabilities: Probabilities | None) -> Scores | None:
        """Labels of each class; expected ones where no labels are at hand."""
        classes = len(self._classifier.classes)
        if self._labels is not None:
            given = self._labels[self._labels >= 0]
            return np.bincount(given, minlength=classes).astype(np.float64)
        return None if known_probabilities is None else known_probabilities.sum(axis=0)

    def _committee(self, rows: Positions) -> NDArray[np.float32]:
        """(members, n, classes) of a modAL committee on bootstrap samples of the labels."""
        given = np.flatnonzero(self._labels >= 0) if self._labels is not None else self._known[:0]
        if self._labels is None or len(given) == 0:
            raise NoLabels(
                "Strategy committee trains classifiers on samples of the labels: give select() "
                "labels= of the records labelled so far."
            )
        rng = np.random.default_rng(self._seed)
        names = self._classifier.classes_
        members = []
        for member in range(MEMBERS):
            check_stop(self._should_stop, "training a committee")
            drawn = rng.choice(given, len(given))
            learner = RecordClassifier(
                self._classifier.layout, self._classifier.classes, seed=self._seed + member
            )
            learner.fit(
                self._features[drawn],
                names[self._labels[drawn]],
                warm_start=self._classifier,
                should_stop=self._should_stop,
            )
            members.append(ModalLearner(learner))
        committee = Committee(members)
        out = np.empty((MEMBERS, len(rows), len(names)), dtype=np.float32)
        for part, found in self._parts(rows):
            out[:, part] = committee.vote_proba(found).transpose(1, 0, 2)
        return out

    def _dropout(self, rows: Positions) -> NDArray[np.float32]:
        """(samples, n, classes): each sample drops half of the head's inputs for all rows alike."""
        parts = self._classifier.fitted_
        assert parts is not None
        rng = np.random.default_rng(self._seed)
        kept = rng.random((DROPOUT_SAMPLES, len(parts.heads.weights))) >= DROPOUT_RATE
        weights, biases, classes = parts.heads.weights, parts.heads.biases, parts.heads.classes
        heads = [
            LogisticHeads(weights * mask[:, None] / (1.0 - DROPOUT_RATE), biases, classes)
            for mask in kept
        ]
        out = np.empty((DROPOUT_SAMPLES, len(rows), classes), dtype=np.float32)
        for part, found in self._parts(rows):
            embeddings, signals = self._classifier.layout.split(found)
            faults = parts.faults.predict_proba(signals.cells)
            design = parts.design.transform(embeddings, signals, faults)
            for sample, head in enumerate(heads):
                out[sample, part] = softmax(
                    divide_by_temperature(head.logits(design)[0], parts.temperature)
                )
        return out


def check_finite(features: FeatureRows, rows: Positions, what: str) -> None:
    """Returns if every value of the rows (m,) of ``features`` (n, width) is finite.

    Raises:
        NonFiniteFeatures: some are not; the message says in how many rows.
    """
    view = RowView(features, rows)
    bad = sum(_rows_not_finite(view[part]) for part in chunks(len(rows), PREDICTED_AT_A_TIME))
    _check_none(bad, len(rows), what)


def _rows_not_finite(found: Features) -> int:
    """How many of the (m, width) rows hold NaN or infinity."""
    with np.errstate(all="ignore"):
        suspect = np.flatnonzero(~np.isfinite(found @ np.ones(found.shape[1], np.float32)))
    return int((~np.isfinite(found[suspect])).any(axis=1).sum())


def _check_none(bad: int, count: int, what: str) -> None:
    if bad:
        raise NonFiniteFeatures(
            f"X holds NaN or infinite values in {bad:,} of {count:,} {what} rows: embed these "
            "records again or leave them out of the pool."
        )
