"""What a query means, said once more and in another way: by looking into the texts."""

import re
import unicodedata
from collections.abc import Sequence

IS_HAN = re.compile("[\u3005\u3041-\u30fa\u30fc-\u30ff\u4e00-\u9fff]")


def does_fit(query: str, texts: Sequence[str]) -> bool:
    """Whether a record with these texts, in normal form, is one that the query asks for."""
    parts = re.findall(r'-?"[^"]*"|\S+', unicodedata.normalize("NFKC", query).casefold())
    for at, part in enumerate(parts):
        is_unwanted = part.startswith("-")
        is_quoted = part.endswith('"')
        is_open = at == len(parts) - 1 and not is_quoted and not is_unwanted
        if any(_is_in(part, text, is_open) for text in texts) == is_unwanted:
            return False
    return True


def _is_in(phrase: str, text: str, is_open: bool) -> bool:
    asked = _split(phrase)
    there = _split(text)
    return any(
        _begins_with(there[start:], asked, is_open) for start in range(len(there) - len(asked) + 1)
    )


def _begins_with(there: list[str], asked: list[str], is_open: bool) -> bool:
    for at, (have, want) in enumerate(zip(there, asked, strict=False)):
        is_first, is_last = at == 0, at == len(asked) - 1
        if not IS_HAN.match(want):
            is_same = have.startswith(want) if is_last and is_open else have == want
        elif is_first and is_last:
            is_same = want in have
        elif is_first:
            is_same = bool(IS_HAN.match(have)) and have.endswith(want)
        else:
            is_same = have.startswith(want) if is_last else have == want
        if not is_same:
            return False
    return True


def _split(text: str) -> list[str]:
    """Runs of Han and Kana, and words of other letters and digits."""
    split = "".join(char if char.isalnum() else " " for char in text)
    return [
        "".join(run)
        for word in split.split()
        for run in re.findall(f"(?:{IS_HAN.pattern})+|[^\u3005\u3041-\u30ff\u4e00-\u9fff]+", word)
    ]
