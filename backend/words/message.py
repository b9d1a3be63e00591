"""A text that people read, as its identifier and the values that it names."""

import json
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable


@runtime_checkable
class Worded(Protocol):
    """An identifier with values from any package: the English text, its places in braces."""

    @property
    def text(self) -> str: ...

    @property
    def values(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, init=False)
class Message:
    """The English text is the identifier; ``{names}`` in it stand for the values.

    A value is a number, a text, another message or several of these; other things become text.

    >>> str(Message("There is no project {project}.", project="reviews"))
    'There is no project reviews.'
    >>> str(Message.ngettext("{n} answer", "{n:,} answers", n=1200))
    '1,200 answers'
    """

    text: str
    values: Mapping[str, Any]
    plural: str | None

    def __init__(self, text: str, /, **values: Any) -> None:
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "values", {name: _value(each) for name, each in values.items()})
        object.__setattr__(self, "plural", None)

    @classmethod
    def ngettext(cls, one: str, many: str, /, *, n: int, **values: Any) -> "Message":
        """``one`` where the language says so of ``n`` things, else ``many``."""
        message = cls(one, n=n, **values)
        object.__setattr__(message, "plural", many)
        return message

    def __str__(self) -> str:
        """The text in English."""
        return render_message(self, _english)

    def __hash__(self) -> int:
        return hash(self.as_json())

    def as_json(self) -> str:
        """What the store keeps; ``as_text`` reads it again."""
        return json.dumps(_encode(self), ensure_ascii=False)


Text: TypeAlias = Message | str
"""Words of ours, or the words of somebody else, which stay as they are."""


def as_text(stored: str) -> Text:
    """The message that ``Message.as_json`` wrote; any other text is the text itself."""
    if not stored.startswith('{"text":'):
        return stored
    try:
        found = _decode(json.loads(stored))
    except (ValueError, TypeError, KeyError):
        return stored
    return found if isinstance(found, Message) else stored


LookUp: TypeAlias = Callable[[str, str | None, Any], str]
"""From a text, its plural if it has one, and the number: the words of a language."""


def render_message(message: Message, look_up: LookUp) -> str:
    """The message in the words that ``look_up`` finds, with its values.

    Where the words do not fit the values, as those of a message from an older version, English
    is tried; a text without values is never formatted, so that its braces stay what they are.
    """
    number = message.values.get("n")
    words = look_up(message.text, message.plural, number) if message.text else ""
    if not message.values:
        return words
    told = {name: _tell(each, look_up) for name, each in message.values.items()}
    for text in (words, _english(message.text, message.plural, number)):
        try:
            return text.format(**told)
        except (KeyError, IndexError, ValueError):
            continue
    return message.text


def _tell(value: Any, look_up: LookUp) -> Any:
    if isinstance(value, list):
        return look_up(LIST_SEPARATOR, None, None).join(str(_tell(each, look_up)) for each in value)
    return render_message(value, look_up) if isinstance(value, Message) else value


def _english(text: str, plural: str | None, number: Any) -> str:
    return text if plural is None or number == 1 else plural


def N_(text: str) -> str:
    """``text``, which is translated where it is shown; here it is only found for the catalogues."""
    return text


LIST_SEPARATOR = N_(", ")


def _value(value: Any) -> Any:
    if isinstance(value, Message) or value is None or type(value) in (str, bool, int, float):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, Worded):
        return Message(value.text, **value.values)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_value(each) for each in value]
    return str(value)


def _encode(value: Any) -> Any:
    if isinstance(value, Message):
        plural = {} if value.plural is None else {"plural": value.plural}
        values = {name: _encode(each) for name, each in value.values.items()}
        return {"text": value.text, **plural, "values": values}
    return [_encode(each) for each in value] if isinstance(value, list) else value


def _decode(found: Any) -> Any:
    if isinstance(found, list):
        return [_decode(each) for each in found]
    if not isinstance(found, dict):
        return found
    values = {name: _decode(each) for name, each in found["values"].items()}
    if "plural" in found:
        return Message.ngettext(found["text"], found["plural"], **values)
    return Message(found["text"], **values)
