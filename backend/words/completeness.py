"""Whether every text of the sources is in every catalogue, and nothing else is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from babel.messages import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.extract import extract_from_dir

from backend.words.calls import places_of, texts_in_code
from backend.words.message import IN_BOTH

METHODS: list[tuple[str, Any]] = [
    ("backend/**.html", "jinja2"),
    ("backend/**.py", texts_in_code),
    ("active_learning/**.py", texts_in_code),
    ("labeling/**.py", texts_in_code),
]
OPTIONS = {"backend/**.html": {"silent": "false"}}
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "N_": None,
    "t": None,
    "Message": None,
    "Reason": None,
    "Words": None,
    "ngettext": (1, 2),
    "check_stop": (2,),
}
"""What texts are arguments of; ``(1, 2)`` are one and many."""

Texts: TypeAlias = dict[str, "Source"]


@dataclass(frozen=True)
class Source:
    """Where a text is first found, and its plural if it has one."""

    plural: str | None
    place: str


def texts_of(root: Path) -> Texts:
    """Every text of the sources below ``root``, by its identifier."""
    found: Texts = {}
    for path, line, text, _comments, _context in extract_from_dir(
        root, METHODS, OPTIONS, KEYWORDS, directory_filter=lambda _path: True
    ):
        one, many = text if isinstance(text, tuple) else (text, None)
        known = found.get(one)
        if known is None or (known.plural is None and many is not None):
            found[one] = Source(many, f"{path}:{line}")
    return found


def gaps(texts: Mapping[str, Source], catalogue: Catalog) -> Iterator[str]:
    """A line for each text without translation, each entry without text, each wrong placeholder."""
    for text, source in texts.items():
        entry = catalogue.get(text)
        if entry is None or not all(_strings(entry)) or entry.fuzzy:
            yield f"{source.place}: not translated: {text!r}"
        elif source.plural is not None and not entry.pluralizable:
            yield f"{source.place}: has no plural forms: {text!r}"
    for entry in catalogue:
        if entry.id:
            yield from _faults(entry, texts)


def update(texts: Mapping[str, Source], catalogue: Catalog) -> Catalog:
    """The entries that the sources have, in the order of their texts; new ones are empty."""
    made = Catalog(locale=catalogue.locale, domain=catalogue.domain)
    for text in sorted(texts):
        known, plural = catalogue.get(text), texts[text].plural
        strings = _strings(known) if known else ()
        if plural is None:
            made.add(text, strings[0] if strings else "")
        else:
            empty = [""] * catalogue.num_plurals
            made.add((text, plural), (list(strings) + empty)[: catalogue.num_plurals])
    return made


def _faults(entry: Entry, texts: Mapping[str, Source]) -> Iterator[str]:
    one, *many = entry.id if isinstance(entry.id, tuple | list) else (entry.id,)
    if one == IN_BOTH:
        return
    if one not in texts:
        yield f"line {entry.lineno}: no source has: {one!r}"
    allowed = {frozenset(places_of(each)) for each in (one, *many)}
    for words in filter(None, _strings(entry)):
        if frozenset(places_of(words)) not in allowed:
            yield f"line {entry.lineno}: has other places in braces than: {one!r}"


def _strings(entry: Entry) -> tuple[str, ...]:
    return tuple(entry.string) if isinstance(entry.string, tuple | list) else (entry.string or "",)
