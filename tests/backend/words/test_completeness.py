"""`make words`: nothing is missing, and what is missing is found."""

from io import BytesIO
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.pofile import read_po

from backend.words.catalogue import catalogue, languages
from backend.words.completeness import Texts, gaps, texts_of, update

ROOT = Path(__file__).parents[3]
PYTHON = """
Message("{n} rows of {file}", n=1)
Message.ngettext("{n} answer", "{n} answers", n=1)
NAMES = {"a": N_("a name " "in two parts")}
"""
PAGE = """{% macro part() %}{{ _("a page's words") }}{% endmacro %}
{{ ngettext("{n} record", "{n} records", 3) }}"""


@pytest.fixture(scope="module")
def texts() -> Texts:
    return texts_of(ROOT)


def _catalogue(*entries: tuple[str, str]) -> Catalog:
    body = "".join(f'msgid "{text}"\nmsgstr "{words}"\n\n' for text, words in entries)
    header = 'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=n>1;\\n"\n\n'
    return read_po(BytesIO((header + body).encode()), locale="fr")


@pytest.mark.parametrize("language", languages()[1:])
def test_every_text_is_in_every_language(language: str, texts: Texts) -> None:
    assert len(texts) > 500
    found = gaps(texts, catalogue(language))
    assert [gap for gap in found if "no source has" not in gap] == []


def test_texts_are_found_in_code_and_pages(tmp_path: Path) -> None:
    (tmp_path / "backend/room").mkdir(parents=True)
    (tmp_path / "backend/room/service.py").write_text(PYTHON, encoding="utf-8")
    (tmp_path / "backend/room/page.html").write_text(PAGE, encoding="utf-8")
    found = texts_of(tmp_path)
    assert {text: source.plural for text, source in found.items()} == {
        "{n} rows of {file}": None,
        "{n} answer": "{n} answers",
        "a name in two parts": None,
        "a page's words": None,
        "{n} record": "{n} records",
    }
    assert found["{n} record"].place == "backend/room/page.html:2"


def test_what_is_missing_left_over_or_wrong_is_told(tmp_path: Path) -> None:
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend/room.py").write_text(PYTHON, encoding="utf-8")
    found = texts_of(tmp_path)
    told = "\n".join(
        gaps(
            found,
            _catalogue(
                ("{n} rows of {file}", "{n} lignes de {fichier}"),
                ("{n} answer", "{n} réponse"),
                ("a name in two parts", ""),
                ("nobody says so", "personne"),
            ),
        )
    )
    assert "has other places in braces than: '{n} rows of {file}'" in told
    assert "room.py:3: has no plural forms: '{n} answer'" in told
    assert "room.py:4: not translated: 'a name in two parts'" in told
    assert "no source has: 'nobody says so'" in told


def test_an_update_keeps_translations_and_drops_what_is_gone(tmp_path: Path) -> None:
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend/room.py").write_text(PYTHON, encoding="utf-8")
    known = _catalogue(("a name in two parts", "un nom"), ("nobody says so", "personne"))
    made = update(texts_of(tmp_path), known)
    assert {entry.id: entry.string for entry in made if entry.id} == {
        "a name in two parts": "un nom",
        ("{n} answer", "{n} answers"): ["", ""],
        "{n} rows of {file}": "",
    }
