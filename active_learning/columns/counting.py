"""Reads the values of a column once and counts what is in them, in bounded memory."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

import numpy as np

from active_learning.columns.profile import ColumnProfile
from active_learning.columns.value_parsing import (
    TEXT_LIMIT,
    day_of,
    exact_shape_of,
    number_of,
    shape_of,
    tokens_of,
    trigrams_of,
)

COUNTER_LIMIT = 300_000
"""Distinct keys that a counter keeps; beyond it the rarest are forgotten. Chosen: bounds memory."""
SAMPLE_SIZE = 5_000
"""Values of a column whose ranges are measured: a median of so many lies, 19 times in 20, within
1.4 % of the ranks around the true one."""
TEXTS_AT_A_TIME = 50_000
"""Different values whose shapes and pieces are counted together: each is taken apart once. Chosen:
bounds memory."""
PIECES_AT_A_TIME = 100_000
"""Chosen: bounds the list of pieces that waits to be counted."""


class BoundedCounter:
    """Counts keys in bounded memory: when too many, keys seen once are forgotten first."""

    def __init__(self, limit: int = COUNTER_LIMIT) -> None:
        self._limit = limit
        self.counts: Counter[str] = Counter()

    def add(self, keys: Iterable[str] | Mapping[str, int]) -> None:
        """The keys are counted, each once or so often as the mapping says."""
        self.counts.update(keys)
        self._forget()

    def _forget(self) -> None:
        if len(self.counts) > 2 * self._limit:
            self.counts = Counter(dict(self.counts.most_common(self._limit)))

    def repetitions(self) -> dict[str, int]:
        """Keys seen twice or more; the others count as seen once."""
        return {key: count for key, count in sorted(self.counts.items()) if count >= 2}


class ColumnCounter:
    """Reads the values of one column once and becomes its profile."""

    def __init__(self) -> None:
        self._rows = self._missing = self.present = 0
        self._values, self._shapes = BoundedCounter(), BoundedCounter()
        self._exact_shapes, self._trigrams = BoundedCounter(), BoundedCounter()
        self._tokens, self._characters = BoundedCounter(), BoundedCounter()
        self._waiting: Counter[str] = Counter()
        self._sample: list[str] = []

    def add(self, texts: Sequence[str], places: Sequence[int]) -> None:
        """The values are counted, "" as missing.

        Args:
            texts: n values.
            places: (n,) where in the sample each is put in place of another; -1 for nowhere.
                The first ``SAMPLE_SIZE`` that are not missing are in it anyway.
        """
        self._rows += len(texts)
        counts = Counter(texts)
        missing = counts.pop("", 0)
        self._missing += missing
        self._sample_of(texts, places)
        self.present += len(texts) - missing
        self._waiting.update(counts)
        if len(self._waiting) > TEXTS_AT_A_TIME:
            self._take_apart()

    def _sample_of(self, texts: Sequence[str], places: Sequence[int]) -> None:
        """Reservoir sampling (Vitter 1985, algorithm R)."""
        if len(self._sample) < SAMPLE_SIZE:
            room = SAMPLE_SIZE - len(self._sample)
            self._sample += list(islice(filter(None, texts), room))
        for row, place in enumerate(places):
            if 0 <= place < SAMPLE_SIZE:
                self._sample[place] = texts[row]

    def _take_apart(self) -> None:
        """What waits is counted with its shapes and pieces."""
        waiting, self._waiting = self._waiting, Counter()
        self._values.add(waiting)
        shapes: Counter[str] = Counter()
        exact_shapes: Counter[str] = Counter()
        for text, count in waiting.items():
            shapes[shape_of(text)] += count
            exact_shapes[exact_shape_of(text)] += count
        self._shapes.add(shapes)
        self._exact_shapes.add(exact_shapes)
        for counter, pieces_of in (
            (self._trigrams, trigrams_of),
            (self._characters, _characters_of),
            (self._tokens, tokens_of),
        ):
            _count_pieces(counter, waiting, pieces_of)

    def profile(self, today: int) -> ColumnProfile:
        """What was read, with counts of one left out."""
        self._take_apart()
        present = max(len(self._sample), 1)
        numbers = [n for n in map(number_of, self._sample) if n is not None]
        days = [d for d in map(day_of, self._sample) if d is not None]
        logs = [float(np.sign(n) * np.log1p(abs(n))) for n in numbers]
        low, high = (float(d) for d in np.percentile(days or [0], [1, 99]))
        return ColumnProfile(
            rows=self._rows,
            missing=self._missing,
            distinct=len(self._values.counts),
            numeric_share=len(numbers) / present,
            date_share=len(days) / present,
            number_range=_range(numbers),
            log_range=_range(logs),
            day_range=(low, high, float(today)),
            length_range=_range([float(len(text)) for text in self._sample], floor=1.0),
            values=self._values.repetitions(),
            shapes=self._shapes.repetitions(),
            exact_shapes=self._exact_shapes.repetitions(),
            trigrams=self._trigrams.repetitions(),
            tokens=self._tokens.repetitions(),
            characters=self._characters.repetitions(),
        )


def _characters_of(text: str) -> str:
    return text[:TEXT_LIMIT]


def _count_pieces(
    counter: BoundedCounter,
    texts: Mapping[str, int],
    pieces_of: Callable[[str], Iterable[str]],
) -> None:
    """Every piece of a text counts as often as the text, however often it is in it."""
    once: list[str] = []
    often: Counter[str] = Counter()
    for text, count in texts.items():
        if count == 1:
            once.extend(set(pieces_of(text)))
            if len(once) > PIECES_AT_A_TIME:
                counter.add(once)
                once = []
        else:
            for piece in set(pieces_of(text)):
                often[piece] += count
    counter.add(once)
    counter.add(often)


def _range(numbers: list[float], floor: float = 1e-6) -> tuple[float, float]:
    """Median and spread: 1.4826 MAD, or the standard deviation where more than half are equal."""
    if not numbers:
        return 0.0, 1.0
    array = np.asarray(numbers)
    median = float(np.median(array))
    spread = 1.4826 * float(np.median(np.abs(array - median)))
    if spread < floor:
        spread = float(array.std())
    return median, max(spread, floor)
