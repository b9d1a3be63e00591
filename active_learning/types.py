"""Names for the arrays and small values that pass between the parts of the library."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
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

Progress: TypeAlias = Callable[[float, "Reason"], None]
"""Called with (share done from 0 to 1, what is being done)."""
ShouldStop: TypeAlias = Callable[[], bool]
"""True asks the running call to stop; it raises Cancelled."""


def silent(fraction: float, message: object) -> None:
    """The progress callback of callers that do not watch."""


def never() -> bool:
    """The cancellation hook of callers that do not cancel."""
    return False


def check_stop(should_stop: ShouldStop, doing: str) -> None:
    """Returns if the caller wants the work to go on; ``doing`` is such as ``training``.

    Raises:
        Cancelled: the caller asked to stop.
    """
    if should_stop():
        raise Cancelled(Reason("Stopped on request while {doing}.", doing=Reason(doing)))


LookUp: TypeAlias = Callable[[str, str | None, Any], str]
"""From an English text, its plural if it has one, and the number: the words of a language."""


@dataclass(frozen=True, init=False)
class Reason:
    """Why, or what is being done: an English text that identifies the sentence, and its values.

    A value is a number, a text, another reason, or several of these in a list; other things
    become text, ``None`` is said as such. How a number is written stands in the text, so that a
    language may write it otherwise.

    >>> str(Reason("margin {margin:.2f} between {classes}", margin=0.1, classes=["good", "fair"]))
    'margin 0.10 between good, fair'
    >>> str(Reason.ngettext("{n} round", "{n} rounds", n=3))
    '3 rounds'
    """

    text: str
    values: Mapping[str, Any]
    plural: str | None = None

    def __init__(self, text: str, /, **values: Any) -> None:
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "values", {name: _plain(each) for name, each in values.items()})
        object.__setattr__(self, "plural", None)

    @classmethod
    def ngettext(cls, one: str, many: str, /, *, n: int, **values: Any) -> "Reason":
        """``one`` where the language says so of ``n`` things, else ``many``."""
        reason = cls(one, n=n, **values)
        object.__setattr__(reason, "plural", many)
        return reason

    def __str__(self) -> str:
        """In English."""
        return self.render(english)

    def __hash__(self) -> int:
        return hash((self.text, self.plural, repr(self.values)))

    def render(self, look_up: LookUp) -> str:
        """In the words that ``look_up`` finds for the texts."""
        words = look_up(self.text, self.plural, self.values.get("n"))
        if not self.values:
            return words
        return words.format(**{name: _tell(each, look_up) for name, each in self.values.items()})

    def to_json(self) -> dict[str, Any]:
        """Text, plural if it has one, and values, each of these the same way."""
        plural = {} if self.plural is None else {"plural": self.plural}
        return {"text": self.text, **plural, "values": _as_json(self.values)}


def english(text: str, plural: str | None, number: Any) -> str:
    """The look-up that needs no catalogue."""
    return text if plural is None or number == 1 else plural


CLASS_NAME = "{class_name}"
"""The text of a class's name; who shows it may put the class's title there."""


def class_mention(name: str) -> Reason:
    """The name of a class inside a reason."""
    return Reason(CLASS_NAME, class_name=name)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, Reason | str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, Iterable):
        return [_plain(each) for each in value]
    return str(value)


def _tell(value: Any, look_up: LookUp) -> Any:
    if isinstance(value, list):
        return look_up(", ", None, None).join(str(_tell(each, look_up)) for each in value)
    return value.render(look_up) if isinstance(value, Reason) else value


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _as_json(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    return value.to_json() if isinstance(value, Reason) else value


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
