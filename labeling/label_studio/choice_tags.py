"""Labels and titles as Label Studio's tags, so that each is seen and comes back letter by letter.

Label Studio's front end takes every ``$word`` of a ``value`` for a variable of the task, shows
HTML with its blanks run together, and reads ``true`` and ``false`` as truth values in every
attribute but ``value``.
"""

import re
from collections.abc import Sequence
from html import escape
from xml.sax import saxutils

from labeling.choice import Choice
from labeling.shown_text import READ_AS_TRUTH

VARIABLE = re.compile(r"\$[\w\[\].{}]", re.ASCII)
"""Where a variable begins; the expression of the front end's ``parseValue`` in 1.23."""
QUESTION = "question"
"""The task's variable that holds the title of the question where it looks like one."""
RUN_TOGETHER = re.compile(r"^\s|\s$|\s\s|[\t\n\r]")
IN_AN_ATTRIBUTE = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
KEPT = "white-space:pre-wrap"
HEADER_STYLE = "margin:10px 0"
"""What Label Studio gives a header without a style."""


def choice_tags(choices: Sequence[Choice], keys: str) -> list[str]:
    """One tag for each choice, with its key where there is one left.

    The answer is the alias where there is one, as it is; what is shown is ``html``.
    """
    values = {choice.value for choice in choices}
    lines = []
    for index, choice in enumerate(choices):
        hotkey = f' hotkey="{keys[index]}"' if index < len(keys) else ""
        html = quote(_as_html(choice.title))
        lines.append(f"<Choice {_answer(choice.value, values)} html={html}{hotkey}/>")
    return lines


def quote(text: str) -> str:
    """The text as an attribute's value, in double quotes whatever it contains.

    Label Studio looks for ``name="…"`` in the whole text of a config, inside labels too.
    """
    return f'"{saxutils.escape(text, IN_AN_ATTRIBUTE)}"'


def has_variable(text: str) -> bool:
    """True if Label Studio would put something else in the place of a part of the value."""
    return VARIABLE.search(text) is not None


def header_value(title: str) -> str:
    """The title as a quoted attribute; a variable where it would be taken for one."""
    return quote(f"${QUESTION}" if has_variable(title) else title)


def header_style(title: str) -> str:
    """The attribute that keeps the title's blanks, where they would run together."""
    return f' style="{HEADER_STYLE};{KEPT}"' if RUN_TOGETHER.search(title) else ""


def question_data(title: str) -> dict[str, str]:
    """What a task has to hold so that the title is seen; nothing for most."""
    return {QUESTION: title} if has_variable(title) else {}


def _answer(value: str, others: set[str]) -> str:
    """The attributes that make the answer: the value, else an alias beside a harmless one."""
    if not has_variable(value):
        return f"value={quote(value)}"
    harmless = value.replace("$", "＄")
    while harmless in others:
        harmless += "＄"
    return f"value={quote(harmless)} alias={quote(value)}"


def _as_html(title: str) -> str:
    html = escape(title)
    if RUN_TOGETHER.search(title):
        return f'<span style="{KEPT}">{html}</span>'
    return f"<span>{html}</span>" if title in READ_AS_TRUTH else html
