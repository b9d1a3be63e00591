"""Texts in the reader's language."""

from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any

from backend.words.catalogue import (
    LOCALE_DIR,
    SOURCE_LANGUAGE,
    Language,
    languages,
    translations,
)
from backend.words.message import Message, Worded


class Translate:
    """``t("Round {number}", number=3)`` and ``t(message)`` in one language.

    A text without an entry stays English.
    """

    def __init__(self, language: Language, folder: Path = LOCALE_DIR) -> None:
        self.language = language
        self._found = translations(language, folder)

    def __call__(self, text: str | Worded, /, **values: Any) -> str:
        if isinstance(text, Message):
            return text.words(self.look_up)
        if isinstance(text, str):
            return Message(text, **values).words(self.look_up)
        return Message.of(text).words(self.look_up)

    def ngettext(self, one: str, many: str, n: int, **values: Any) -> str:
        """``one`` or ``many``, as the language says it of ``n`` things; ``{n}`` is the number."""
        return Message.ngettext(one, many, n=n, **values).words(self.look_up)

    def look_up(self, text: str, plural: str | None, number: Any) -> str:
        """The words for ``text``, or for its plural."""
        if plural is None:
            return self._found.gettext(text)
        return self._found.ngettext(text, plural, number)


@lru_cache
def translator(language: Language, folder: Path = LOCALE_DIR) -> Translate:
    """The words of ``language``; English for one that has no catalogue."""
    return Translate(language, folder)


def in_every_language(text: Worded | str) -> str:
    """The words for a place that everybody reads, as Label Studio: English last."""
    told = [translator(name)(text) for name in (*languages()[1:], SOURCE_LANGUAGE)]
    return " / ".join(dict.fromkeys(told))


READER: ContextVar[Language] = ContextVar("reader", default=SOURCE_LANGUAGE)
"""The language of whoever asked the API; English elsewhere."""


def in_readers_language(text: Worded | str) -> str:
    """The words for whoever asked the API."""
    return translator(READER.get())(text)
