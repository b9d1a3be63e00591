"""Signals of a record against its columns: errors that only show beside the other records.

A typing slip in a category, a size or a date reads well alone; it is rare in its column, has a
character group that the column hardly uses, or is one slip away from a frequent value. The
signals name no column and no type, so one model can be pooled over all columns.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import blake2b, sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from active_learning.columns.profile import (
    VALUE_SIGNALS,
    BoundedCounter,
    ColumnCounter,
    ColumnProfile,
)
from active_learning.columns.relations import RELATION_SIGNALS, ColumnRelations
from active_learning.columns.value_parsing import is_missing_word, text_of
from active_learning.exceptions import ArtifactCorrupt, NoLabels
from active_learning.types import Fields, Progress, ShouldStop, check_stop, never, silent

FORMAT = 2
RELATION_SAMPLE = 20_000
CELL_SIGNALS = VALUE_SIGNALS + RELATION_SIGNALS
_MISSING_WORD = CELL_SIGNALS.index("missing_word")
_SUMMED = ("max", "mean")
RECORD_SIGNALS = (
    *(f"{how}_{name}" for how in _SUMMED for name in CELL_SIGNALS),
    "duplicates",
    "missing_fields",
)


@dataclass(frozen=True)
class Signals:
    """Signals of n records."""

    record: NDArray[np.float32]
    """(n, len(RECORD_SIGNALS))"""
    cells: NDArray[np.float32]
    """(n, fields, len(CELL_SIGNALS))"""


class ColumnSignals:
    """What is usual in each column and between columns, fitted in one streaming pass.

    ``fit`` holds a bounded number of distinct values and a seeded sample of records, so memory
    does not grow with the number of records.
    """

    def __init__(
        self,
        fields: Sequence[str],
        profiles: Sequence[ColumnProfile],
        relations: ColumnRelations,
        duplicates: dict[str, int],
        records: int,
    ) -> None:
        self.fields = tuple(fields)
        self.records = records
        self._profiles = list(profiles)
        self._relations = relations
        self._duplicates = duplicates

    @property
    def profiles(self) -> tuple[ColumnProfile, ...]:
        """What is usual in each column, in the order of ``fields``."""
        return tuple(self._profiles)

    @property
    def relations(self) -> ColumnRelations:
        """What holds between the columns."""
        return self._relations

    @classmethod
    def fit(
        cls,
        records: Iterable[Fields],
        *,
        fields: Sequence[str] | None = None,
        today: date | None = None,
        seed: int = 0,
        progress: Progress = silent,
        should_stop: ShouldStop = never,
    ) -> "ColumnSignals":
        """The usual of every column, from one pass over the records.

        Args:
            records: field name to value; read once, never kept as a whole.
            fields: columns to look at, in this order; the first record's fields by default.
            today: days after this one are in the future; the newest possible day by default.
            seed: of the samples that bound the memory.

        Raises:
            NoLabels: there is no record.
            Cancelled: ``should_stop`` answered True.
        """
        rng = np.random.default_rng(seed)
        names: tuple[str, ...] = tuple(fields or ())
        counters: list[ColumnCounter] = []
        sample: list[list[str]] = []
        keys = BoundedCounter()
        seen = 0
        for record in records:
            if not counters:
                names = names or tuple(record)
                counters = [ColumnCounter(rng) for _ in names]
            texts = [c.add(record.get(n)) for n, c in zip(names, counters, strict=True)]
            keys.add(_digest(texts))
            seen += 1
            if len(sample) < RELATION_SAMPLE:
                sample.append(texts)
            elif (place := int(rng.integers(seen))) < RELATION_SAMPLE:
                sample[place] = texts
            if seen % 2000 == 0:
                check_stop(should_stop, "profiling the columns")
                progress(0.5, f"profiled {seen:,} records")
        if not counters:
            raise NoLabels("There is no record to profile; import records first.")
        last_day = (today or date.max).toordinal()
        profiles = [counter.profile(last_day) for counter in counters]
        relations = ColumnRelations.fit(sample, len(names), should_stop)
        progress(1.0, f"profiled {seen:,} records")
        return cls(names, profiles, relations, keys.repeated(), seen)

    def transform(
        self,
        records: Iterable[Fields],
        progress: Progress = silent,
        should_stop: ShouldStop = never,
    ) -> Signals:
        """Signals of the records; fields that the fit did not know are ignored."""
        width = len(VALUE_SIGNALS)
        rows: list[NDArray[np.float32]] = []
        copies: list[float] = []
        for number, record in enumerate(records):
            if number % 2000 == 0:
                check_stop(should_stop, "computing column signals")
                progress(0.5, f"signals of {number:,} records")
            values = [record.get(name) for name in self.fields]
            texts = [text_of(value) for value in values]
            cells = np.empty((len(texts), len(CELL_SIGNALS)), dtype=np.float32)
            for place, (text, profile) in enumerate(zip(texts, self._profiles, strict=True)):
                cells[place, :width] = profile.signals(text)
                cells[place, _MISSING_WORD] = not text and is_missing_word(values[place])
            cells[:, width:] = self._relations.signals(texts)
            rows.append(cells)
            copies.append(float(np.log(self._duplicates.get(_digest(texts), 1))))
        shape = (len(rows), len(self.fields), len(CELL_SIGNALS))
        cell_signals = np.stack(rows) if rows else np.zeros(shape, dtype=np.float32)
        summary = np.concatenate(
            [
                cell_signals.max(axis=1),
                cell_signals.mean(axis=1),
                np.asarray(copies, dtype=np.float32).reshape(-1, 1),
                cell_signals[:, :, 0].sum(axis=1, keepdims=True),
            ],
            axis=1,
            dtype=np.float32,
        )
        return Signals(summary, cell_signals)

    def to_json(self) -> str:
        """Everything that ``from_json`` needs; equal signals give equal text."""
        return json.dumps(
            {
                "format": FORMAT,
                "fields": self.fields,
                "records": self.records,
                "profiles": [asdict(profile) for profile in self._profiles],
                "relations": asdict(self._relations),
                "duplicates": self._duplicates,
            },
            sort_keys=True,
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> "ColumnSignals":
        """The signals that ``to_json`` wrote.

        Raises:
            ArtifactCorrupt: not such a text, or of another format version.
        """
        try:
            stored = json.loads(text)
            if stored["format"] != FORMAT:
                raise ArtifactCorrupt(
                    f"Column signals have format {stored['format']}, this version reads {FORMAT}; "
                    "fit them again."
                )
            profiles = []
            for profile in stored["profiles"]:
                for name in ("number_range", "log_range", "day_range", "length_range"):
                    profile[name] = tuple(profile[name])
                profiles.append(ColumnProfile(**profile))
            relations = ColumnRelations(
                [
                    (a, b, {key: (value, share) for key, (value, share) in usual.items()})
                    for a, b, usual in stored["relations"]["dependencies"]
                ],
                [(a, b, kind) for a, b, kind in stored["relations"]["orders"]],
            )
            return cls(
                stored["fields"], profiles, relations, stored["duplicates"], stored["records"]
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactCorrupt(f"Column signals cannot be read ({error}); fit again.") from error

    def fingerprint(self) -> str:
        """SHA-256 of the content: changes whenever the signals of some record may."""
        return sha256(self.to_json().encode()).hexdigest()

    def save(self, path: Path) -> None:
        """The file holds these signals as JSON."""
        path.write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "ColumnSignals":
        """The signals that ``save`` wrote.

        Raises:
            ArtifactCorrupt: the file is missing or unreadable.
        """
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ArtifactCorrupt(f"Column signals {path} cannot be read: {error}") from error


def _digest(texts: Sequence[str]) -> str:
    """Equal for records that say the same, whatever case and spaces."""
    joined = "\x1f".join(text.casefold().strip() for text in texts)
    return blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
