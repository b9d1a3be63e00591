"""Verdicts on disk: what a classifier says of n records, column by column.

The probabilities lie row by row, for reading a few records; what lists are filtered and sorted by
lies column by column, for reading all of them. A folder is written piece by piece under another
name, can be gone on with after a kill, and is there whole or not at all.
"""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning.exceptions import ArtifactCorrupt
from active_learning.row_file import RowFile
from active_learning.types import Positions, Reason, RecordPredictions
from active_learning.verdicts.measures import MARKED, doubt, risk

FORMAT = 1
"""Of the files; raised when what is written can no longer be read by what read it before."""
FACTS, DONE, IDS, PROBABILITIES = "facts.json", "done", "ids.i64", "probabilities.f32"
GRADES, CONFIDENCE, RISK, DOUBT, MARKS = (
    "grades.u2",
    "confidence.f32",
    "risk.f32",
    "doubt.f32",
    "marks.u1",
)


@dataclass(frozen=True)
class VerdictFacts:
    """Whose verdicts, about what, in which order."""

    records: int
    grades: tuple[str, ...]
    issues: tuple[str, ...]
    fields: tuple[str, ...]
    is_ordered: bool
    model_version: int
    """Number of the model version."""
    state: tuple[int, ...]
    """Of the records; changes whenever they do."""
    made_at: str
    """ISO 8601."""

    @property
    def width(self) -> int:
        """Probabilities of a record: grades, issues, faulty fields."""
        return len(self.grades) + len(self.issues) + len(self.fields)

    @property
    def marks(self) -> int:
        """Issues and faulty fields."""
        return len(self.issues) + len(self.fields)

    def is_of(self, other: "VerdictFacts") -> bool:
        """True if verdicts with either facts are the same, whenever they were made."""
        return replace(self, made_at="") == replace(other, made_at="")

    def is_comparable(self, other: "VerdictFacts") -> bool:
        """True if a record that is in both has the same verdict in both."""
        return self.is_of(replace(other, records=self.records, state=self.state))


class VerdictFiles:
    """Verdicts that are there whole.

    Raises:
        ArtifactCorrupt: there are none in the folder, or not as many as its facts say.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts = _read_facts(folder)
        self._probabilities = _probabilities(folder, self.facts)
        if len(self._probabilities) != self.facts.records:
            raise ArtifactCorrupt(
                Reason("{folder} does not hold the verdicts that it names.", folder=folder)
            )

    def __len__(self) -> int:
        return self.facts.records

    @cached_property
    def record_ids(self) -> NDArray[np.int64]:
        """(n,) ascending."""
        return self._column(IDS, np.int64)

    @cached_property
    def grades(self) -> NDArray[np.uint16]:
        """(n,) place of the most probable grade."""
        return self._column(GRADES, np.uint16)

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """(n,) probability of the most probable grade."""
        return self._column(CONFIDENCE, np.float32)

    @cached_property
    def risk(self) -> NDArray[np.float32]:
        """(n,) probability that the record is not of the best grade."""
        return self._column(RISK, np.float32)

    @cached_property
    def doubt(self) -> NDArray[np.float32]:
        """(n,) one less the margin between the two most probable grades."""
        return self._column(DOUBT, np.float32)

    @cached_property
    def _marks(self) -> NDArray[np.uint8]:
        shape = (self.facts.marks, len(self))
        return self._column(MARKS, np.uint8).reshape(shape)

    def has_issue(self, name: str) -> NDArray[np.bool_]:
        """(n,) whether the issue is more probable than not.

        Raises:
            ValueError: the verdicts know no such issue.
        """
        return self._is_marked(self.facts.issues.index(name))

    def is_faulty(self, field: str) -> NDArray[np.bool_]:
        """(n,) whether the field is more probably faulty than not.

        Raises:
            ValueError: the verdicts know no such field.
        """
        return self._is_marked(len(self.facts.issues) + self.facts.fields.index(field))

    def _is_marked(self, place: int) -> NDArray[np.bool_]:
        marks: NDArray[np.bool_] = self._marks[place].view(np.bool_)
        return marks

    def predictions(self, places: Positions | slice) -> RecordPredictions:
        """What is said of m records: (m, grades), (m, issues), (m, fields) float32."""
        rows = self._probabilities.read(places)
        first = len(self.facts.grades)
        second = first + len(self.facts.issues)
        return RecordPredictions(rows[:, :first], rows[:, first:second], rows[:, second:])

    def positions(self, record_ids: Sequence[int] | NDArray[np.int64]) -> Positions:
        """(m,) where these records are, -1 where they are not."""
        wanted = np.asarray(record_ids, dtype=np.int64)
        if not len(self):
            return np.full(len(wanted), -1, dtype=np.intp)
        places = np.minimum(np.searchsorted(self.record_ids, wanted), len(self) - 1)
        return np.where(self.record_ids[places] == wanted, places, -1)

    def _column(self, name: str, dtype: Any) -> NDArray[Any]:
        return np.fromfile(self.folder / name, dtype=dtype)


class VerdictWriter:
    """Writes verdicts piece by piece, and goes on where a killed one has ended.

    Args:
        folder: where they shall be.
        beside: where they are until then, on the same disk; nobody else writes there.
        facts: of what is written. A beginning of other records, or of another model version, is
            thrown away.
        record_ids: (n,) ascending.
    """

    def __init__(
        self, folder: Path, beside: Path, facts: VerdictFacts, record_ids: NDArray[np.int64]
    ) -> None:
        self._folder, self._beside, self._facts = folder, beside, facts
        if not self._goes_on(record_ids):
            self._begin(record_ids)
        self._files = {name: self._column(name, dtype, shape) for name, dtype, shape in self._all}

    @property
    def end(self) -> int:
        """Records whose verdicts are written."""
        try:
            return int((self._beside / DONE).read_text("ascii"))
        except (FileNotFoundError, ValueError):
            return 0

    def add(self, predictions: RecordPredictions) -> None:
        """The next records' verdicts are on disk."""
        start = self.end
        stop = start + len(predictions.grades)
        grades = predictions.grades
        values = {
            PROBABILITIES: np.concatenate(
                [grades, predictions.issues, predictions.faulty_fields], axis=1, dtype=np.float32
            ),
            GRADES: grades.argmax(axis=1),
            CONFIDENCE: grades.max(axis=1),
            RISK: risk(grades, is_ordered=self._facts.is_ordered),
            DOUBT: doubt(grades),
        }
        for name, part in values.items():
            self._files[name][start:stop] = part
        marks = np.concatenate([predictions.issues, predictions.faulty_fields], axis=1)
        self._files[MARKS][:, start:stop] = (marks >= MARKED).T
        for file in self._files.values():
            file.flush()
        _write(self._beside / DONE, str(stop))

    def finish(self) -> VerdictFiles:
        """The folder holds all of them; one that was there before is replaced."""
        self._files.clear()
        (self._beside / DONE).unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._beside.rename(self._folder)
        return VerdictFiles(self._folder)

    @property
    def _all(self) -> tuple[tuple[str, Any, tuple[int, ...]], ...]:
        n = self._facts.records
        return (
            (PROBABILITIES, np.float32, (n, self._facts.width)),
            (GRADES, np.uint16, (n,)),
            (CONFIDENCE, np.float32, (n,)),
            (RISK, np.float32, (n,)),
            (DOUBT, np.float32, (n,)),
            (MARKS, np.uint8, (self._facts.marks, n)),
        )

    def _goes_on(self, record_ids: NDArray[np.int64]) -> bool:
        try:
            begun = _read_facts(self._beside)
            ids = np.fromfile(self._beside / IDS, dtype=np.int64)
        except (ArtifactCorrupt, FileNotFoundError):
            return False
        return begun.is_of(self._facts) and np.array_equal(ids, record_ids)

    def _begin(self, record_ids: NDArray[np.int64]) -> None:
        shutil.rmtree(self._beside, ignore_errors=True)
        self._beside.mkdir(parents=True)
        np.asarray(record_ids, dtype=np.int64).tofile(self._beside / IDS)
        for name, dtype, shape in self._all:
            size = int(np.prod(shape)) * np.dtype(dtype).itemsize
            with (self._beside / name).open("wb") as file:
                file.truncate(size)
        _write(self._beside / FACTS, json.dumps({"format": FORMAT, **asdict(self._facts)}))

    def _column(self, name: str, dtype: Any, shape: tuple[int, ...]) -> Any:
        if not np.prod(shape):
            return _Nothing(shape, dtype)
        return np.memmap(self._beside / name, dtype=dtype, mode="r+", shape=shape)


class _Nothing(np.ndarray[Any, Any]):
    """An array of no values, which cannot be mapped."""

    def flush(self) -> None:
        """Nothing to write."""


def _probabilities(folder: Path, facts: VerdictFacts) -> RowFile:
    return RowFile(folder / PROBABILITIES, np.float32, facts.width)


def _read_facts(folder: Path) -> VerdictFacts:
    try:
        found = json.loads((folder / FACTS).read_text("utf-8"))
        if found.pop("format") != FORMAT:
            raise ArtifactCorrupt(Reason("{folder} has another format.", folder=folder))
        names = ("grades", "issues", "fields", "state")
        return VerdictFacts(**{**found, **{name: tuple(found[name]) for name in names}})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactCorrupt(
            Reason("There are no verdicts in {folder}: {error}", folder=folder, error=error)
        ) from error


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
