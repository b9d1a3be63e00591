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
from backend.words.message import N_, Message, Progress, Said, Worded, as_text, in_both
from backend.words.public import WithReason
from backend.words.translation import (
    READER,
    Translate,
    in_every_language,
    in_readers_language,
    translator,
)

__all__ = [
    "LOCALE_DIR",
    "N_",
    "READER",
    "SOURCE_LANGUAGE",
    "Language",
    "Message",
    "Progress",
    "Said",
    "Translate",
    "WithReason",
    "Worded",
    "as_text",
    "in_both",
    "in_every_language",
    "in_readers_language",
    "language_name",
    "language_tag",
    "languages",
    "preferred_language",
    "translator",
]
