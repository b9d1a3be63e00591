"""The language of the command line: the setting's, else the terminal's."""

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from backend.core.exceptions import AppError
from backend.core.settings import get_settings
from backend.words import SOURCE_LANGUAGE, Language, Worded, preferred_language, translator

LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The first that is set decides, as POSIX has it."""
NO_LOCALE = ("C", "POSIX")


def t(text: str | Worded, /, **values: Any) -> str:
    """``text`` in the language of the command line."""
    return translator(command_language())(text, **values)


def ngettext(one: str, many: str, n: int, **values: Any) -> str:
    """``one`` or ``many``, as the language of the command line says it of ``n`` things."""
    return translator(command_language()).ngettext(one, many, n, **values)


@lru_cache(maxsize=1)
def command_language() -> Language:
    """``ASSAY_LANGUAGE``, else the language of the terminal's locale, else English."""
    try:
        wanted = get_settings().language
    except (AppError, ValueError):  # the command itself says what is wrong with the settings
        wanted = None
    return wanted or language_of_locale(os.environ)


def language_of_locale(environment: Mapping[str, str]) -> Language:
    """The language that the terminal's locale names if there is a catalogue of it, else English."""
    named = next((environment[name] for name in LOCALE_VARIABLES if environment.get(name)), "")
    tag = named.split(".")[0].split("@")[0]
    return SOURCE_LANGUAGE if tag in NO_LOCALE else preferred_language([tag] if tag else [])
