import copy
import pickle

import numpy as np
import pytest
from pydantic import ValidationError

from backend.words import Message, WithReason, as_text, in_every_language, translator


def test_english_is_the_identifier_with_its_values() -> None:
    assert str(Message("{done:,} of {all:,} records", done=1200, all=np.int64(3400))) == (
        "1,200 of 3,400 records"
    )
    assert str(Message("no values: {braces} {0}")) == "no values: {braces} {0}"
    assert str(Message("{file!r} is {share:.0%} empty", file="a.csv", share=0.5)) == (
        "'a.csv' is 50% empty"
    )


@pytest.mark.parametrize(("n", "words"), [(0, "0 answers"), (1, "1 answer"), (2, "2 answers")])
def test_one_is_not_many(n: int, words: str) -> None:
    assert str(Message.ngettext("{n} answer", "{n} answers", n=n)) == words


@pytest.mark.parametrize(
    "text",
    [
        Message("plain"),
        Message.ngettext("{n} answer", "{n} answers", n=1),
        Message("{a}: {b}", a=Message("inside {c}", c=[1, Message("x"), "y"]), b=None),
        Message("{text}", text='quoted "words"\nand 中文'),
        "somebody else's words with {braces}",
        '{"text": "not ours',
        '{"text": 1}',
        "",
    ],
)
def test_the_store_keeps_it_whole(text: str) -> None:
    stored = text.as_json() if isinstance(text, Message) else text
    read = as_text(stored)
    assert (read, type(read)) == (text, type(text))
    if isinstance(text, Message):
        assert isinstance(read, Message)
        assert read.as_json() == stored


def test_messages_inside_messages_are_translated_too() -> None:
    inner = Message("Round {number}", number=2)
    outer = Message("{a}; {b}", a=inner, b=[inner, "other"])
    assert str(outer) == "Round 2; Round 2, other"
    assert translator("zh")(Message("round {number}", number=2)) == "第 2 轮"


def test_values_that_do_not_fit_never_raise() -> None:
    stored = as_text('{"text": "{new} of {all}", "values": {"old": 1}}')
    assert translator("zh")(stored) == "{new} of {all}"


def test_it_is_text_and_stays_a_message_when_it_is_copied() -> None:
    message = Message.ngettext("{n} answer", "{n} answers", n=2)
    for each in (copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert (each, each.as_json()) == ("2 answers", message.as_json())
    assert "answers" in message
    assert not isinstance(message[:3], Message)


def test_a_schema_holds_a_message_and_tells_it_to_programs() -> None:
    class Told(WithReason):
        pass

    told = Told(reason_message=Message("round {number}", number=2))
    assert told.model_dump(mode="json") == {
        "reason_message": {"text": "round {number}", "values": {"number": 2}},
        "reason": "round 2",
    }
    again = Told.model_validate_json(told.model_dump_json(round_trip=True))
    assert translator("zh")(again.reason_message) == "第 2 轮"
    assert Told(reason_message="{as it is}").reason == "{as it is}"
    with pytest.raises(ValidationError):
        Told(reason_message={"words": "?"})


def test_words_that_were_kept_in_both_languages_are_read() -> None:
    found = Message.from_json({"en": "because", "zh": "因为"})
    assert (str(found), translator("zh")(found)) == ("because", "因为")
    assert Message.from_json(found.to_json()) == found


def test_label_studio_shows_every_language() -> None:
    assert in_every_language("Why this is suggested") == "建议的依据 / Why this is suggested"
    assert in_every_language("written by somebody") == "written by somebody"
