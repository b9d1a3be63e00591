"""Texts in the reader's language."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from backend.words.catalogue import LOCALE_DIR, Language, translations
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
            return text.words(self._look_up)
        if isinstance(text, str):
            return Message(text, **values).words(self._look_up)
        return Message.of(text).words(self._look_up)

    def ngettext(self, one: str, many: str, n: int, **values: Any) -> str:
        """``one`` or ``many``, as the language says it of ``n`` things; ``{n}`` is the number."""
        return Message.ngettext(one, many, n=n, **values).words(self._look_up)

    def _look_up(self, text: str, plural: str | None, number: Any) -> str:
        if plural is None:
            return self._found.gettext(text)
        return self._found.ngettext(text, plural, number)


@lru_cache
def translator(language: Language, folder: Path = LOCALE_DIR) -> Translate:
    """The words of ``language``; English for one that has no catalogue."""
    return Translate(language, folder)
