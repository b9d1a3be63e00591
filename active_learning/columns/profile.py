"""What is usual in one column, and how far a value is from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from active_learning.columns.near_values import NearFrequent
from active_learning.columns.value_parsing import (
    TEXT_LIMIT,
    character_shares,
    day_of,
    exact_shape_of,
    first_second_last,
    number_of,
    odd_characters,
    shape_of,
    tokens_of,
    trigrams_of,
)

REMEMBERED = 20_000
"""Values a column whose signals are kept for the next time: 5 MB. Chosen: bounds memory."""

VALUE_SIGNALS = (
    "missing",
    "value_rarity",
    "shape_rarity",
    "exact_shape_rarity",
    "length_deviation",
    "not_a_number",
    "number_deviation",
    "not_a_date",
    "date_out_of_range",
    "future",
    "rarest_trigram",
    "rare_trigram_share",
    "rare_trigrams",
    "rarest_token",
    "near_frequent_value",
    "near_frequent_token",
    "odd_characters",
    "repeated_key",
    "column_distinctness",
    "column_missing",
    "column_numeric",
    "length",
    "missing_word",
    "rarest_character",
    "digit_share",
    "letter_share",
    "capital_share",
    "foreign_share",
    "first_number",
    "second_number",
    "last_number",
    "words",
)


@dataclass
class ColumnProfile:
    """Frequencies and ranges of one column, as JSON-ready values."""

    rows: int = 0
    missing: int = 0
    distinct: int = 0
    numeric_share: float = 0.0
    date_share: float = 0.0
    number_range: tuple[float, float] = (0.0, 1.0)
    """Median and spread (1.4826 x median absolute deviation) of the numbers."""
    log_range: tuple[float, float] = (0.0, 1.0)
    day_range: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """1st and 99th percentile of the days, and the reference day of the fit."""
    length_range: tuple[float, float] = (0.0, 1.0)
    values: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, int] = field(default_factory=dict)
    exact_shapes: dict[str, int] = field(default_factory=dict)
    trigrams: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    characters: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._memory: dict[str, NDArray[np.float32]] = {}
        self._token_ratios: dict[str, float] = {}

    @cached_property
    def _near_values(self) -> NearFrequent:
        return NearFrequent(self.values, longest=60)

    @cached_property
    def _near_tokens(self) -> NearFrequent:
        words = {token: count for token, count in self.tokens.items() if not token[0].isdigit()}
        return NearFrequent(words, longest=30)

    def signals(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, len(VALUE_SIGNALS)) signals of n values of this column; always finite."""
        if len(self._memory) > REMEMBERED:
            self._memory.clear()
        if len(self._token_ratios) > REMEMBERED:
            self._token_ratios.clear()
        known, memory = [], self._memory
        for text in texts:
            found = memory.get(text)
            if found is None:
                found = memory[text] = np.array(self._compute(text), dtype=np.float32)
            known.append(found)
        return np.stack(known) if known else np.zeros((0, len(VALUE_SIGNALS)), dtype=np.float32)

    def near_value(self, text: str) -> tuple[str, int] | None:
        """A clearly more frequent value one slip away, and its count."""
        return _more_frequent(self._near_values.nearest(text), self.values.get(text, 1))

    def near_token(self, token: str) -> tuple[str, int] | None:
        """A clearly more frequent word one slip away, and its count."""
        if token[0].isdigit():
            return None
        return _more_frequent(self._near_tokens.nearest(token), self.tokens.get(token, 1))

    def _compute(self, text: str) -> list[float]:
        rows = max(self.rows, 1)
        context = [
            self.distinct / rows,
            self.missing / rows,
            self.numeric_share,
        ]
        if not text:
            before = VALUE_SIGNALS.index("column_distinctness") - 1
            after = len(VALUE_SIGNALS) - before - 1 - len(context)
            return [1.0, *([0.0] * before), *context, *([0.0] * after)]
        count = self.values.get(text, 1)
        log_rows = _log1p(rows)
        shape = self.shapes.get(shape_of(text), 1)
        exact = self.exact_shapes.get(exact_shape_of(text), 1)
        number, day = number_of(text), day_of(text)
        trigram_counts = list(map(self.trigrams.get, trigrams_of(text), repeat(1)))
        rare_limit = max(2.0, rows * 3e-4)
        rare_trigrams = sum(map(rare_limit.__ge__, trigram_counts))
        tokens = [token for token in tokens_of(text) if not token[0].isdigit()]
        token_counts = list(map(self.tokens.get, tokens, repeat(1)))
        median, spread = self.number_range
        log_median, log_spread = self.log_range
        deviation = 0.0
        if number is not None and self.numeric_share > 0.5:
            plain = abs(number - median) / spread
            logarithmic = (
                abs(float(np.sign(number) * np.log1p(abs(number))) - log_median) / log_spread
            )
            deviation = float(np.log1p(min(plain, logarithmic * 3)))
            if number < 0 <= median - 6 * spread or (number <= 0 < median and count * 200 < rows):
                deviation += 1.0
        low_day, high_day, today = self.day_range
        outside = 0.0
        if day is not None and self.date_share > 0.5:
            outside = float(np.log1p(max(low_day - day, day - high_day, 0.0)))
        rarest_character = min(map(self.characters.get, set(text[:TEXT_LIMIT]), repeat(1)))
        length = len(text)
        mean_length, length_spread = self.length_range
        return [
            0.0,
            1.0 - _log1p(count) / log_rows,
            1.0 - _log1p(shape) / log_rows,
            1.0 - _log1p(exact) / log_rows,
            min(abs(length - mean_length) / length_spread, 10.0),
            self.numeric_share if number is None else 0.0,
            deviation,
            self.date_share if day is None else 0.0,
            outside,
            float(day is not None and self.date_share > 0.5 and day > today),
            1.0 - _log1p(min(trigram_counts)) / log_rows,
            rare_trigrams / len(trigram_counts),
            _log1p(rare_trigrams),
            1.0 - _log1p(min(token_counts)) / log_rows if token_counts else 0.0,
            self._near_values.ratio(text, count),
            max(map(self._token_ratio, tokens, token_counts), default=0.0),
            odd_characters(text),
            float(self.distinct > 0.9 * (rows - self.missing) and count >= 2),
            *context,
            _log1p(length),
            0.0,
            1.0 - _log1p(rarest_character) / log_rows,
            *character_shares(text),
            *first_second_last(text),
            _log1p(len(text.split())),
        ]

    def _token_ratio(self, token: str, count: int) -> float:
        found = self._token_ratios.get(token)
        if found is None:
            found = self._token_ratios[token] = self._near_tokens.ratio(token, count)
        return found


@lru_cache(maxsize=100_000)
def _log1p(count: int) -> float:
    """log(1 + count); counts repeat, and this is asked for ten times a value."""
    return float(np.log1p(count))


def _more_frequent(found: tuple[str, int] | None, count: int) -> tuple[str, int] | None:
    return None if found is None or found[1] < 5 * count else found
