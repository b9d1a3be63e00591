"""Error-free e-commerce records: products, inventory, reviews, ads, shopping behaviour."""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import TypeVar

from backend.demo.vocabulary import Category, Vocabulary

T = TypeVar("T")

NOT_APPLICABLE = "—"
"""Stands in a flat row where the record's kind has no such field; a missing value is empty.

Not "n/a", which people and programs also write for a missing value.
"""

FIELDS: tuple[str, ...] = (
    "title",
    "brand",
    "category",
    "size",
    "price",
    "currency",
    "stock",
    "rating",
    "text",
    "url",
    "gtin",
    "clicks",
    "purchases",
    "seconds",
    "valid_until",
    "updated_at",
)
"""Fields of a flat row after ``record_id`` and ``kind``, in display order."""

FIELDS_OF_KIND: dict[str, tuple[str, ...]] = {
    "product": (
        *("title", "brand", "category", "size", "price", "currency"),
        *("text", "url", "gtin", "updated_at"),
    ),
    "inventory": (
        *("title", "brand", "category", "size", "price", "currency", "stock"),
        *("gtin", "valid_until", "updated_at"),
    ),
    "review": ("title", "brand", "category", "rating", "text", "updated_at"),
    "ad": (
        *("title", "brand", "category", "price", "currency", "text", "url"),
        *("clicks", "purchases", "valid_until", "updated_at"),
    ),
    "behaviour": (
        *("title", "category", "price", "currency", "url"),
        *("clicks", "purchases", "seconds", "updated_at"),
    ),
}

KINDS: tuple[str, ...] = tuple(FIELDS_OF_KIND)


def pick(random: Random, values: Sequence[T]) -> T:
    """One of ``values``, uniformly; twice as fast as ``random.choice``."""
    return values[int(random.random() * len(values))]


def gtin_check_digit(twelve_digits: str) -> str:
    """The last digit of a GTIN-13 (GS1 General Specifications, 7.9)."""
    total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(twelve_digits))
    return str(-total % 10)


class Catalogue:
    """Makes clean field values; every draw comes from ``random``.

    Args:
        random: the only source of chance.
        today: the day on which all records are current.
    """

    def __init__(self, random: Random, today: date) -> None:
        self.random = random
        self.today = today
        self._recent = [(today - timedelta(days=d)).isoformat() for d in range(1, 120)]
        self._coming = [(today + timedelta(days=d)).isoformat() for d in range(30, 720)]
        self._last_year = [(today - timedelta(days=d)).isoformat() for d in range(400, 1500)]

    def recent_day(self) -> str:
        """A day within the last four months."""
        return pick(self.random, self._recent)

    def coming_day(self) -> str:
        """A day at least a month ahead."""
        return pick(self.random, self._coming)

    def long_past_day(self) -> str:
        """A day more than a year ago."""
        return pick(self.random, self._last_year)

    def make(self, kind: str, words: Vocabulary, category: Category) -> dict[str, str]:
        """Fields of a clean record of ``kind``, in the order of :data:`FIELDS_OF_KIND`."""
        random = self.random
        noun = pick(random, category.nouns)
        brand = pick(random, words.brands)
        qualifier = pick(random, words.qualifiers)
        size = pick(random, category.sizes)
        named = {"brand": brand, "qualifier": qualifier, "noun": noun, "size": size}
        space = " " if words.language == "en" else ""
        title = f"{brand} {qualifier}{space}{noun}"
        price = self._price(category)
        currency = pick(random, words.currencies)
        if kind == "product":
            return {
                "title": f"{title} {size}",
                "brand": brand,
                "category": category.name,
                "size": size,
                "price": price,
                "currency": currency,
                "text": self._copy(words.descriptions, category, **named),
                "url": self._url(),
                "gtin": self._gtin(),
                "updated_at": self.recent_day(),
            }
        if kind == "inventory":
            return {
                "title": f"{title} {size}",
                "brand": brand,
                "category": category.name,
                "size": size,
                "price": price,
                "currency": currency,
                "stock": str(int(random.random() ** 2 * 400)),
                "gtin": self._gtin(),
                "valid_until": self.coming_day(),
                "updated_at": self.recent_day(),
            }
        if kind == "review":
            rating, text = self._opinion(words, category)
            return {
                "title": title,
                "brand": brand,
                "category": category.name,
                "rating": str(rating),
                "text": text,
                "updated_at": self.recent_day(),
            }
        clicks = 1 + int(random.random() ** 2 * (900 if kind == "ad" else 40))
        purchases = int(random.random() ** 3 * clicks * 0.5)
        if kind == "ad":
            return {
                "title": title,
                "brand": brand,
                "category": category.name,
                "price": price,
                "currency": currency,
                "text": self._copy(words.ads, category, **named),
                "url": self._url(),
                "clicks": str(clicks),
                "purchases": str(purchases),
                "valid_until": self.coming_day(),
                "updated_at": self.recent_day(),
            }
        return {
            "title": title,
            "category": category.name,
            "price": price,
            "currency": currency,
            "url": self._url(),
            "clicks": str(clicks),
            "purchases": str(purchases),
            "seconds": str(5 + int(random.random() ** 2 * 1200)),
            "updated_at": self.recent_day(),
        }

    def _price(self, category: Category) -> str:
        low, high = category.price
        amount = math.floor(low * (high / low) ** self.random.random())
        return f"{amount}.{pick(self.random, ('99', '49', '90', '00', '95'))}"

    def _url(self) -> str:
        return f"https://shop.example/item/{10000 + int(self.random.random() * 9_990_000)}"

    def _gtin(self) -> str:
        digits = f"{400_000_000_000 + int(self.random.random() * 99_999_999_999):012d}"
        return digits + gtin_check_digit(digits)

    def _copy(self, templates: Sequence[str], category: Category, **words: str) -> str:
        good = pick(self.random, category.good)
        words["good"] = good[0].upper() + good[1:]
        return pick(self.random, templates).format(**words)

    def _opinion(self, words: Vocabulary, category: Category) -> tuple[int, str]:
        rating = pick(self.random, (1, 1, 2, 3, 4, 4, 5, 5, 5, 5))
        return rating, self.review_text(rating, words, category)

    def review_text(self, rating: int, words: Vocabulary, category: Category) -> str:
        """What somebody writes who gives ``rating`` stars."""
        random = self.random
        is_english = words.language == "en"
        good, bad = pick(random, category.good), pick(random, category.bad)
        opener = pick(random, words.openers)
        if rating >= 4:
            opinion, closer = good, pick(random, words.praise)
        elif rating <= 2:
            opinion, closer = bad, pick(random, words.blame)
        else:
            joint = ", but " if is_english else "，但是"
            opinion, closer = good + joint + bad, pick(random, words.neutral)
        if is_english:
            return f"{opener} {opinion[0].upper()}{opinion[1:]}. {closer}"
        return f"{opener}{opinion}。{closer}"
