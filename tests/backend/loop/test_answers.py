"""How many people are to answer a record, and whether they have."""

import pytest

from backend.loop.answers import RELABEL, Asked, RecordAnswers
from backend.loop.repository import IMPORTED_KEY
from tests.backend.features.test_snapshot import said, task


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked(), 3),
        (Asked(annotators_wanted=5), 5),
        (Asked(copies=0), 1),
        (Asked(copies=2), 2),
        (Asked(annotators_wanted=1, copies=2), 1),
        (Asked(copies=9), 3),
    ],
)
def test_as_many_are_wanted_as_the_task_says_else_the_policy_and_no_more_than_copies_bring(
    asked: Asked, expected: int
) -> None:
    assert asked.answers_wanted(3) == expected
    assert not asked.is_complete(expected - 1, 3)
    assert asked.is_open(expected - 1, 3)
    assert asked.is_complete(expected, 3)
    assert not asked.is_open(expected, 3)


def test_what_nobody_can_answer_is_complete_with_any_answer_and_never_open() -> None:
    asked = Asked(can_be_answered=False)
    assert not asked.is_complete(0, 3)
    assert asked.is_complete(1, 3)
    assert not asked.is_open(0, 3)


def test_skips_are_responses_and_only_known_people_are_responders() -> None:
    unknown = said(1, 3, "good")
    unknown.annotator_id = None
    held = RecordAnswers(
        task(1), [task(1)], [said(1, 1, "good"), unknown], [said(1, 2, None, skipped=True)]
    )
    assert held.responses == 3
    assert held.responders == {1, 2}
    assert held.answers_wanted(4) == 4
    assert held.is_complete(3)
    assert not held.is_complete(4)


def test_a_copy_is_awaited_until_the_newest_is_answered_or_skipped() -> None:
    first, older, newest, imported = task(1), task(2), task(3), task(4)
    for number, copy in enumerate((older, newest, imported), start=2):
        copy.purpose, copy.attempt = RELABEL, number
    imported.key = f"{IMPORTED_KEY}4"
    everything = [first, newest, older, imported]
    assert not RecordAnswers(first, [first, imported], []).awaits_copy
    assert RecordAnswers(first, everything, [said(1, 1, "good")]).awaits_copy
    assert RecordAnswers(first, everything, [said(2, 1, "good")]).awaits_copy
    assert not RecordAnswers(first, everything, [said(3, 1, "good")]).awaits_copy
    assert not RecordAnswers(first, everything, [], [said(3, 1, None, skipped=True)]).awaits_copy
