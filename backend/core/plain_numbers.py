"""Which texts are plain numbers: those that every program writes numbers as."""

import re
from decimal import Decimal

PLAIN_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
"""As a regular expression of the whole text."""
_PLAIN = re.compile(PLAIN_NUMBER)


def is_plain_number(text: str) -> bool:
    """True if the text is a number as JSON has it.

    >>> [is_plain_number(text) for text in ("-3", "0.50", "1e-05", "007", "+5", "1,5", " 1", "")]
    [True, True, True, False, False, False, False, False]
    """
    return _PLAIN.fullmatch(text) is not None


def exact_number(value: object) -> Decimal | None:
    """The number that ``value`` is, or is written as; None if it is none (booleans are not).

    A float is the shortest decimal that gives it.

    >>> exact_number("2.50") == exact_number(2.5), exact_number("007"), exact_number(True)
    (True, None, None)
    """
    try:
        match value:
            case bool():
                return None
            case int():
                return Decimal(value)
            case float():
                return Decimal(repr(float(value)))
            case str() if is_plain_number(value):
                return Decimal(value)
    except ArithmeticError:  # an exponent beyond what any number has
        return None
    return None
