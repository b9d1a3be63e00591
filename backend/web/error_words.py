"""What services say of errors that people meet on pages, in the reader's language.

Errors are written in English with the names they are about. Those here are frequent on pages;
the others stay English.
"""

import re
from functools import lru_cache
from itertools import count

from backend.words import Translate

ERRORS = (
    "A user {address} exists.",
    "There is no user {email}.",
    "{email} is the only administrator who can log in.",
    "{email} is not an e-mail address.",
    "A user cannot have the role {role}.",
    "This needs the role {role}; {name} is {role_held}.",
    "Exports with people's names need the role lead; {name} is {role_held}.",
    "The label schema has no grade {grade}.",
    "{what} has no confidence to filter by.",
    "{field} cannot be {value}.",
    "Project {project} has no bulk action {bulk}.",
    "Project {project} labels the dataset {dataset}.",
    "The mapping {file} is not usable: {problem}.",
    "Case {case} is not as you read it: {author} has since chosen '{action}'.",
    "Case {case} is not as you read it: new answers or findings have come in.",
)
REMEDIES = (
    "Use one of {roles}.",
    "Choose one of: {values}.",
    "Choose one of {grades}, or mark it as ambiguous.",
    "The label schema has: {values}.",
)
_NUMBER = re.compile(r"\d[\d,]*")
_PLACE = re.compile(r"\{(\w+)\}")


def progress_message(message: str, t: Translate) -> str:
    """What a job says of its progress, in the reader's language.

    Messages are stored in English with their numbers; in the catalogue these are {n1}, {n2} …
    What follows a semicolon, as the time left, is a message by itself.
    """
    head, semicolon, tail = message.partition("; ")
    if semicolon and (first := _part(head, t)) != head:
        return f"{first}{t('; ')}{_part(tail, t)}"
    return _part(message, t)


def _part(message: str, t: Translate) -> str:
    places = count(1)
    key = _NUMBER.sub(lambda _: f"{{n{next(places)}}}", message)
    words = t(key)
    if words == key:
        return message
    numbers = _NUMBER.findall(message)
    return words.format(**{f"n{place}": number for place, number in enumerate(numbers, 1)})


def error_message(message: str, t: Translate) -> str:
    """An error's message or remedy in the reader's language; its names stay as they are."""
    words = progress_message(message, t)
    if words != message:
        return words
    for template, pattern in _patterns():
        found = pattern.fullmatch(message)
        if found:
            named = found.groupdict()
            told = {name: t(each) if "role" in name else each for name, each in named.items()}
            return t(template, **told)
    return message


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(template, _pattern(template)) for template in (*ERRORS, *REMEDIES)]


def _pattern(template: str) -> re.Pattern[str]:
    literal, *rest = _PLACE.split(template)
    parts = [re.escape(literal)]
    for name, following in zip(rest[::2], rest[1::2], strict=True):
        parts += [f"(?P<{name}>.+?)", re.escape(following)]
    return re.compile("".join(parts), re.DOTALL)
