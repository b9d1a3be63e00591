"""What a single value looks like: missing, number, date, shape, pieces of text."""

import math
import re
import unicodedata
from datetime import date, datetime
from typing import Any

MISSING_WORDS = frozenset(
    {"", "nan", "none", "null", "n/a", "na", "-", "--", "?", "无", "空", "未知"}
)
TEXT_LIMIT = 400
"""Characters of a value that are looked at."""

_NUMBER = re.compile(
    r"^\s*[-+]?[$€£¥￥]?\s*(\d{1,3}(?:,\d{3})+|\d+)?(\.\d+)?(e[-+]?\d+)?\s*(?:%|元)?\s*$",
    re.IGNORECASE,
)
_NOT_NUMERIC = re.compile(r"[$€£¥￥,%元\s]")
_TOKEN = re.compile(r"[^\W\d_]{2,}|\d+(?:\.\d+)?")
_DIGITS = re.compile(r"[0-9]+")
_SPACES = re.compile(r"\s+")
_DATE_FORMATS = (
    "%Y-%m-%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%Y%m%d",
    "%Y年%m月%d日",
    "%m/%d/%y",
)
_MAYBE_DATE = re.compile(r"^\s*\d{1,4}[-/.年]?\d{1,2}[-/.月]?\d{1,4}日?([T\s].*)?$")


def text_of(value: Any) -> str:
    """The value as people read it; missing values are the empty string."""
    if value is None:
        return ""
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    text = str(value)
    return "" if text.strip().lower() in MISSING_WORDS else text


def is_missing_word(value: Any) -> bool:
    """Whether a word that means "missing" is written where nothing could stand."""
    return isinstance(value, str) and bool(value.strip()) and not text_of(value)


def number_of(text: str) -> float | None:
    """The number that the text writes, with thousands commas, currency or percent sign."""
    match = _NUMBER.match(text)
    if match is None or (match.group(1) is None and match.group(2) is None):
        return None
    try:
        number = float(_NOT_NUMERIC.sub("", text))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def day_of(text: str) -> int | None:
    """The proleptic ordinal of the day that the text writes, or None."""
    if not 6 <= len(text) <= 35 or _MAYBE_DATE.match(text) is None:
        return None
    head = text.strip()
    if len(head) > 10 and head[10:11] in ("T", " "):
        head = head[:10]
    for pattern in _DATE_FORMATS:
        try:
            return datetime.strptime(head, pattern).toordinal()
        except ValueError:
            continue
    return None


def shape_of(text: str) -> str:
    """Letters by case, digits and ideographs by kind, runs collapsed: ``Aa 9/9`` style."""
    shape: list[str] = []
    for character in text[:TEXT_LIMIT]:
        if character.isdigit():
            kind = "9"
        elif "\u4e00" <= character <= "\u9fff":
            kind = "字"
        elif character.isalpha():
            kind = "A" if character.isupper() else "a"
        elif character.isspace():
            kind = " "
        else:
            kind = character
        if not shape or shape[-1] != kind:
            shape.append(kind)
    return "".join(shape)


def exact_shape_of(text: str) -> str:
    """As :func:`shape_of` with every character kept: ``AAA-999`` style."""
    return "".join(
        "9"
        if character.isdigit()
        else "字"
        if "\u4e00" <= character <= "\u9fff"
        else ("A" if character.isupper() else "a")
        if character.isalpha()
        else character
        for character in text[:60]
    )


def trigrams_of(text: str) -> list[str]:
    """Overlapping groups of three characters, with the ends marked, digits as one kind."""
    folded = re.sub(r"\d", "9", _SPACES.sub(" ", text[:TEXT_LIMIT].lower()))
    padded = f"\x02{folded}\x03"
    return [padded[i : i + 3] for i in range(len(padded) - 2)]


def tokens_of(text: str) -> list[str]:
    """Words of two letters or more, and numbers, folded to lower case."""
    return [token.lower() for token in _TOKEN.findall(text[:TEXT_LIMIT])]


def first_second_last(text: str) -> tuple[float, float, float]:
    """log(1 + n) of the first, second and last run of digits (nine digits at most), else -1."""
    runs = _DIGITS.findall(text[:TEXT_LIMIT])
    if not runs:
        return -1.0, -1.0, -1.0
    first, second, last = (math.log1p(float(runs[n][:9])) for n in (0, min(1, len(runs) - 1), -1))
    return first, second, last


def character_shares(text: str) -> tuple[float, float, float, float]:
    """Shares of digits, letters, capitals and characters outside ASCII."""
    looked = text[:TEXT_LIMIT]
    length = max(len(looked), 1)
    digits = letters = capitals = foreign = 0
    for character in looked:
        digits += character.isdigit()
        letters += character.isalpha()
        capitals += character.isupper()
        foreign += character > "\x7f"
    return digits / length, letters / length, capitals / length, foreign / length


def odd_characters(text: str) -> float:
    """How many signs of damage: outer or doubled spaces, control or replacement characters,
    accents that no letter takes."""
    oddities = int(text != text.strip()) + int("  " in text)
    oddities += sum(1 for c in text if c == "\ufffd" or (ord(c) < 32 and c not in "\n\t"))
    if not text.isascii():
        composed = unicodedata.normalize("NFC", text[:TEXT_LIMIT])
        oddities += sum(1 for c in composed if unicodedata.combining(c))
    oddities += sum(1 for mark in ("Ã", "â€", "ï»¿", "锟", "&amp;", "&lt;", "<br") if mark in text)
    return float(oddities)
