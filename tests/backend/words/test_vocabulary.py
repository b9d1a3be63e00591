"""One Chinese term a thing: the catalogue has none of the words that docs/vocabulary.md refuses."""

from collections.abc import Iterator
from pathlib import Path

from backend.words.catalogue import catalogue

ROOT = Path(__file__).parents[3]


def _terms() -> Iterator[tuple[list[str], list[str]]]:
    """(Chinese terms, refused words) of each row of the table."""
    for line in (ROOT / "docs/vocabulary.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 3 and cells[0] not in ("English", "---"):
            yield cells[1].split(", "), [word for word in cells[2].split(", ") if word]


def _strings() -> list[str]:
    strings: list[str] = []
    for entry in catalogue("zh"):
        if entry.id:
            strings += entry.string if isinstance(entry.string, tuple) else [entry.string]
    return strings


def test_no_text_has_a_refused_word() -> None:
    refused = {word for _terms_of_row, words in _terms() for word in words}
    assert len(refused) > 8
    assert [text for text in _strings() if any(word in text for word in refused)] == []


def test_no_term_is_refused_and_each_is_used() -> None:
    told = "\n".join(_strings())
    for terms, refused in _terms():
        assert all(word not in term for term in terms for word in refused)
        assert any(term in told for term in terms), terms
