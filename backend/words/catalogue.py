"""The catalogues: ``locale/LANGUAGE/LC_MESSAGES/assay.po``, read by Babel, used by gettext.

A language is there because its file is. English needs none: the identifiers are English.
"""

from collections.abc import Sequence
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from babel.messages import Catalog

Language: TypeAlias = str
"""The name of a folder of ``locale``, or "en"."""

LOCALE_DIR = Path(__file__).with_name("locale")
SOURCE_LANGUAGE: Language = "en"
DOMAIN = "assay"


@lru_cache
def languages(folder: Path = LOCALE_DIR) -> tuple[Language, ...]:
    """English, and every language that has a catalogue in ``folder``."""
    found = sorted(path.parts[-3] for path in folder.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))
    return (SOURCE_LANGUAGE, *(name for name in found if name != SOURCE_LANGUAGE))


@lru_cache
def catalogue(language: Language, folder: Path = LOCALE_DIR) -> "Catalog":
    """The catalogue of ``language`` as it is written.

    Raises:
        FileNotFoundError: the language has none.
    """
    from babel.messages.pofile import read_po

    with catalogue_path(language, folder).open("rb") as file:
        return read_po(file, domain=DOMAIN, abort_invalid=True)


def catalogue_path(language: Language, folder: Path = LOCALE_DIR) -> Path:
    """Where the catalogue of ``language`` is, or would be."""
    return folder / language / "LC_MESSAGES" / f"{DOMAIN}.po"


@lru_cache
def translations(language: Language, folder: Path = LOCALE_DIR) -> NullTranslations:
    """The catalogue as gettext looks words up; texts without an entry stay English."""
    if language == SOURCE_LANGUAGE or language not in languages(folder):
        return NullTranslations()
    from babel.messages.mofile import write_mo

    compiled = BytesIO()
    write_mo(compiled, catalogue(language, folder))
    compiled.seek(0)
    return GNUTranslations(compiled)


@lru_cache
def language_name(language: Language) -> str:
    """What the language calls itself."""
    from babel import Locale

    name = Locale.parse(language).get_display_name() or language
    return name[:1].upper() + name[1:]


@lru_cache
def language_tag(language: Language, folder: Path = LOCALE_DIR) -> str:
    """For ``lang`` in HTML: what the catalogue's header says that it is written in."""
    if language == SOURCE_LANGUAGE:
        return SOURCE_LANGUAGE
    locale = catalogue(language, folder).locale
    return str(locale or language).replace("_", "-")


def preferred_language(tags: Sequence[str], folder: Path = LOCALE_DIR) -> Language:
    """The first of the reader's ``tags`` ("zh-CN", "fr_FR") that there is, else English."""
    if not tags:
        return SOURCE_LANGUAGE
    from babel.core import negotiate_locale

    wanted = [tag.replace("-", "_") for tag in tags]
    return negotiate_locale(wanted, languages(folder), sep="_") or SOURCE_LANGUAGE
