"""What a job says of itself, in a form that both databases keep.

JSON knows no NaN and no infinity; PostgreSQL keeps neither those nor NUL characters; UTF-8 has
no lone surrogates. A job that ends with one of them would be refused by the store.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from backend.words import Message, Worded, as_text

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def storable_message(said: str | Worded) -> str:
    """What is said, as a message where it is one, without characters that no store keeps."""
    if isinstance(said, str) and not isinstance(said, Message):
        return storable_text(said)
    message = said if isinstance(said, Message) else Message.of(said)
    return as_text(storable_text(message.as_json().replace(r"\u0000", REPLACEMENT)))


def storable_text(text: str) -> str:
    """The text; characters that no store keeps are replaced by U+FFFD."""
    kept = text.replace("\0", REPLACEMENT)
    return kept.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def storable_result(result: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A handler's result as JSON holds it: NaN and infinity, no numbers to it, become null.

    Raises:
        TypeError: it holds something else that JSON doesn't know.
        ValueError: it contains itself.
    """
    if result is None:
        return None
    plain = json.loads(json.dumps(result))
    return {storable_text(key): _storable(value) for key, value in plain.items()}


def _storable(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {storable_text(key): _storable(each) for key, each in value.items()}
    return value
