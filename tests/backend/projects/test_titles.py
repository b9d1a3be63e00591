"""Grades and issues inside messages are told by their titles, in the reader's language."""

from active_learning.types import CLASS_NAME, Reason, class_mention
from backend.projects.titles import issue_mention, with_titles
from backend.words import Message
from labeling.label_schema import Choice, Grade, Issue, LabelSchema
from labeling.words import CLASS_NAME as CLASS_NAME_OF_LABELING
from labeling.words import Words, class_words
from tests.fixtures.chinese import in_chinese

SCHEMA = LabelSchema(
    fields=("title",),
    grade=Grade(choices=(Choice(value="g1", en="fine", zh="良好"), Choice(value="g2", en="bad"))),
    issues=(Issue(value="g1", en="stale", zh="过期"),),
)


def test_titles_stand_at_any_depth() -> None:
    inner = Reason(
        "margin {margin:.2f} between {first} and {second}",
        margin=0.1,
        first=class_mention("g1"),
        second=class_mention("g2"),
    )
    found = with_titles(
        Reason("centre of a group of uncertain records; {reason}", reason=inner), SCHEMA
    )
    assert str(found).endswith("margin 0.10 between fine and bad")
    assert in_chinese(found) == "一组不确定记录的中心；良好 与 bad 的概率差仅 0.10"


def test_a_grade_is_no_issue_and_a_withdrawn_one_keeps_its_name() -> None:
    found = with_titles(
        Message("{a} {b}", a=[class_mention("g1"), class_mention("gone")], b=issue_mention("g1")),
        SCHEMA,
    )
    assert str(found) == "fine, gone stale"
    assert in_chinese(found) == "良好、gone 过期"


def test_plurals_and_words_of_others_stay() -> None:
    counted = Reason.ngettext(
        "{agreeing} of {n} annotator said {grade}",
        "{agreeing} of {n} annotators said {grade}",
        n=2,
        agreeing=1,
        grade=class_mention("g1"),
    )
    assert str(with_titles(counted, SCHEMA)) == "1 of 2 annotators said fine"
    assert str(with_titles("{g1} as they wrote", SCHEMA)) == "{g1} as they wrote"


def test_both_libraries_mark_names_alike() -> None:
    assert CLASS_NAME == CLASS_NAME_OF_LABELING
    assert str(with_titles(Words("is {grade}", grade=class_words("g1")), SCHEMA)) == "is fine"
