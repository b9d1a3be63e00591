"""Rows of the past that are learnt again when the whole history no longer fits.

While it does fit, keep it: all labels with a warm start forget less than any buffer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.logistic_heads import OUT_OF_PLAY
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.exceptions import NoLabels, ShapeMismatch
from active_learning.types import Features, Marks, Progress, ShouldStop, never, silent


@dataclass(frozen=True)
class ReplayRows:
    """Labelled rows, in the order in which they came."""

    features: Features
    labels: NDArray[np.str_]
    marks: Marks
    """(n, width) answers that travel with the rows: issues, then faulty fields."""
    weights: NDArray[np.float64]
    """(n,) how many rows of its class, seen so far, each of them stands for."""

    def __len__(self) -> int:
        return len(self.labels)


class ReplayBuffer:
    """At most ``capacity`` rows; every row of a class that was seen is equally likely among them.

    Classes share the room evenly; what a rare class does not need goes to the others
    (class-balanced reservoir sampling, Chrysakis & Moens 2020). Each row draws one random priority
    when it comes, and a class keeps its rows of lowest priority (Vitter's reservoir as a bottom-k
    sketch), so the content depends on the order of the rows, not on how they were batched.

    Args:
        capacity: rows, at least 1.
        seed: of the priorities.
        marks: answers that travel with every row.
    """

    def __init__(self, capacity: int, *, seed: int = 0, marks: int = 0) -> None:
        if capacity < 1:
            raise ShapeMismatch(f"A replay buffer holds at least 1 row; capacity is {capacity}.")
        self.capacity = capacity
        self.seed = seed
        self.marks = marks
        self._features: Features | None = None
        self._labels: NDArray[np.str_] = np.zeros(0, dtype="<U1")
        self._marks: Marks = np.zeros((0, marks), dtype=np.int8)
        self._priorities: NDArray[np.float64] = np.zeros(0)
        self._seen: dict[str, int] = {}

    def __len__(self) -> int:
        """Rows held."""
        return len(self._labels)

    @property
    def class_counts(self) -> dict[str, int]:
        """Rows that came, by class, in the order in which the classes came."""
        return dict(self._seen)

    def add(
        self, rows: Features, labels: Sequence[str] | NDArray[np.str_], marks: Marks | None = None
    ) -> None:
        """The rows have come; which are held is drawn anew among all that came.

        Args:
            rows: (n, width), as wide as those before.
            labels: n classes.
            marks: (n, marks); all -1, not answered, by default.

        Raises:
            ShapeMismatch: arrays that do not belong together; the buffer is as it was.
        """
        given = np.asarray(list(labels), dtype=np.str_)
        nothing: Marks = np.full((len(given), self.marks), -1, np.int8)
        answers: Marks = nothing if marks is None else np.asarray(marks, dtype=np.int8)
        if rows.ndim != 2 or len(rows) != len(given):
            raise ShapeMismatch(f"Rows have shape {rows.shape}, labels are {len(given)}.")
        if self._features is not None and rows.shape[1] != self._features.shape[1]:
            raise ShapeMismatch(
                f"Rows have {rows.shape[1]} columns, the buffer holds {self._features.shape[1]}; "
                "after a change of encoder start a new buffer."
            )
        if answers.shape != nothing.shape:
            raise ShapeMismatch(f"Marks have shape {answers.shape}, needed is {nothing.shape}.")
        if not len(given):
            return
        priorities = self._priorities_of(len(given))
        for label in given.tolist():
            self._seen[label] = self._seen.get(label, 0) + 1
        labels_of_all = np.concatenate([self._labels, given])
        priorities_of_all = np.concatenate([self._priorities, priorities])
        kept = self._keep(labels_of_all, priorities_of_all)
        old, new = kept[kept < len(self)], kept[kept >= len(self)] - len(self)
        before = rows[:0] if self._features is None else self._features[old]
        self._features = np.concatenate([before, rows[new]]).astype(np.float32, copy=False)
        self._marks = np.concatenate([self._marks[old], answers[new]])
        self._labels, self._priorities = labels_of_all[kept], priorities_of_all[kept]

    def rows(self) -> ReplayRows:
        """All rows held, in the order in which they came.

        Raises:
            NoLabels: none came yet.
        """
        return self._rows_at(np.arange(len(self)))

    def sample(self, count: int, rng: np.random.Generator) -> ReplayRows:
        """``count`` of the rows held, every set of them equally likely.

        Their weights are those of :meth:`rows`, scaled to stand for all that was seen.

        Raises:
            NoLabels: fewer are held.
        """
        if count > len(self):
            raise NoLabels(
                f"{count} rows were asked of a replay buffer that holds {len(self)}: ask for no "
                "more than len(buffer)."
            )
        drawn = self._rows_at(np.sort(rng.permutation(len(self))[:count]))
        scale = len(self) / max(count, 1)
        weights: NDArray[np.float64] = drawn.weights * scale
        return ReplayRows(drawn.features, drawn.labels, drawn.marks, weights)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """All of its state, for ``np.savez`` without pickling."""
        nothing = np.zeros((0, 0), np.float32)
        return {
            "features": nothing if self._features is None else self._features,
            "labels": self._labels,
            "marks": self._marks,
            "priorities": self._priorities,
            "seen_classes": np.array(list(self._seen), dtype=np.str_),
            "seen_counts": np.array(list(self._seen.values()), dtype=np.int64),
            "capacity": np.array(self.capacity),
            "seed": np.array(self.seed),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The buffer whose :meth:`to_arrays` these are; it goes on as that one would have.

        Raises:
            ShapeMismatch: an array is missing or of another length.
        """
        try:
            marks = arrays["marks"]
            buffer = cls(
                int(arrays["capacity"]), seed=int(arrays["seed"]), marks=int(marks.shape[1])
            )
            labels = np.asarray(arrays["labels"], dtype=np.str_)
            lengths = {len(arrays[k]) for k in ("features", "labels", "marks", "priorities")}
            names, counts = arrays["seen_classes"].tolist(), arrays["seen_counts"].tolist()
            if len(lengths) != 1 or len(names) != len(counts) or len(labels) > buffer.capacity:
                raise ShapeMismatch(f"The arrays of a replay buffer differ in length: {lengths}.")
            if set(labels.tolist()) - set(names):
                raise ShapeMismatch("A replay buffer holds a class that it has not seen.")
            buffer._features = np.asarray(arrays["features"], np.float32) if len(labels) else None
            buffer._labels, buffer._marks = labels, np.asarray(marks, dtype=np.int8)
            buffer._priorities = np.asarray(arrays["priorities"], dtype=np.float64)
            buffer._seen = dict(zip(names, counts, strict=True))
        except KeyError as error:
            raise ShapeMismatch(f"The replay buffer has no array {error}.") from error
        return buffer

    def _priorities_of(self, count: int) -> NDArray[np.float64]:
        """The next priorities of the stream: one step of the generator each."""
        stream = np.random.PCG64(self.seed)
        stream.advance(sum(self._seen.values()))
        return np.random.Generator(stream).random(count)

    def _keep(self, labels: NDArray[np.str_], priorities: NDArray[np.float64]) -> NDArray[np.intp]:
        """Ascending places of the rows that stay."""
        quotas = shares(list(self._seen.values()), self.capacity)
        kept = []
        for name, quota in zip(self._seen, quotas, strict=True):
            places = np.flatnonzero(labels == name)
            kept.append(places[np.argsort(priorities[places], kind="stable")[:quota]])
        return np.sort(np.concatenate(kept))

    def _rows_at(self, places: NDArray[np.intp]) -> ReplayRows:
        if self._features is None:
            raise NoLabels("The replay buffer holds no row yet: add some first.")
        names, counts = np.unique(self._labels, return_counts=True)
        stands_for = {
            name: self._seen[name] / held
            for name, held in zip(names.tolist(), counts.tolist(), strict=True)
        }
        labels = self._labels[places]
        weights: NDArray[np.float64] = np.array([stands_for[one] for one in labels.tolist()], float)
        return ReplayRows(self._features[places], labels, self._marks[places], weights)


def shares(counts: Sequence[int], capacity: int) -> list[int]:
    """How many rows each class keeps: all of a small one, an even share of the rest of the room.

    No share ever grows while its class is over it, which is what lets a stream forget rows for
    good. Rows left over by rounding go to the classes that came first.
    """
    level, room, left = 0, capacity, len(counts)
    for count in sorted(counts):
        if count * left > room:
            level = room // left
            break
        room, left, level = room - count, left - 1, count
    quotas = [min(count, level) for count in counts]
    spare = capacity - sum(quotas)
    for place, count in enumerate(counts):
        if spare and count > quotas[place]:
            quotas[place], spare = quotas[place] + 1, spare - 1
    return quotas


def fit_with_replay(
    classifier: RecordClassifier,
    X: Features,
    y: Sequence[str] | NDArray[np.str_],
    buffer: ReplayBuffer,
    *,
    issues: Marks | None = None,
    faulty_fields: Marks | None = None,
    warm_start: RecordClassifier | None = None,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
) -> RecordClassifier:
    """The classifier has learnt the new rows and those of the buffer; the new ones are in it.

    Replayed rows weigh as many as they stand for, so the loss is an unbiased estimate of that of
    the whole history. The buffer was made with ``marks`` = issues + fields of the classifier, or
    with 0 where neither is ever given.

    Args:
        classifier: is fitted and returned.
        X: (n, width) rows that the buffer has not seen.
        y: n grades.
        buffer: of all rows before.
        issues: (n, issues), as in ``RecordClassifier.fit``.
        faulty_fields: (n, fields), likewise.
        warm_start: the classifier of the step before; one that knew a single grade is left out.
        progress, should_stop: likewise.

    Raises:
        NoLabels, UnknownLabel, ShapeMismatch, Cancelled: as ``RecordClassifier.fit``; the buffer
            is as it was.
    """
    width = len(classifier.issues) + len(classifier.layout.fields)
    has_marks = issues is not None or faulty_fields is not None
    if buffer.marks != width and (has_marks or buffer.marks):
        raise ShapeMismatch(
            f"The buffer keeps {buffer.marks} marks a row, the classifier answers {width}: make it "
            f"with marks={width}."
        )
    answers = _side_by_side(classifier, len(X), issues, faulty_fields)[:, : buffer.marks]
    features, labels, marks = X, np.asarray(list(y), dtype=np.str_), answers
    weights: NDArray[np.float64] = np.ones(len(X))
    if len(buffer):
        past = buffer.rows()
        features = np.concatenate([past.features, X])
        labels = np.concatenate([past.labels, labels])
        marks = np.concatenate([past.marks, answers])
        weights = np.concatenate([past.weights, weights])
    count = len(classifier.issues)
    known = None if warm_start is None or not _knows_a_choice(warm_start) else warm_start
    classifier.fit(
        features,
        labels,
        issues=marks[:, :count] if buffer.marks else None,
        faulty_fields=marks[:, count:] if buffer.marks else None,
        sample_weight=weights,
        warm_start=known,
        progress=progress,
        should_stop=should_stop,
    )
    buffer.add(X, y, answers)
    return classifier


def _knows_a_choice(classifier: RecordClassifier) -> bool:
    """Whether it tells two grades apart: scales chosen between fewer say nothing of the next."""
    heads = None if classifier.fitted_ is None else classifier.fitted_.heads
    return heads is not None and int((heads.biases[: heads.classes] > OUT_OF_PLAY).sum()) > 1


def _side_by_side(
    classifier: RecordClassifier, n: int, issues: Marks | None, faulty_fields: Marks | None
) -> Marks:
    widths = (len(classifier.issues), len(classifier.layout.fields))
    given = zip((issues, faulty_fields), widths, strict=True)
    return np.concatenate(
        [np.full((n, wide), -1, np.int8) if part is None else part for part, wide in given], axis=1
    )
