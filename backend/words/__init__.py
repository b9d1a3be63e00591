"""What people read: messages as identifiers with values, and the catalogues that translate them."""

from backend.words.catalogue import (
    LOCALE_DIR,
    SOURCE_LANGUAGE,
    Language,
    language_name,
    language_tag,
    languages,
    preferred_language,
)
from backend.words.message import N_, Message, Said, Worded, as_text
from backend.words.translation import Translate, translator

__all__ = [
    "LOCALE_DIR",
    "N_",
    "SOURCE_LANGUAGE",
    "Language",
    "Message",
    "Said",
    "Translate",
    "Worded",
    "as_text",
    "language_name",
    "language_tag",
    "languages",
    "preferred_language",
    "translator",
]
