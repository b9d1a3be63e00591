"""What a single value looks like: missing, number, date, shape, pieces of text."""

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

MISSING_WORDS = frozenset(
    {"", "nan", "none", "null", "n/a", "na", "-", "--", "?", "无", "空", "未知"}
)
TEXT_LIMIT = 400
"""Characters of a value that are looked at. Chosen: faults of form show in the beginning, and long
texts cost time."""

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
_FORMATS_BY_MARKS: dict[str, list[str]] = {}
"""What stands between the digits of a date to the formats that have it there, in their order."""
for _format in _DATE_FORMATS:
    _FORMATS_BY_MARKS.setdefault(re.sub("%.", "", _format), []).append(_format)
_DIGITS_AND_BLANKS = re.compile(r"[\d ]")
_DAMAGE = re.compile("[\ufffd\x00-\x08\x0b-\x1f]")
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
    for pattern in _FORMATS_BY_MARKS.get(_DIGITS_AND_BLANKS.sub("", head), ()):
        try:
            return datetime.strptime(head, pattern).toordinal()
        except ValueError:
            continue
    return None


class _Classes(dict[int, str]):
    """Code point to what stands for it, worked out when a character is first met.

    ``str.translate`` asks it; there are as many entries as kinds of characters in the data.
    """

    def __init__(self, class_of: Callable[[str], str]) -> None:
        super().__init__()
        self._class_of = class_of

    def __missing__(self, code: int) -> str:
        found = self[code] = self._class_of(chr(code))
        return found


def _exact_class(character: str) -> str:
    """Digits, ideographs and letters by their kind; every other character itself."""
    if character.isdigit():
        return "9"
    if "\u4e00" <= character <= "\u9fff":
        return "字"
    if character.isalpha():
        return "A" if character.isupper() else "a"
    return character


_EXACT_CLASSES = _Classes(_exact_class)
_SHAPE_CLASSES = _Classes(lambda character: " " if character.isspace() else _exact_class(character))
_TRAITS = _Classes(
    lambda character: chr(
        character.isdigit()
        + 2 * character.isalpha()
        + 4 * character.isupper()
        + 8 * (character > "\x7f")
    )
)
"""Digit 1, letter 2, capital 4, outside ASCII 8: their sum as a character."""


def shape_of(text: str) -> str:
    """Letters by case, digits and ideographs by kind, runs collapsed: ``Aa 9/9`` style."""
    shape = text[:TEXT_LIMIT].translate(_SHAPE_CLASSES)
    for kind in set(shape):
        while (run := kind + kind) in shape:
            shape = shape.replace(run, kind)
    return shape


def exact_shape_of(text: str) -> str:
    """As :func:`shape_of` with every character kept: ``AAA-999`` style."""
    return text[:60].translate(_EXACT_CLASSES)


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
    looked = text[:TEXT_LIMIT].translate(_TRAITS)
    length = max(len(looked), 1)
    digits = letters = capitals = foreign = 0
    for trait in set(looked):
        count, kinds = looked.count(trait), ord(trait)
        digits += count * (kinds & 1)
        letters += count * (kinds >> 1 & 1)
        capitals += count * (kinds >> 2 & 1)
        foreign += count * (kinds >> 3 & 1)
    return digits / length, letters / length, capitals / length, foreign / length


def odd_characters(text: str) -> float:
    """How many signs of damage: outer or doubled spaces, control or replacement characters,
    accents that no letter takes."""
    oddities = int(text != text.strip()) + int("  " in text)
    oddities += len(_DAMAGE.findall(text))
    if not text.isascii():
        composed = unicodedata.normalize("NFC", text[:TEXT_LIMIT])
        oddities += sum(mark in text for mark in ("Ã", "â€", "ï»¿", "锟"))
        oddities += sum(map(bool, map(unicodedata.combining, composed)))
    if "&" in text or "<" in text:
        oddities += sum(mark in text for mark in ("&amp;", "&lt;", "<br"))
    return float(oddities)
