"""Errors put into clean demo records, each with what it broke.

An injector changes ``fields`` in place and returns the fault, or returns None and changes
nothing where the record has nothing to break. The rates are in :data:`ISSUE_WEIGHTS`.
"""

from collections.abc import Callable
from itertools import accumulate

from backend.demo.catalogue import Catalogue, pick
from backend.demo.truth import Fault
from backend.demo.vocabulary import Category, Vocabulary

Injector = Callable[["RecordDraft"], "Fault | None"]

FAULT_COUNT_WEIGHTS: tuple[float, ...] = (0.55, 0.33, 0.12)
"""Share of records with no, one and two injected errors."""

ISSUE_WEIGHTS: dict[str, dict[str, float]] = {
    "product": {
        "missing_value": 0.28,
        "invalid_format": 0.18,
        "wrong_price": 0.18,
        "inconsistent_units": 0.10,
        "stale_date": 0.10,
        "wrong_category": 0.06,
        "typo": 0.06,
        "duplicate": 0.04,
    },
    "inventory": {
        "missing_value": 0.26,
        "invalid_format": 0.16,
        "wrong_price": 0.18,
        "inconsistent_units": 0.10,
        "stale_date": 0.18,
        "wrong_category": 0.04,
        "typo": 0.04,
        "duplicate": 0.04,
    },
    "review": {
        "missing_value": 0.12,
        "invalid_format": 0.08,
        "spam": 0.34,
        "private_data": 0.26,
        "contradiction": 0.08,
        "wrong_category": 0.03,
        "typo": 0.06,
        "duplicate": 0.03,
    },
    "ad": {
        "missing_value": 0.18,
        "invalid_format": 0.16,
        "wrong_price": 0.18,
        "stale_date": 0.18,
        "private_data": 0.16,
        "impossible_behaviour": 0.08,
        "wrong_category": 0.03,
        "typo": 0.03,
    },
    "behaviour": {
        "missing_value": 0.26,
        "invalid_format": 0.18,
        "wrong_price": 0.18,
        "impossible_behaviour": 0.36,
        "wrong_category": 0.02,
    },
}
"""Relative frequency of each issue among the injected errors of a kind."""

ISSUES_OF_KIND: dict[str, tuple[tuple[str, ...], list[float]]] = {
    kind: (tuple(weights), list(accumulate(weights.values())))
    for kind, weights in ISSUE_WEIGHTS.items()
}


class RecordDraft:
    """A record being broken: its fields and what is needed to break them plausibly."""

    def __init__(
        self,
        kind: str,
        fields: dict[str, str],
        words: Vocabulary,
        category: Category,
        catalogue: Catalogue,
    ) -> None:
        self.kind = kind
        self.fields = fields
        self.words = words
        self.category = category
        self.catalogue = catalogue
        self.random = catalogue.random
        self.broken: set[str] = set()

    def intact(self, *names: str) -> list[str]:
        """Those of ``names`` that the record has, filled and not yet broken."""
        fields, broken = self.fields, self.broken
        return [name for name in names if fields.get(name) and name not in broken]

    def replace(self, issue: str, name: str, value: str) -> Fault | None:
        """Put ``value`` into a field; None if that would change nothing."""
        right = self.fields[name]
        if value == right:
            return None
        self.fields[name] = value
        self.broken.add(name)
        return Fault(issue, {name: right})


PLACEHOLDERS = ("NULL", "unknown", "???", "-", "TBD", "待补充")
"""What people type where they have no value."""


def missing_value(draft: RecordDraft) -> Fault | None:
    """A value of the record's kind is empty (half of the time) or a placeholder."""
    names = draft.intact("brand", "category", "size", "price", "text", "gtin", "rating", "stock")
    if not names:
        return None
    value = "" if draft.random.random() < 0.5 else pick(draft.random, PLACEHOLDERS)
    return draft.replace("missing_value", pick(draft.random, names), value)


def wrong_category(draft: RecordDraft) -> Fault | None:
    """The value of another category of the same language."""
    if not draft.intact("category"):
        return None
    other = pick(draft.random, draft.words.categories).name
    return draft.replace("wrong_category", "category", other)


def wrong_price(draft: RecordDraft) -> Fault | None:
    """Off by a factor of 10 or 100 or 1/10 (60 %), negative (10 %), wrong currency (30 %)."""
    chance = draft.random.random()
    if chance < 0.3 and draft.intact("currency"):
        currency = pick(draft.random, draft.words.wrong_currencies)
        return draft.replace("wrong_price", "currency", currency)
    if not draft.intact("price"):
        return None
    amount = float(draft.fields["price"])
    factor = -1.0 if chance > 0.9 else pick(draft.random, (10.0, 100.0, 100.0, 0.1))
    return draft.replace("wrong_price", "price", f"{amount * factor:.2f}")


SHORTEST_TYPO = 4


def typo(draft: RecordDraft) -> Fault | None:
    """One to three slips in the title or brand: letters swapped, dropped or doubled."""
    names = [n for n in draft.intact("title", "brand") if len(draft.fields[n]) >= SHORTEST_TYPO]
    if not names:
        return None
    name = pick(draft.random, names)
    text = draft.fields[name]
    for _ in range(1 + int(draft.random.random() * 3)):
        at = 1 + int(draft.random.random() * (len(text) - 2))
        slip = draft.random.random()
        if slip < 0.4:
            text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        elif slip < 0.7:
            text = text[:at] + text[at + 1 :]
        else:
            text = text[:at] + text[at] + text[at:]
        if len(text) < SHORTEST_TYPO:
            break
    return draft.replace("typo", name, text)


UNIT_SLIPS = {
    "ml": "L",
    "L": "ml",
    "g": "kg",
    "kg": "g",
    "pc": "kg",
    "pcs": "ml",
    "pair": "kg",
    "件": "kg",
    "副": "ml",
    "码": "cm",
}


def inconsistent_units(draft: RecordDraft) -> Fault | None:
    """The size says another unit than the title (500 ml against 500 L)."""
    if not draft.intact("size"):
        return None
    size = draft.fields["size"]
    left, _, right = size.partition(" ")
    unit = UNIT_SLIPS.get(right)
    wrong = f"{left} {unit}" if unit else f"{right} {left}"  # "EU 42" becomes "42 EU"
    return draft.replace("inconsistent_units", "size", wrong)


def stale_date(draft: RecordDraft) -> Fault | None:
    """Expired (where the kind has an end date), else not updated for more than a year."""
    for name in ("valid_until", "updated_at"):
        if draft.intact(name):
            return draft.replace("stale_date", name, draft.catalogue.long_past_day())
    return None


def invalid_format(draft: RecordDraft) -> Fault | None:
    """A date that does not exist, a GTIN with a wrong check digit or length, a broken address."""
    names = draft.intact("updated_at", "gtin", "url", "valid_until")
    if not names:
        return None
    name = pick(draft.random, names)
    right = draft.fields[name]
    if name == "gtin":
        wrong_digit = str((int(right[-1]) + 1 + int(draft.random.random() * 9)) % 10)
        wrong = pick(draft.random, (right[:-1] + wrong_digit, right[:-4], f"GTIN {right}?"))
    elif name == "url":
        wrong = pick(
            draft.random,
            (right.replace("https://", "htp:/"), right.replace("https://", ""), f"{right} #ERR"),
        )
    else:
        year, month, day = right.split("-")
        wrong = pick(
            draft.random,
            (f"{day}.{month}.{year[2:]}", f"{year}-13-{day}", f"{month}/{day}", "0000-00-00"),
        )
    return draft.replace("invalid_format", name, wrong)


def spam(draft: RecordDraft) -> Fault | None:
    """Advertising, fraud or noise in place of a review."""
    if not draft.intact("text"):
        return None
    return draft.replace("spam", "text", _fill(draft, draft.words.spam))


def private_data(draft: RecordDraft) -> Fault | None:
    """A telephone number, an e-mail address or a home address in the text."""
    if not draft.intact("text"):
        return None
    joint = " " if draft.words.language == "en" else ""
    leaked = draft.fields["text"] + joint + _fill(draft, draft.words.leaks)
    return draft.replace("private_data", "text", leaked)


def contradiction(draft: RecordDraft) -> Fault | None:
    """Five stars over a complaint, or one star over praise."""
    if len(draft.intact("rating", "text")) < 2 or draft.fields["rating"] == "3":
        return None
    wrong = "1" if int(draft.fields["rating"]) > 3 else "5"
    return draft.replace("contradiction", "rating", wrong)


def impossible_behaviour(draft: RecordDraft) -> Fault | None:
    """More purchases than clicks, or a negative time on the page."""
    if draft.intact("seconds") and draft.random.random() < 0.5:
        return draft.replace("impossible_behaviour", "seconds", "-" + draft.fields["seconds"])
    if len(draft.intact("clicks", "purchases")) < 2:
        return None
    clicks = int(draft.fields["clicks"])
    bought = clicks * 3 + 50 + int(draft.random.random() * 500)
    return draft.replace("impossible_behaviour", "purchases", str(bought))


def _fill(draft: RecordDraft, templates: tuple[str, ...]) -> str:
    random = draft.random
    return pick(random, templates).format(
        n=10 + int(random.random() * 890),
        m=1000 + int(random.random() * 8999),
        name=pick(random, draft.words.names),
    )


INJECTORS: dict[str, Injector] = {
    "missing_value": missing_value,
    "wrong_category": wrong_category,
    "wrong_price": wrong_price,
    "typo": typo,
    "inconsistent_units": inconsistent_units,
    "stale_date": stale_date,
    "invalid_format": invalid_format,
    "spam": spam,
    "private_data": private_data,
    "contradiction": contradiction,
    "impossible_behaviour": impossible_behaviour,
}
"""Every issue but ``duplicate``, which needs another record."""
