"""Which texts people can be shown in Label Studio, letter by letter."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from pydantic_core import PydanticCustomError

from labeling.declaration import broken_rule
from labeling.words import Words

NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped (its production 2, Char)."""
UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
"""Unicode categories of blanks, controls and marks of format."""
NOT_IN_A_NAME = "@"
"""Label Studio's front end cuts the name of a question off there."""
NO_NAMES = ("__proto__",)
"""Names under which Label Studio's front end finds nothing again."""
READ_AS_TRUTH = ("true", "false")
"""Label Studio's front end reads these as truth values wherever they are no ``value``."""


def is_blank(text: str) -> bool:
    """True if there is nothing to be seen of it."""
    return all(unicodedata.category(letter) in UNSEEN for letter in text)


def check_shown(text: str) -> PydanticCustomError | None:
    """Why people cannot be shown that text; None where they can."""
    if is_blank(text):
        return broken_rule(
            Words("is {text!r}, which is blank", text=text), Words("Write what people shall see.")
        )
    found = NOT_IN_XML.search(text)
    if found:
        sign = f"U+{ord(found.group()):04X}"
        return broken_rule(
            Words(
                "is {text!r:.60} with the character {sign}, which Label Studio cannot show",
                text=text,
                sign=sign,
            ),
            Words("Leave it out."),
        )
    return None


def check_name(text: str) -> PydanticCustomError | None:
    """Why no question can have that name; None where one can."""
    if refused := check_shown(text):
        return refused
    if NOT_IN_A_NAME in text:
        return broken_rule(
            Words(
                "is {text!r:.60}; Label Studio loses the answers to a name with {sign!r}",
                text=text,
                sign=NOT_IN_A_NAME,
            ),
            Words("Leave it out; the title, 'en' and 'zh', may have it."),
        )
    if text in NO_NAMES or text.lower() in READ_AS_TRUTH or _is_number(text):
        return broken_rule(
            Words("is {text!r}, which Label Studio does not take for a name", text=text),
            Words("Choose another name."),
        )
    return None


def _is_number(text: str) -> bool:
    """True if Label Studio's server reads it as one, as Python does; it wants texts as names."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def look_alikes(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """Groups of texts that differ in nothing but blanks, case or the form of their letters."""
    groups = defaultdict(list)
    for text in texts:
        bare = unicodedata.normalize("NFKC", text).casefold()
        groups["".join(letter for letter in bare if not is_blank(letter))].append(text)
    return [tuple(group) for group in groups.values() if len(group) > 1]
