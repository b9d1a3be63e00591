"""Reasons: a text that identifies the sentence, values, and any language's words for it."""

import json

import numpy as np
import pytest

from active_learning.types import CLASS_NAME, Reason, class_mention, english


def french(text: str, plural: str | None, number: object) -> str:
    words = {
        "margin {margin:.1f} between {grades}": "{grades} : écart de {margin:.2f}",
        ", ": " et ",
        "{n} label": "{n} étiquette" if number in (0, 1) else "{n} étiquettes",
    }
    return words.get(text, english(text, plural, number))


def test_a_language_orders_and_writes_the_values_in_its_own_way() -> None:
    reason = Reason(
        "margin {margin:.1f} between {grades}",
        margin=np.float32(0.25),
        grades=[class_mention("good"), class_mention("poor")],
    )
    assert str(reason) == "margin 0.2 between good, poor"
    assert reason.render(french) == "good et poor : écart de 0.25"


@pytest.mark.parametrize(
    ("n", "in_english", "in_french"),
    [
        (0, "0 labels", "0 étiquette"),
        (1, "1 label", "1 étiquette"),
        (2, "2 labels", "2 étiquettes"),
    ],
)
def test_each_language_has_its_own_plural(n: int, in_english: str, in_french: str) -> None:
    reason = Reason("only {labels}", labels=Reason.ngettext("{n} label", "{n} labels", n=n))
    assert str(reason) == f"only {in_english}"
    assert reason.render(french) == f"only {in_french}"


def test_values_are_kept_as_numbers_texts_and_reasons() -> None:
    reason = Reason("{a} {b} {c}", a=np.int64(3), b="{x}", c=[class_mention("p1"), True, None])
    assert str(reason) == "3 {x} p1, True, None"
    assert json.loads(json.dumps(reason.to_json())) == {
        "text": "{a} {b} {c}",
        "values": {
            "a": 3,
            "b": "{x}",
            "c": [{"text": CLASS_NAME, "values": {"class_name": "p1"}}, True, None],
        },
    }
    assert Reason.ngettext("{n} a", "{n} b", n=2).to_json()["plural"] == "{n} b"


def test_equal_reasons_are_one() -> None:
    assert (
        len({Reason("{a}", a=1), Reason("{a}", a=1), Reason("{a}", a=2), Reason("{b}", b=1)}) == 3
    )
