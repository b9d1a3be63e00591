"""A field's value as text, as it is searched and filtered."""

from typing import Any


def value_text(value: Any) -> str | None:
    """The value as text; None where there is none: null and empty text are the same.

    >>> [value_text(value) for value in (None, "", "007", 2.0, 2.5, True)]
    [None, None, '007', '2', '2.5', 'true']
    """
    match value:
        case None | "":
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 2**53:
            return str(int(value))
        case _:
            return str(value)
