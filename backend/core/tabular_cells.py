"""Cells that no spreadsheet runs as a formula, and back."""

import re

from backend.core.plain_numbers import is_plain_number

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def safe_text(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would run it as a formula.

    That is where it begins with ``=``, ``+``, ``-``, ``@``, their full-width forms, tab or line
    end, also after apostrophes. A plain number stays as it is: it is harmless.

    >>> [safe_text(text) for text in ("=1+1", "'=1+1", "- none -", "it's", "-0.5")]
    ["'=1+1", "''=1+1", "'- none -", "it's", '-0.5']
    """
    return f"'{text}" if _needs_apostrophe(text) else text


def original_text(text: str) -> str:
    """What ``safe_text`` made this of: the inverse for every text.

    >>> [original_text(text) for text in ("'=1+1", "''=1+1", "'tis", "'-0.5")]
    ['=1+1', "'=1+1", "'tis", "'-0.5"]
    """
    is_safe = text.startswith("'") and _needs_apostrophe(text[1:])
    return text[1:] if is_safe else text


def _needs_apostrophe(text: str) -> bool:
    return _FORMULA.match(text) is not None and not is_plain_number(text)
