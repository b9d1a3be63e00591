"""Which labels people can be shown, and which they would take for each other."""

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from labeling.choice import Choice, Issue
from labeling.label_schema import Grade, LabelSchema
from labeling.label_studio.choice_tags import QUESTION, choice_tags, has_variable
from labeling.label_studio.label_config import build_label_config
from labeling.label_studio.screen import changes_of_screen
from labeling.label_studio.tasks import build_task_data
from labeling.shown_text import check_name, check_shown, is_blank, look_alikes


@pytest.mark.parametrize("text", [" ", "\t\n", "\u00a0", "\u3000", "\u200b", "\ufeff \u2060"])
def test_what_shows_nothing_is_blank(text: str) -> None:
    assert is_blank(text)
    with pytest.raises(ValidationError, match="blank"):
        Choice(value=text)
    with pytest.raises(ValidationError, match="blank"):
        Choice(value="x", en=text)
    with pytest.raises(ValidationError, match="blank"):
        Grade(en=text)


@pytest.mark.parametrize(
    ("text", "sign"),
    [("a\x00b", "U+0000"), ("\x1b[0m", "U+001B"), ("\uffff", "U+FFFF")],
)
def test_what_xml_cannot_hold_is_refused_by_its_sign(text: str, sign: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(sign)):
        Issue(value=text)


@pytest.mark.parametrize(
    "name",
    ["__proto__", "true", "False", "2024", "1e5", "nan", "price@shop", " ", "\u200b", "a\x07"],
)
def test_names_that_label_studio_does_not_take_are_refused(name: str) -> None:
    assert check_name(name) is not None
    with pytest.raises(ValidationError):
        Grade(name=name)


@pytest.mark.parametrize("name", ["价格/price band", "$x", " grade ", "a\nb", "constructor"])
def test_names_that_it_takes_are_taken(name: str) -> None:
    assert Grade(name=name).name == name


def test_a_project_that_there_is_stays_readable() -> None:
    stored = {
        "fields": ["a"],
        "grade": {"name": " ", "choices": [{"value": " ", "en": " "}, {"value": "b\x07"}]},
        "issues": [{"value": "x" * 90}],
    }
    with pytest.raises(ValidationError):
        LabelSchema.model_validate(stored)
    schema = LabelSchema.from_store(stored)
    assert (schema.grade.name, schema.grades) == (" ", (" ", "b\x07"))


def test_labels_that_look_alike_are_grouped() -> None:
    labels = ["good", "Good", "good ", "bad", "go od", "ｂａｄ", "fair", "straße", "STRASSE"]
    assert look_alikes(labels) == [
        ("good", "Good", "good ", "go od"),
        ("bad", "ｂａｄ"),
        ("straße", "STRASSE"),
    ]
    assert look_alikes(["1", "-1", "a", "á"]) == []


labels = st.lists(
    st.text(st.sampled_from("$ ＄[.]{}_aZ9价 \n\t\r<>&\"'\\😀-"), min_size=1, max_size=8).filter(
        lambda text: check_shown(text) is None
    ),
    min_size=2,
    max_size=6,
    unique=True,
)


@given(labels)
def test_answers_are_the_labels_whatever_they_contain(values: list[str]) -> None:
    """As Label Studio's front end makes them: the alias, else the value with variables put in."""
    tags = [ET.fromstring(tag) for tag in choice_tags([Choice(value=v) for v in values], "12")]
    assert [tag.get("alias", parsed(tag.get("value", ""), {})) for tag in tags] == values
    names = [parsed(tag.get("value", ""), {}) for tag in tags]
    assert len(set(names)) == len(names), "each has a name of its own"
    assert all(tag.get("alias") not in ("true", "false") for tag in tags)
    assert all(tag.get("html") not in ("true", "false") for tag in tags)
    texts = [ET.fromstring(f"<p>{tag.get('html')}</p>") for tag in tags]
    # Reading XML makes line ends of carriage returns, as a browser's HTML does.
    assert ["".join(text.itertext()) for text in texts] == [
        value.replace("\r\n", "\n").replace("\r", "\n") for value in values
    ]


@settings(deadline=None)  # the first example loads Label Studio's validator
@given(labels)
@example(['name="record"', 'toName="nothing"', "'x'"])
def test_the_screen_of_any_labels_asks_for_them(values: list[str]) -> None:
    declared: dict[str, Any] = {
        "fields": ["a"],
        "grade": {"name": f"q {values[0]}", "choices": values, "en": values[1]},
        "issues": values,
    }
    schema = LabelSchema.model_validate(declared)
    screen = build_label_config(schema)
    assert changes_of_screen(screen, schema) == []
    data = build_task_data("k", "1", {"a": "x"}, schema)
    shown = [parsed(tag.get("value", ""), data) for tag in ET.fromstring(screen).iter("Header")]
    assert schema.grade.question in shown
    assert (QUESTION in data) == has_variable(schema.grade.question)


def parsed(value: str, task: dict[str, Any]) -> str:
    """``parseValue`` of Label Studio's front end; what a task lacks is undefined."""
    variable = re.compile(r"\$[\w\[\].{}]+", re.ASCII)
    found = variable.search(value)
    if found and found.group() == value:
        return str(task.get(value[1:], ""))
    return variable.sub(lambda match: str(task.get(match.group()[1:], "undefined")), value)
