"""The text that an encoder reads of a record."""

from active_learning.columns.value_parsing import text_of
from active_learning.types import Fields

VALUE_LIMIT = 2_000
"""Characters of a value that are read; encoders cut far earlier. Chosen."""


def record_text(fields: Fields) -> str:
    """The fields in order, each named, missing values said to be missing.

    >>> record_text({"title": "Tea pot", "price": None})
    'title: Tea pot | price: (missing)'
    """
    parts = []
    for name, value in fields.items():
        text = " ".join(text_of(value)[:VALUE_LIMIT].split())
        parts.append(f"{name}: {text or '(missing)'}")
    return " | ".join(parts)
