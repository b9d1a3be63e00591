"""A text that people read, as its identifier and the values that it names."""

import json
import numbers
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Protocol, Self, TypeAlias, runtime_checkable

from pydantic import SkipValidation


@runtime_checkable
class Worded(Protocol):
    """An identifier with values from any package: the English text, its places in braces."""

    @property
    def text(self) -> str: ...

    @property
    def values(self) -> Mapping[str, Any]: ...


class Message(str):
    """English words that know their identifier and values, for a catalogue to say them again.

    The identifier ``text`` is English; ``{names}`` in it stand for the values. A value is a
    number, a text, another message or several of these; other things become text. What is made
    of a message by slicing or joining is English text and no message.

    >>> Message("There is no project {project}.", project="reviews")
    'There is no project reviews.'
    >>> Message.ngettext("{n} answer", "{n:,} answers", n=1200)
    '1,200 answers'
    """

    __slots__ = ("plural", "text", "values")
    text: str
    plural: str | None
    values: Mapping[str, Any]

    def __new__(cls, text: str, /, **values: Any) -> Self:
        return cls._make(text, None, values)

    @classmethod
    def ngettext(cls, one: str, many: str, /, *, n: int, **values: Any) -> Self:
        """``one`` where the language says so of ``n`` things, else ``many``."""
        return cls._make(one, many, {"n": n, **values})

    @classmethod
    def of(cls, worded: Worded) -> Self:
        """What another package says."""
        return cls._make(worded.text, getattr(worded, "plural", None), worded.values)

    @classmethod
    def _make(cls, text: str, plural: str | None, values: Mapping[str, Any]) -> Self:
        kept = {name: _value(each) for name, each in values.items()}
        made = super().__new__(cls, _words(text, plural, kept, _english))
        made.text, made.plural, made.values = text, plural, kept
        return made

    def __reduce__(self) -> Any:
        return type(self)._make, (self.text, self.plural, self.values)

    def words(self, look_up: "LookUp") -> str:
        """The message in the words that ``look_up`` finds, with its values."""
        return _words(self.text, self.plural, self.values, look_up)

    def as_json(self) -> str:
        """What the store keeps; ``as_text`` reads it again."""
        return json.dumps(_encode(self), ensure_ascii=False)


Said: TypeAlias = Annotated[str, SkipValidation]
"""A field of a schema that keeps a message as it is; in JSON it is its English text."""
LookUp: TypeAlias = Callable[[str, str | None, Any], str]
"""From a text, its plural if it has one, and the number: the words of a language."""


def as_text(stored: str) -> str:
    """The message that ``Message.as_json`` wrote; any other text is the text itself."""
    if not stored.startswith('{"text":'):
        return stored
    try:
        found = _decode(json.loads(stored))
    except (ValueError, TypeError, KeyError):
        return stored
    return found if isinstance(found, Message) else stored


def N_(text: str) -> str:
    """``text``, which is translated where it is shown; here it is only found for the catalogues."""
    return text


LIST_SEPARATOR = N_(", ")


def _words(text: str, plural: str | None, values: Mapping[str, Any], look_up: LookUp) -> str:
    """Where the words do not fit the values, as those of an older version, English is tried.

    A text without values is never formatted, so that its braces stay what they are.
    """
    number = values.get("n")
    words = look_up(text, plural, number) if text else ""
    if not values:
        return words
    told = {name: _tell(each, look_up) for name, each in values.items()}
    for each in (words, _english(text, plural, number)):
        try:
            return each.format(**told)
        except (KeyError, IndexError, ValueError, TypeError):
            continue
    return text


def _tell(value: Any, look_up: LookUp) -> Any:
    if isinstance(value, list):
        return look_up(LIST_SEPARATOR, None, None).join(str(_tell(each, look_up)) for each in value)
    return value.words(look_up) if isinstance(value, Message) else value


def _english(text: str, plural: str | None, number: Any) -> str:
    return text if plural is None or number == 1 else plural


def _value(value: Any) -> Any:
    if isinstance(value, Message) or value is None or type(value) in (str, bool, int, float):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, Worded):
        return Message.of(value)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
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
