"""A cell that stands in a row for a value that cannot be had."""

from dataclasses import dataclass


@dataclass(frozen=True)
class UnreadableCell:
    """Stands in a row for a cell whose value cannot be had: what is written there, and why."""

    text: str
    reason: str

    def __str__(self) -> str:
        return self.text
