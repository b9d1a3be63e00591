"""Long lists of ids in parts that a statement can hold."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")

IDS_PER_QUERY = 500
"""Below the 999 parameters that SQLite allowed a statement before 3.32 (2020)."""


def parts(items: Sequence[Item], size: int = IDS_PER_QUERY) -> Iterator[Sequence[Item]]:
    """The items in order, at most ``size`` at a time; nothing for none."""
    return (items[start : start + size] for start in range(0, len(items), size))
