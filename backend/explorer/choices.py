"""What the explorer's lists and chips lead to: each is a link to another address."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from backend.explorer.address import Address
from backend.explorer.page_words import DISAGREEMENT_NAMES, FILTER_NAMES
from backend.explorer.record_words import SOURCE_NAMES
from backend.models import Project
from backend.scoring.schemas import FacetValue, VerdictFacets
from backend.scoring.service import Verdicts
from labeling.label_schema import Titles

TRANSLATED = {"source": SOURCE_NAMES, "disagreement": DISAGREEMENT_NAMES}
PROBABILITIES = {"confidence_from", "confidence_to", "risk_from", "risk_to"}
SHOWN = 8
"""Values of a list before the rest is folded away. Chosen."""


@dataclass(frozen=True)
class ChoiceWords:
    """What values of filters are called in one language."""

    titles: Titles
    translate: Callable[[str], str]

    def value(self, name: str, value: str) -> str:
        """The caption of that value; names of people's own are never translated."""
        if name in {"grade", "label"}:
            return self.titles.grade(value)
        if name == "issue":
            return self.titles.issue(value)
        if name in TRANSLATED:
            return self.translate(TRANSLATED[name].get(value, value))
        if name in {"import_id", "record_id"}:
            return f"#{value}"
        return _percent(value) if name in PROBABILITIES else value


@dataclass(frozen=True)
class Chip:
    """One filter that is on, and the address without it."""

    name: str
    value: str
    query: str


@dataclass(frozen=True)
class FacetChoice:
    """One value to filter by."""

    caption: str
    count: int
    is_on: bool
    query: str


@dataclass(frozen=True)
class ChoiceList:
    """The values of one filter, with how many records each would leave."""

    name: str
    caption: str
    choices: tuple[FacetChoice, ...]

    @property
    def first_choices(self) -> tuple[FacetChoice, ...]:
        """Those that stand in the list: the first ones, and what is on."""
        return tuple(each for place, each in enumerate(self.choices) if place < SHOWN or each.is_on)

    @property
    def other_choices(self) -> tuple[FacetChoice, ...]:
        """The others."""
        shown = self.first_choices
        return tuple(each for each in self.choices if each not in shown)


def chips_of(address: Address, words: ChoiceWords) -> list[Chip]:
    """The filters that are on, in words."""
    return [
        Chip(
            name=FILTER_NAMES[name],
            value=words.value(name, value),
            query=address.without(name, value),
        )
        for name, value in address.pairs
        if name in FILTER_NAMES
    ]


def choice_lists(
    verdicts: Verdicts,
    project: Project,
    address: Address,
    facets: VerdictFacets,
    words: ChoiceWords,
) -> list[ChoiceList]:
    """The lists with at least one value.

    A list in which something is on counts as if nothing in it were: so a second value can be
    added.
    """
    return [
        ChoiceList(name, FILTER_NAMES[name], choices)
        for name, values in _values(verdicts, project, address, facets)
        if (choices := tuple(_choices(name, values, address, words)))
    ]


def facets_without(
    verdicts: Verdicts, project: Project, address: Address, facets: VerdictFacets, *names: str
) -> VerdictFacets:
    """The counts as if the filters of these names were off."""
    if all(name not in names for name, _ in address.pairs):
        return facets
    return verdicts.facets(project, address.filter_without(*names))


def _values(
    verdicts: Verdicts, project: Project, address: Address, facets: VerdictFacets
) -> Iterator[tuple[str, Sequence[FacetValue]]]:
    def facets_but(name: str) -> VerdictFacets:
        return facets_without(verdicts, project, address, facets, name)

    yield "grade", facets_but("grade").grades
    yield "issue", _largest_first(facets_but("issue").issues)
    yield "faulty_field", _largest_first(facets_but("faulty_field").faulty_fields)
    yield "source", [*reversed(facets_but("source").sources)]
    yield "label", facets_but("label").labels
    disagreements = facets_but("disagreement").disagreements
    yield "disagreement", [FacetValue(value="true", count=disagreements)]
    yield "kind", facets_but("kind").kinds
    yield "import_id", facets_but("import_id").imports


def _choices(
    name: str, values: Sequence[FacetValue], address: Address, words: ChoiceWords
) -> Iterator[FacetChoice]:
    for each in values:
        is_on = address.has(name, each.value)
        if each.count or is_on:
            yield FacetChoice(
                caption=words.value(name, each.value),
                count=each.count,
                is_on=is_on,
                query=address.toggle(name, each.value),
            )


def _percent(value: str) -> str:
    try:
        return f"{100 * float(value):g} %"
    except ValueError:
        return value


def _largest_first(values: Sequence[FacetValue]) -> list[FacetValue]:
    return sorted(values, key=lambda each: -each.count)
