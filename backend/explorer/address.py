"""The explorer's state is its address: what is filtered, how it is sorted, from where on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from pydantic import ValidationError

from backend.core.exceptions import InvalidInput
from backend.core.request_body import LARGEST_OFFSET
from backend.explorer.page_words import FILTER_NAMES
from backend.scoring.verdict_filter import VerdictFilter, VerdictOrder
from backend.words import Message

Pair = tuple[str, str]
LISTS = tuple(
    name for name, field in VerdictFilter.model_fields.items() if field.default_factory is list
)
"""Filters that may be there several times."""
FILTERS = tuple(VerdictFilter.model_fields)
FIRST = VerdictOrder.model_fields["sort"].default
"""How the list is sorted where nobody says so."""
NEW_FIELD, NEW_OPERATOR, NEW_VALUE = "field", "operator", "value"
"""The form's condition on a column, which becomes a ``where``."""


@dataclass(frozen=True)
class Address:
    """A query string that has been read.

    ``pairs`` are its filters and its order, without what is empty or as by default: the same choice
    has the same pairs.
    """

    wanted: VerdictFilter
    order: VerdictOrder
    pairs: tuple[Pair, ...]
    offset: int = 0
    error: InvalidInput | None = None
    """What of it cannot be; the choice is then without any filter, the pairs are as they came."""

    @classmethod
    def read(cls, given: Iterable[Pair]) -> "Address":
        """The address with these names and values; unknown names are left out."""
        items = [(name, value) for name, value in given if value.strip()]
        pairs = [(name, value) for name, value in items if name in {*FILTERS, "sort"}]
        said = dict(items)
        if NEW_FIELD in said:
            condition = (said[NEW_FIELD], said.get(NEW_OPERATOR, "="), said.get(NEW_VALUE, ""))
            pairs.append(("where", "".join(condition)))
        pairs = list(dict.fromkeys(pairs))
        offset = said.get("offset", "0")
        place = int(offset) if offset.isdecimal() else 0
        values: dict[str, Any] = dict(pairs)
        values |= {name: _all(pairs, name) for name in LISTS if name in values}
        try:
            wanted = VerdictFilter.model_validate(values)
            order = VerdictOrder.model_validate(values)
        except ValidationError as error:
            return cls(VerdictFilter(), VerdictOrder(), tuple(pairs), 0, _refusal(error))
        return cls(wanted, order, pairs_of(wanted, order), min(place, LARGEST_OFFSET))

    @classmethod
    def of_query(cls, query: str) -> "Address":
        """The address with that query string."""
        return cls.read(parse_qsl(query, keep_blank_values=True))

    @property
    def query(self) -> str:
        """The query string that says all of it but the place."""
        return urlencode(self.pairs)

    @property
    def is_filtered(self) -> bool:
        """True where not every record is wanted."""
        return any(name != "sort" for name, _ in self.pairs)

    def typed_value(self, name: str) -> str:
        """The value of that name as it came, also a wrong one; empty for none."""
        return next((value for other, value in self.pairs if other == name), "")

    def has(self, name: str, value: str) -> bool:
        """True where that filter is on."""
        return (name, value) in self.pairs

    def but(self, *names: str) -> tuple[Pair, ...]:
        """The pairs without those of these names."""
        return tuple(pair for pair in self.pairs if pair[0] not in names)

    def with_pairs(self, changes: Sequence[Pair], *, instead_of: Sequence[str] = ()) -> str:
        """The query string with these pairs, without the others of some names."""
        return urlencode((*self.but(*instead_of), *changes))

    def toggle(self, name: str, value: str) -> str:
        """The query string with the filter on where it is off, and off where it is on."""
        pair = (name, value)
        if pair in self.pairs:
            return self.without(name, value)
        return urlencode((*self.pairs, pair))

    def without(self, name: str, value: str) -> str:
        """The query string without that filter."""
        return urlencode([each for each in self.pairs if each != (name, value)])

    def filter_without(self, *names: str) -> VerdictFilter:
        """The filter without the conditions of these names."""
        return VerdictFilter.model_validate(self.wanted.model_dump(exclude={*names}))


def pairs_of(wanted: VerdictFilter, order: VerdictOrder) -> tuple[Pair, ...]:
    """Names and values that say this choice, without what is as by default."""
    pairs: list[Pair] = []
    for name, field in VerdictFilter.model_fields.items():
        value = getattr(wanted, name)
        if name in LISTS:
            pairs += [(name, str(each)) for each in dict.fromkeys(value)]
        elif value != field.default:
            pairs.append((name, _text_of(value)))
    if order.sort != FIRST:
        pairs.append(("sort", order.sort))
    return tuple(pairs)


def _text_of(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _all(pairs: Sequence[Pair], name: str) -> list[str]:
    return [value for other, value in pairs if other == name]


def _refusal(error: ValidationError) -> InvalidInput:
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else "?"
    return InvalidInput(
        Message(
            "The filter {name} cannot be {value!r}.",
            name=Message(FILTER_NAMES[name]) if name in FILTER_NAMES else name,
            value=first["input"],
        ),
        field=name,
        value=first["input"],
        remedy=Message("Remove that filter, or choose it in the lists."),
    )
