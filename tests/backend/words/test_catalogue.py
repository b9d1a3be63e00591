"""A language is there because its file is."""

from pathlib import Path

import pytest

from backend.words import Message, language_name, language_tag, languages, preferred_language
from backend.words.translation import Translate

FRENCH = """msgid ""
msgstr ""
"Language: fr\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"
"Content-Type: text/plain; charset=utf-8\\n"

msgid "{n} answer"
msgid_plural "{n} answers"
msgstr[0] "{n} réponse"
msgstr[1] "{n} réponses"

msgid "Projects"
msgstr "Projets"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "fr/LC_MESSAGES/assay.po"
    path.parent.mkdir(parents=True)
    path.write_text(FRENCH, encoding="utf-8")
    return tmp_path


def test_english_and_chinese_are_there() -> None:
    assert languages() == ("en", "zh")
    assert [language_name(each) for each in languages()] == ["English", "中文"]
    assert [language_tag(each) for each in languages()] == ["en", "zh-Hans"]


def test_a_third_language_is_one_more_file(folder: Path) -> None:
    assert languages(folder) == ("en", "fr")
    assert language_name("fr") == "Français"
    assert language_tag("fr", folder) == "fr"
    french = Translate("fr", folder)
    assert french("Projects") == "Projets"
    # French says of none what it says of one.
    assert [french.ngettext("{n} answer", "{n} answers", n) for n in (0, 1, 2)] == [
        "0 réponse",
        "1 réponse",
        "2 réponses",
    ]
    assert french(Message.ngettext("{n} answer", "{n} answers", n=0)) == "0 réponse"
    assert french("Not yet translated") == "Not yet translated"


@pytest.mark.parametrize(
    ("tags", "language"),
    [(["fr-CA", "en"], "fr"), (["de", "fr"], "fr"), (["zh-CN"], "en"), ([], "en"), (["x"], "en")],
)
def test_the_readers_languages_are_tried_in_their_order(
    folder: Path, tags: list[str], language: str
) -> None:
    assert preferred_language(tags, folder) == language
