"""A text that people read, as its identifier and the values that it names."""

import json
import numbers
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Protocol, Self, TypeAlias, runtime_checkable

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, SkipValidation
from pydantic_core import core_schema


@runtime_checkable
class Worded(Protocol):
    """An identifier with values from any package: the English text, its places in braces."""

    @property
    def text(self) -> str: ...

    @property
    def values(self) -> Mapping[str, Any]: ...


Progress: TypeAlias = Callable[[float, "str | Worded"], None]
"""Called with (share done from 0 to 1, what is being done)."""


class Message(str):
    """English words that know their identifier and values, for a catalogue to say them again.

    The identifier ``text`` is English; ``{names}`` in it stand for the values. A value is a
    number, a text, another message or several of these; an error is what it says, other things
    become text. What is made
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
    def of(cls, worded: Worded | str) -> Self:
        """What another package says; the words of somebody else as they are."""
        if not isinstance(worded, Worded):
            return cls._make(worded, None, {})
        return cls._make(worded.text, getattr(worded, "plural", None), worded.values)

    @classmethod
    def of_error(cls, error: BaseException) -> str:
        """The message that an error was made with; else its text, which is English."""
        said = error.args[0] if error.args else None
        return cls.of(said) if isinstance(said, Worded) else str(error)

    @classmethod
    def _make(cls, text: str, plural: str | None, values: Mapping[str, Any]) -> Self:
        kept = {name: _value(each) for name, each in values.items()}
        made = super().__new__(cls, _words(text, plural, kept, _english))
        made.text, made.plural, made.values = text, plural, kept
        return made

    @classmethod
    def from_json(cls, found: Any) -> "Message":
        """The message that ``to_json`` made; also ``{"en": …, "zh": …}``, as it was kept before.

        Raises:
            ValueError: it is neither.
        """
        try:
            message = _decode(found)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{found!r} is no message: it needs text and values.") from error
        if not isinstance(message, Message):
            raise ValueError(f"{found!r} is no message.")
        return message

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """The same text with these values."""
        return self._make(self.text, self.plural, values)

    def __reduce__(self) -> Any:
        return type(self)._make, (self.text, self.plural, self.values)

    def words(self, look_up: "LookUp") -> str:
        """The message in the words that ``look_up`` finds, with its values."""
        return _words(self.text, self.plural, self.values, look_up)

    def to_json(self) -> dict[str, Any]:
        """Text, plural if it has one, and values."""
        encoded: dict[str, Any] = _encode(self)
        return encoded

    def as_json(self) -> str:
        """What the store keeps; ``as_text`` reads it again."""
        return json.dumps(self.to_json(), ensure_ascii=False)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: type[Any], _handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _validate, serialization=core_schema.plain_serializer_function_ser_schema(_encode)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "object",
            "title": "Message",
            "required": ["text", "values"],
            "properties": {
                "text": {"type": "string", "description": "English, identifies the text"},
                "plural": {"type": "string", "description": "where the text depends on n"},
                "values": {"type": "object", "description": "by name; messages among them"},
            },
        }


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
IN_BOTH = N_("{en}")
"""A text that is its English value; its translation is the value in the other language."""


def in_both(en: str, zh: str) -> Message:
    """Words that somebody wrote in both languages, as the titles of a label schema."""
    return Message(IN_BOTH, en=en, zh=zh)


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
    if isinstance(value, BaseException):
        value = Message.of_error(value)
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


def _validate(value: Any) -> Message:
    if isinstance(value, Mapping):
        return Message.from_json(value)
    if isinstance(value, Worded | str):
        return Message.of(value)
    raise ValueError("give a message: text and values")


def _encode(value: Any) -> Any:
    if isinstance(value, Message):
        plural = {} if value.plural is None else {"plural": value.plural}
        values = {name: _encode(each) for name, each in value.values.items()}
        return {"text": value.text, **plural, "values": values}
    return [_encode(each) for each in value] if isinstance(value, list) else value


def _decode(found: Any) -> Any:
    if isinstance(found, list):
        return [_decode(each) for each in found]
    if not isinstance(found, Mapping):
        return found
    if set(found) == {"en", "zh"}:
        return in_both(found["en"], found["zh"])
    values = {name: _decode(each) for name, each in found["values"].items()}
    if "plural" in found:
        return Message.ngettext(found["text"], found["plural"], **values)
    return Message(found["text"], **values)
