"""Each fault of a declaration is one sentence with place, value and remedy."""

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from labeling.declaration import faults_of
from labeling.label_schema import LabelSchema
from labeling.label_studio.label_mapping import LabelMapping


def schema_faults(text: str) -> list[str]:
    declared = {"fields": ["title", "price"], **yaml.safe_load(text)}
    with pytest.raises(ValidationError) as caught:
        LabelSchema.model_validate(declared)
    return [str(fault) for fault in faults_of(caught.value, LabelSchema)]


AS_TEXT = "a text is wanted. Put the text in quotes, letter by letter, such as"
AS_TRUTH = (
    "a text is wanted. YAML reads yes, no, on, off, true and false without quotes as that: put "
    'the text in quotes, such as "yes".'
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("grade: {choices: [5, b]}", f'grade.choices[0].value is the number 5; {AS_TEXT} "5".'),
        (
            "grade: {choices: [a, {value: 2020-01-31}]}",
            f'grade.choices[1].value is the date 2020-01-31; {AS_TEXT} "2020-01-31".',
        ),
        ("grade: {choices: [yes, b]}", f"grade.choices[0].value is true; {AS_TRUTH}"),
        ("grade: {choices: [a, {value: off}]}", f"grade.choices[1].value is false; {AS_TRUTH}"),
        (
            "grade: {choices: [a, null]}",
            "grade.choices[1].value is empty. Write its value after it, or leave the key out.",
        ),
        (
            "grade: {choices: [a, [b]]}",
            "grade.choices[1] is a list; a mapping is wanted. Write keys below it: value, en, zh.",
        ),
        (
            "grade: {choices: {a: good}}",
            "grade.choices is a mapping; a list is wanted. Write a list, such as choices: [a, b].",
        ),
        (
            "grade: [a, b]",
            "grade is a list; a mapping is wanted. Write keys below it: name, choices, ordered, "
            "en, zh.",
        ),
        ("grade: {choices: [a]}", "grade.choices has 1 value. Give at least two."),
        ("grade: {choices: [a, b, a]}", "grade.choices names ['a'] twice. Each may stand once."),
        (
            "grade: {nam: x}",
            "grade.nam is not a key that is known there. Did you mean 'name'? Known are: name, "
            "choices, ordered, en, zh.",
        ),
        (
            "issues: [{vlaue: x, value: y}]",
            "issues[0].vlaue is not a key that is known there. Did you mean 'value'? Known are: "
            "value, en, zh, dimension, fields.",
        ),
        ("issues: [{en: x}]", "issues[0].value is missing. Write value: with its value."),
        (
            "issues: [{value: x, dimension: accurate}]",
            "issues[0].dimension is 'accurate'. Did you mean 'accuracy'? Known are: completeness, "
            "accuracy, consistency, timeliness, validity, uniqueness, security.",
        ),
        (
            "issues: [{value: x, fields: [colour]}]",
            "issues[0].fields names ['colour'] for 'x', which 'fields' does not have. Choose from "
            "title, price.",
        ),
        ("rationale: perhaps", "rationale is 'perhaps'. Write true or false."),
        ("fields: []", "fields is an empty list. Name at least one."),
        (
            "fields: title",
            "fields is 'title'; a list is wanted. Write a list, such as fields: [a, b].",
        ),
        (
            "grade: {name: ' '}",
            "grade.name is ' ', which is blank. Write what people shall see.",
        ),
        (
            "grade: {choices: [a, b, c, {value: ' '}]}",
            "grade.choices[3].value is ' ', which is blank. Write what people shall see.",
        ),
        (
            "grade: {choices: [a, '']}",
            "grade.choices[1].value is an empty text. Write at least one character.",
        ),
        (
            f"issues: [{'x' * 75}]",
            "issues[0].value has 75 characters. Write at most 74; the titles, 'en' and 'zh', may "
            "be longer.",
        ),
        (
            f"grade: {{choices: [a, {'x' * 101}]}}",
            "grade.choices[1].value has 101 characters. Write at most 100.",
        ),
    ],
)
def test_one_fault_is_one_sentence(text: str, sentence: str) -> None:
    assert schema_faults(text) == [sentence]


def test_half_a_character_is_told() -> None:
    with pytest.raises(ValidationError) as caught:
        LabelSchema.model_validate({"fields": ["a"], "grade": {"choices": ["a", "\ud800"]}})
    assert [str(fault) for fault in faults_of(caught.value, LabelSchema)] == [
        "grade.choices[1].value holds half a character. Write whole ones, in UTF-8."
    ]


def test_several_faults_are_told_in_the_order_of_the_parts() -> None:
    told = schema_faults("grade: {name: ' ', choices: [1, b]}\nisues: []\nrationale: x")
    assert [sentence.split(" ")[0] for sentence in told] == [
        "grade.name",
        "grade.choices[0].value",
        "rationale",
        "isues",
    ]


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        (
            {"controls": {"mood": "rational"}},
            "controls.mood is 'rational'. Did you mean 'rationale'? Known are: rationale, ignore.",
        ),
        (
            {"controls": {"mood": {"grade": {"happy": 5}}}},
            "controls.mood.grade.happy is the number 5; a text is wanted. Put the text in quotes, "
            'letter by letter, such as "5".',
        ),
        (
            {"controls": {"mood": {"grade": {1: "good"}}}},
            "controls.mood.grade has the key the number 1. Put the text in quotes, letter by "
            'letter, such as "1".',
        ),
        (
            {"controls": {"mood": {"grade": {"a": "b"}, "issues": {"c": "d"}}}},
            "controls.mood has grade, issues. Give exactly one of grade, issues and "
            "faulty_fields, with values.",
        ),
        (
            {"record": {"fields": ["a"]}},
            "record.fields is a list; a mapping is wanted. Write key: value below it.",
        ),
        (
            {"recrod": {}},
            "recrod is not a key that is known there. Did you mean 'record'? Known are: record, "
            "controls, annotators, same_server, label_schema.",
        ),
    ],
)
def test_mappings_are_told_alike(mapping: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LabelMapping.model_validate(mapping)
    assert [str(fault) for fault in faults_of(caught.value, LabelMapping)] == [sentence]


def test_user_ids_may_be_numbers() -> None:
    assert LabelMapping.model_validate({"annotators": {5: "a@b"}}).annotators == {"5": "a@b"}
