"""What of a text is searched: one rule, for what is stored and for what people ask.

Letters are compared without case and in compatible forms (NFKC). A word is letters and digits in
a row. Chinese, Japanese and Korean are written without blanks: each two neighbours of a run are a
word, and so is its last character, which also keeps one run apart from the next.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

MARK = "\ue000"
"""Begins words that no text has: it is for private use, and so no letter."""
WORD_CHARACTERS = 100
"""Longer words are known by their beginning: PostgreSQL's index takes less than 2 KiB a word."""
TEXT_CHARACTERS = 100_000
"""So much of a record is searched. PostgreSQL takes less than 1 MiB of different words a row, and
two neighbours are up to eight bytes."""

_RUN = (
    "\u1100-\u11ff\u2e80-\u2fd5\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096"
    "\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u3131-\u318e\u31a0-\u31bf"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U000323af"
)
"""Han, Kana, Bopomofo and Hangul."""
_UNSEEN = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Hints for setting a text: nobody types them to find it."""
_LAST_PLANE_OF_WORDS = 0x20000
"""Further on there are only Han and what is unseen."""


def normal_form(text: str) -> str:
    """The text as it is compared.

    >>> normal_form("ＳＫＵ－１００１ Ｇroße")
    'sku-1001 grosse'
    """
    if text.isascii():
        return text.lower()
    seen = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    return unicodedata.normalize("NFKC", seen.casefold())


def pieces(normal: str) -> Iterator[tuple[str, bool]]:
    """(piece, is it a run) of a text in normal form."""
    for found in _pattern().finditer(normal):
        yield found.group(), found.lastindex == 1


def words_of(normal: str) -> list[str]:
    """The words of a text in normal form.

    >>> words_of("sku-1001 纯棉衬衫")
    ['sku', '1001', '纯棉', '棉衬', '衬衫', '衫']
    """
    words: list[str] = []
    for piece, is_run in pieces(normal):
        if is_run:
            words += [piece[at : at + 2] for at in range(len(piece))]
        else:
            words.append(piece[:WORD_CHARACTERS])
    return words


def mark_of(dataset_id: int) -> str:
    """The word that every record of the dataset has, and no other."""
    return f"{MARK}{dataset_id}"


def stored_words(dataset_id: int, texts: Iterable[str]) -> str:
    """The words of a record, a blank before and after each; a mark keeps its texts apart."""
    mark = mark_of(dataset_id)
    words, left = [mark], TEXT_CHARACTERS
    for text in texts:
        normal = normal_form(text[:left])[:left]
        left -= len(normal)
        words += words_of(normal)
        words.append(mark)
    return f" {' '.join(words)} "


@cache
def _pattern() -> re.Pattern[str]:
    run = re.compile(f"[{_RUN}]")
    ranges: list[list[int]] = []
    for code in range(_LAST_PLANE_OF_WORDS):
        character = chr(code)
        is_of_words = character.isalnum() or unicodedata.category(character)[0] == "M"
        if not is_of_words or run.match(character):
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    word = "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
    return re.compile(f"([{_RUN}]+)|[{word}]+")
