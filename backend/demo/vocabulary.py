"""The words that demo records are made of, read from ``vocabulary.yaml``."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

import yaml

Language = Literal["en", "zh"]


@dataclass(frozen=True)
class Category:
    """What is sold in one category, in one language."""

    name: str
    nouns: tuple[str, ...]
    sizes: tuple[str, ...]
    price: tuple[float, float]
    good: tuple[str, ...]
    bad: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """All words of one language."""

    language: Language
    currencies: tuple[str, ...]
    wrong_currencies: tuple[str, ...]
    brands: tuple[str, ...]
    qualifiers: tuple[str, ...]
    categories: tuple[Category, ...]
    descriptions: tuple[str, ...]
    openers: tuple[str, ...]
    praise: tuple[str, ...]
    blame: tuple[str, ...]
    neutral: tuple[str, ...]
    ads: tuple[str, ...]
    spam: tuple[str, ...]
    leaks: tuple[str, ...]
    names: tuple[str, ...]


def _vocabulary(language: Language, words: dict[str, Any]) -> Vocabulary:
    categories = tuple(
        Category(
            name=name,
            nouns=tuple(entry["nouns"]),
            sizes=tuple(entry["sizes"]),
            price=(float(entry["price"][0]), float(entry["price"][1])),
            good=tuple(entry["good"]),
            bad=tuple(entry["bad"]),
        )
        for name, entry in words["categories"].items()
    )
    lists = {name: tuple(value) for name, value in words.items() if name != "categories"}
    return Vocabulary(language=language, categories=categories, **lists)


@cache
def load_vocabulary() -> dict[Language, Vocabulary]:
    """English and Chinese vocabularies."""
    path = Path(__file__).with_name("vocabulary.yaml")
    words = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        language: _vocabulary(cast(Language, language), entry) for language, entry in words.items()
    }
