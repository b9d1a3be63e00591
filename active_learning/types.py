"""Names for the arrays and small values that pass between the parts of the library."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from active_learning.exceptions import Cancelled

RecordId: TypeAlias = int
Fields: TypeAlias = Mapping[str, Any]
"""Field name to value, in the order in which the record is shown."""

Embeddings: TypeAlias = NDArray[np.float32]
"""(n, dimension), every row of length one."""
Features: TypeAlias = NDArray[np.float32]
"""(n, width): embedding, record signals and cell signals side by side."""


class FeatureRows(Protocol):
    """A feature matrix that is read by rows: ``Features`` in memory, or one that lies on disk.

    ``X[rows]`` is (m, width) float32 for a slice or for positions, ``X[rows, first:second]`` some
    of the columns; nothing else is asked of it, and never all rows at once where they may be many.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, width)."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: Any, /) -> Any: ...


Probabilities: TypeAlias = NDArray[np.float64]
"""(n, classes), each value between 0 and 1."""
Scores: TypeAlias = NDArray[np.float64]
"""(n,), larger means more worth labelling."""
Marks: TypeAlias = NDArray[np.int8]
"""1 yes, 0 no, -1 not answered."""
Positions: TypeAlias = NDArray[np.intp]
"""Row positions; they never leave the library."""

Progress: TypeAlias = Callable[[float, str], None]
"""Called with (share done from 0 to 1, what is being done)."""
ShouldStop: TypeAlias = Callable[[], bool]
"""True asks the running call to stop; it raises Cancelled."""


def silent(fraction: float, message: str) -> None:
    """The progress callback of callers that do not watch."""


def never() -> bool:
    """The cancellation hook of callers that do not cancel."""
    return False


def check_stop(should_stop: ShouldStop, doing: str) -> None:
    """Returns if the caller wants the work to go on.

    Raises:
        Cancelled: the caller asked to stop.
    """
    if should_stop():
        raise Cancelled(f"Stopped on request while {doing}.")


_CLASS = re.compile("\ufdd0(.*?)\ufdd1", re.DOTALL)
"""A class's name between two code points that Unicode leaves to programs and no text has."""


def class_mention(name: str) -> str:
    """The name of a class inside the words of a ``Reason``."""
    return f"\ufdd0{name}\ufdd1"


@dataclass(frozen=True)
class Reason:
    """Why, in words, for people who read English or Chinese.

    Classes that the words name with ``class_mention`` can be replaced by their titles.

    >>> reason = Reason(f"may be {class_mention('p1')}", f"可能为 {class_mention('p1')}")
    >>> reason.en
    'may be p1'
    >>> reason.with_titles({"p1": "poor"}, {"p1": "差"})
    Reason(en='may be poor', zh='可能为 差')
    """

    en: str
    zh: str
    _marked: tuple[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_marked", (self.en, self.zh))
        object.__setattr__(self, "en", _CLASS.sub(r"\1", self.en))
        object.__setattr__(self, "zh", _CLASS.sub(r"\1", self.zh))

    def with_titles(self, en: Mapping[str, str], zh: Mapping[str, str]) -> "Reason":
        """The same words with the classes' titles; a class without one keeps its name."""
        english, chinese = self._marked
        return Reason(
            _CLASS.sub(lambda found: en.get(found[1], found[1]), english),
            _CLASS.sub(lambda found: zh.get(found[1], found[1]), chinese),
        )

    def within(self, en: str, zh: str) -> "Reason":
        """These words around it: it stands where they have ``{}``."""
        english, chinese = self._marked
        return Reason(en.replace("{}", english), zh.replace("{}", chinese))


@dataclass(frozen=True)
class RecordPredictions:
    """What a classifier says about the same n records, calibrated."""

    grades: Probabilities
    """(n, classes), rows sum to one."""
    issues: Probabilities
    """(n, issues), each on its own."""
    faulty_fields: Probabilities
    """(n, fields), each on its own."""


@dataclass(frozen=True)
class SelectedBatch:
    """Records to be labelled next: the random audit part first, then by usefulness."""

    record_ids: list[RecordId]
    scores: list[float]
    reasons: list[Reason]
    is_audit: list[bool]

    def __len__(self) -> int:
        return len(self.record_ids)
