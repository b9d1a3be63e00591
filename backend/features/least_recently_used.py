"""What was used least recently goes first where memory is bounded."""

from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class LeastRecentlyUsed(Generic[Key, Value]):
    """Values by key, up to so many bytes; the value that was put or asked for last always stays.

    Args:
        limit: bytes of all values together.
        bytes_of: of one value; asked anew at every ``put``, for values grow.
    """

    def __init__(self, limit: int, bytes_of: Callable[[Value], int]) -> None:
        self._limit, self._bytes_of = limit, bytes_of
        self._values: dict[Key, Value] = {}

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Key]:
        """The keys of this moment, the one used last at the end."""
        return iter(list(self._values))

    def get(self, key: Key) -> Value | None:
        """The value, from now on the one used last; None where there is none."""
        value = self._values.pop(key, None)
        if value is not None:
            self._values[key] = value
        return value

    def put(self, key: Key, value: Value) -> None:
        """The value is kept; others have gone, if need be."""
        self._values.pop(key, None)
        self._values[key] = value
        sizes = {each: self._bytes_of(held) for each, held in self._values.items()}
        for each in list(self._values)[:-1]:
            if sum(sizes.values()) <= self._limit:
                return
            del self._values[each], sizes[each]

    def drop(self, is_stale: Callable[[Key], bool]) -> None:
        """Values of such keys are gone."""
        for key in [key for key in self._values if is_stale(key)]:
            del self._values[key]
