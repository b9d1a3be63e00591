"""Signals of a record against its columns: errors that only show beside the other records.

A typing slip in a category, a size or a date reads well alone; it is rare in its column, has a
character group that the column hardly uses, or is one slip away from a frequent value. The
signals name no column and no type, so one model can be pooled over all columns.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import blake2b, sha256
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from active_learning.columns.counting import SAMPLE_SIZE, BoundedCounter, ColumnCounter
from active_learning.columns.profile import VALUE_SIGNALS, ColumnProfile
from active_learning.columns.relations import RELATION_SIGNALS, Coded, ColumnRelations
from active_learning.columns.value_parsing import is_missing_word, text_of
from active_learning.exceptions import ArtifactCorrupt, NoLabels
from active_learning.types import Fields, Progress, Reason, ShouldStop, check_stop, never, silent

FORMAT = 2
"""Of the file; raised when what is written can no longer be read by what read it before."""
RELATION_SAMPLE = 20_000
"""Records in which relations are looked for: a share of 0.75 of so many is known to within 0.006
(95 %), and a value that one record in a thousand has is there about twenty times."""
PIECE = 4_096
"""Records at a time: enough that numpy's calls cost nothing beside the values."""
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
        self._fingerprint: str | None = None

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
        for piece in _pieces(records):
            check_stop(should_stop, "profiling the columns")
            names = names or tuple(piece[0])
            counters = counters or [ColumnCounter() for _ in names]
            columns = [[text_of(record.get(name)) for record in piece] for name in names]
            places = _sample_places(columns, [c.present for c in counters], seen, rng)
            for counter, texts, taken in zip(counters, columns, places.T, strict=False):
                counter.add(texts, taken.tolist())
            rows = list(map(list, zip(*columns, strict=True)))
            keys.add(map(_digest, rows))
            for row, place in zip(rows, places[:, -1].tolist(), strict=True):
                if len(sample) < RELATION_SAMPLE:
                    sample.append(row)
                elif 0 <= place < RELATION_SAMPLE:
                    sample[place] = row
            seen += len(piece)
            progress(
                0.5, Reason.ngettext("profiled {n:,} record", "profiled {n:,} records", n=seen)
            )
        if not counters:
            raise NoLabels("There is no record to profile; import records first.")
        last_day = (today or date.max).toordinal()
        profiles = [counter.profile(last_day) for counter in counters]
        relations = ColumnRelations.fit(sample, len(names), should_stop)
        progress(1.0, Reason.ngettext("profiled {n:,} record", "profiled {n:,} records", n=seen))
        return cls(names, profiles, relations, keys.repetitions(), seen)

    def transform(
        self,
        records: Iterable[Fields],
        progress: Progress = silent,
        should_stop: ShouldStop = never,
    ) -> Signals:
        """Signals of the records; fields that the fit did not know are ignored."""
        found: list[Signals] = []
        done = 0
        for piece in _pieces(records):
            check_stop(should_stop, "computing column signals")
            progress(
                0.5, Reason.ngettext("signals of {n:,} record", "signals of {n:,} records", n=done)
            )
            found.append(self._transform(piece))
            done += len(piece)
        if not found:
            return self._transform([])
        return Signals(
            np.concatenate([each.record for each in found]),
            np.concatenate([each.cells for each in found]),
        )

    def _transform(self, records: Sequence[Fields]) -> Signals:
        """Signals of a piece; each different value of a column is looked at once."""
        width = len(VALUE_SIGNALS)
        cells = np.zeros((len(records), len(self.fields), len(CELL_SIGNALS)), dtype=np.float32)
        columns: list[Coded] = []
        for place, (name, profile) in enumerate(zip(self.fields, self._profiles, strict=True)):
            values = [record.get(name) for record in records]
            coded = Coded.of([text_of(value) for value in values])
            columns.append(coded)
            cells[:, place, :width] = profile.signals(coded.values)[coded.codes]
            for row in np.flatnonzero(~coded.is_present[coded.codes]).tolist():
                cells[row, place, _MISSING_WORD] = is_missing_word(values[row])
        cells[:, :, width:] = self._relations.signals(columns)
        texts = zip(*([c.values[code] for code in c.codes.tolist()] for c in columns), strict=True)
        copies = [self._duplicates.get(_digest(row), 1) for row in texts] or [1] * len(records)
        summary = np.concatenate(
            [
                cells.max(axis=1),
                cells.mean(axis=1),
                np.log(np.asarray(copies, dtype=np.float64)).reshape(-1, 1),
                cells[:, :, 0].sum(axis=1, keepdims=True),
            ],
            axis=1,
            dtype=np.float32,
        )
        return Signals(summary, cells)

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
                raise ArtifactCorrupt(Reason("Column signals have another format: fit again."))
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
            why = Reason("Column signals cannot be read ({error}); fit again.", error=error)
            raise ArtifactCorrupt(why) from error

    def fingerprint(self) -> str:
        """SHA-256 of the content: changes whenever the signals of some record may."""
        if self._fingerprint is None:
            self._fingerprint = sha256(self.to_json().encode()).hexdigest()
        return self._fingerprint

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
            why = Reason("Column signals {path} cannot be read: {error}", path=path, error=error)
            raise ArtifactCorrupt(why) from error


def _pieces(records: Iterable[Fields]) -> Iterator[list[Fields]]:
    """The records, so many at a time that numpy does the work, and no more are in memory."""
    source = iter(records)
    while piece := list(islice(source, PIECE)):
        yield piece


def _sample_places(
    columns: Sequence[Sequence[str]],
    present: Sequence[int],
    seen: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """(n, columns + 1) where each value goes in its column's sample, and each record in that of
    the relations; -1 for nowhere.

    Args:
        columns: of n texts each.
        present: values of each column that came before and were not missing.
        seen: records that came before.
        rng: asked in the order of the records, so that pieces of any size draw the same sample.
    """
    n = len(columns[0]) if columns else 0
    numbers = np.zeros((n, len(columns) + 1), dtype=np.int64)
    for place, (texts, before) in enumerate(zip(columns, present, strict=True)):
        is_present = np.fromiter(map(bool, texts), dtype=bool, count=n)
        count = before + np.cumsum(is_present)
        numbers[:, place] = np.where(is_present & (count > SAMPLE_SIZE), count, 0)
    records = seen + 1 + np.arange(n)
    numbers[:, -1] = np.where(records > RELATION_SAMPLE, records, 0)
    is_drawn = numbers > 0
    places = np.full(numbers.shape, -1, dtype=np.int64)
    places[is_drawn] = rng.integers(numbers[is_drawn])
    return places


def _digest(texts: Sequence[str]) -> str:
    """Equal for records that say the same, whatever case and spaces."""
    joined = "\x1f".join(text.casefold().strip() for text in texts)
    return blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
