"""A sentence for people, as an English text that identifies it and the values that it names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any


@dataclass(frozen=True, init=False)
class Words:
    """The sentence; a value is a number, a text, other words, or several of these in a list.
    How a number is written stands in the text.

    >>> str(Words("{votes} of at least {least} answers.", votes=1, least=2))
    '1 of at least 2 answers.'
    """

    text: str
    values: Mapping[str, Any]

    def __init__(self, text: str, /, **values: Any) -> None:
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "values", values)

    def __str__(self) -> str:
        """In English."""
        if not self.values:
            return self.text
        told = {name: _in_a_row(each) for name, each in self.values.items()}
        return self.text.format(**told)

    def __hash__(self) -> int:
        return hash((self.text, repr(self.values)))


def sentences(told: Sequence[Words]) -> Words:
    """One sentence after the other; there is at least one."""
    return reduce(
        lambda before, next_one: Words("{fact} {remedy}", fact=before, remedy=next_one), told
    )


def _in_a_row(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


CLASS_NAME = "{class_name}"
"""The text of a class's name; who shows it may put the class's title there."""


def class_words(name: str) -> Words:
    """The name of a class inside other words."""
    return Words(CLASS_NAME, class_name=name)
