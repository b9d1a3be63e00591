"""`make words`: nothing is missing, and what is missing is found."""

import ast
import re
from io import BytesIO
from pathlib import Path

import pytest
import typer
from babel.messages import Catalog
from babel.messages.pofile import read_po

from backend.cli import app
from backend.cli.help_texts import help_texts
from backend.words.calls import faults_of_calls
from backend.words.catalogue import catalogue, languages
from backend.words.completeness import Source, Texts, gaps, texts_of, update

ROOT = Path(__file__).parents[3]
PYTHON = """
Message("{n} rows of {file}", n=1)
Message.ngettext("{n} answer", "{n} answers", n=1)
NAMES = {"a": N_("a name " "in two parts")}
"""
PAGE = """{% macro part() %}{{ _("a page's words") }}{% endmacro %}
{{ ngettext("{n} record", "{n} records", 3) }}"""


MAKERS = ("Message", "Message.ngettext", "Reason", "Reason.ngettext", "Words", "N_")
NOT_WORDS = {
    "active_learning/columns/value_parsing.py",
    "active_learning/explanations/tokens.py",
    "backend/guidelines/comparison.py",
    "active_learning/encoders/neutral_texts.py",  # what an encoder reads, not people
    "backend/record_index/words.py",  # which letters are Chinese
    "labeling/label_schema.py",
    "labeling/label_studio/tasks.py",
}
"""What dates, numbers and missing values look like, how Chinese is cut and compared, the default
schema, and the mark of a missing value, which is read back from Label Studio."""


@pytest.fixture(scope="module")
def texts() -> Texts:
    commands = help_texts(typer.main.get_command(app))
    return texts_of(ROOT) | {text: Source(None, place) for text, place in commands}


def _catalogue(*entries: tuple[str, str]) -> Catalog:
    body = "".join(f'msgid "{text}"\nmsgstr "{words}"\n\n' for text, words in entries)
    header = 'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=n>1;\\n"\n\n'
    return read_po(BytesIO((header + body).encode()), locale="fr")


@pytest.mark.parametrize("language", languages()[1:])
def test_every_text_is_in_every_language(language: str, texts: Texts) -> None:
    assert len(texts) > 500
    assert list(gaps(texts, catalogue(language))) == []


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


def test_every_call_with_a_text_is_found(texts: Texts) -> None:
    """Also inside of others; Babel looks into no f-string."""
    asked = set()
    for package in ("active_learning", "labeling", "backend"):
        for path in (ROOT / package).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                maker = ast.unparse(call.func) if isinstance(call, ast.Call) else ""
                if maker in MAKERS and isinstance(call.args[0], ast.Constant):
                    asked.add(call.args[0].value)
    assert len(asked) > 200
    assert asked - set(texts) == set()


def test_no_other_language_stands_in_the_code() -> None:
    """Schemas, demo data and what data looks like are no words of ours."""
    found = [
        str(path.relative_to(ROOT))
        for package in ("active_learning", "labeling", "backend")
        for path in (ROOT / package).rglob("*.py")
        if re.search("[一-鿿]", path.read_text(encoding="utf-8"))
    ]
    assert {path for path in found if not path.startswith("backend/demo/")} <= NOT_WORDS


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


def test_every_text_of_the_sources_can_be_found_and_filled() -> None:
    assert list(faults_of_calls(ROOT)) == []


def test_a_text_in_parts_or_without_its_value_is_told(tmp_path: Path) -> None:
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend/room.py").write_text(
        'Message(f"{name} is gone")\nMessage("{a} of {b}", a=1)\nMessage(N_("x") + "y")\n'
        'ngettext("{n} row", "{n} rows", 3)\nMessage("{a}", **values)\nN_("{later}")\n',
        encoding="utf-8",
    )
    (tmp_path / "backend/page.html").write_text(
        '{{ _("{a}, {b}", a=1) }}{{ ngettext("{n} of {of}", "{n} of {of}", 2) }}', encoding="utf-8"
    )
    assert [fault.partition(": ")[2] for fault in faults_of_calls(tmp_path)] == [
        "not one text: f'{name} is gone'",
        "no value for {b} in '{a} of {b}'",
        "not one text: N_('x') + 'y'",
        "no value for {b} in '{a}, {b}'",
        "no value for {of} in '{n} of {of}'",
        "no value for {of} in '{n} of {of}'",
    ]
