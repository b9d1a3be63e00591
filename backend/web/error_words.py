"""What services say of errors that people meet on pages, in the reader's language.

Errors are written in English with the names they are about. Those here are frequent on pages;
the others stay English.
"""

import re
from functools import lru_cache

from backend.web.language import Translate, progress_message

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
_PLACE = re.compile(r"\{(\w+)\}")


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
