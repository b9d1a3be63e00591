"""Messages that name a project's grades and issues, with the titles that its label schema has."""

from typing import Any

from active_learning.types import CLASS_NAME
from backend.words import Message, Worded, in_both
from labeling.label_schema import LabelSchema, Titles

ISSUE_NAME = "{issue_name}"
"""The text of an issue's name inside another message, as ``CLASS_NAME`` is of a grade's."""


def issue_mention(name: str) -> Message:
    """The name of an issue inside another message."""
    return Message(ISSUE_NAME, issue_name=name)


def with_titles(message: Worded | str, schema: LabelSchema) -> Message:
    """The same, with the titles of now where it names grades and issues.

    One that the schema has no more keeps its name.
    """
    return _put_titles(Message.of(message), schema.titles("en"), schema.titles("zh"))


def _put_titles(message: Message, en: Titles, zh: Titles) -> Message:
    if message.text == CLASS_NAME:
        grade = str(message.values["class_name"])
        return in_both(en.grade(grade), zh.grade(grade))
    if message.text == ISSUE_NAME:
        issue = str(message.values["issue_name"])
        return in_both(en.issue(issue), zh.issue(issue))
    return message.with_values({name: _of(each, en, zh) for name, each in message.values.items()})


def _of(value: Any, en: Titles, zh: Titles) -> Any:
    if isinstance(value, list):
        return [_of(each, en, zh) for each in value]
    return _put_titles(value, en, zh) if isinstance(value, Message) else value
