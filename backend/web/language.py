"""English and Chinese: which one a reader wants, and the words."""

import json
import re
from collections.abc import Callable
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Literal

from fastapi import Request

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
LANGUAGE_NAMES: dict[Language, str] = {"en": "English", "zh": "中文"}
LANGUAGE_COOKIE = "assay_language"
LANGUAGE_PARAMETER = "lang"

Translate = Callable[..., str]

_NUMBER = re.compile(r"\d[\d,]*")


@lru_cache(maxsize=1)
def chinese() -> dict[str, str]:
    """The English words to the Chinese ones."""
    catalogue: dict[str, str] = json.loads(
        Path(__file__).with_name("chinese.json").read_text(encoding="utf-8")
    )
    return catalogue


def translator(language: Language) -> Translate:
    """``t("Round {number}", number=3)`` in ``language``; words without a Chinese entry stay."""
    words = chinese() if language == "zh" else {}

    def translate(text: str, **values: object) -> str:
        words_or_text = words.get(text, text)
        return words_or_text.format(**values) if values else words_or_text

    return translate


def progress_message(message: str, t: Translate) -> str:
    """What a job says of its progress, in the reader's language.

    Messages are stored in English with their numbers; in the catalogue these are {n1}, {n2} …
    What follows a semicolon, as the time left, is a message by itself.
    """
    head, semicolon, tail = message.partition("; ")
    if semicolon and (first := _part(head, t)) != head:
        return f"{first}{t('; ')}{_part(tail, t)}"
    return _part(message, t)


def _part(message: str, t: Translate) -> str:
    places = count(1)
    key = _NUMBER.sub(lambda _: f"{{n{next(places)}}}", message)
    words = t(key)
    if words == key:
        return message
    numbers = _NUMBER.findall(message)
    return words.format(**{f"n{place}": number for place, number in enumerate(numbers, 1)})


def language_of(request: Request) -> Language:
    """The reader's language: asked for in the address, chosen before, or the browser's first."""
    asked = request.query_params.get(LANGUAGE_PARAMETER) or request.cookies.get(LANGUAGE_COOKIE)
    for language in LANGUAGES:
        if asked == language:
            return language
    return _preference(request.headers.get("Accept-Language", ""))


def _preference(accepted: str) -> Language:
    weighted: list[tuple[float, str]] = []
    for part in accepted.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weighted.append((float(quality or 1), tag.lower()))
        except ValueError:
            continue
    for _weight, tag in sorted(weighted, key=lambda item: -item[0]):
        for language in LANGUAGES:
            if tag.split("-")[0] == language:
                return language
    return "en"
