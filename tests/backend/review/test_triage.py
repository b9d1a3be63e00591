from dataclasses import replace

import pytest

from backend.projects.titles import with_titles
from backend.review.triage import (
    ANSWERS_DELETED,
    LOW_CONFIDENCE,
    MODEL_CONFLICT,
    RECORD_CHANGED,
    SUSPECTED_ERROR,
    TIE,
    WITHDRAWN_LABEL,
    Opinion,
    RecordSituation,
    Suspicion,
    priority_of,
    reasons_of,
)
from labeling.choice import Choice, Issue
from labeling.label_schema import Grade, LabelSchema
from tests.fixtures.chinese import in_chinese

AGREED = RecordSituation(
    grade="good",
    confidence=0.95,
    probabilities={"good": 0.95, "poor": 0.05},
    issues={"duplicate": 0.0},
    faulty_fields={"price": 1.0},
    votes=3,
    is_complete=True,
)


def codes(situation: RecordSituation) -> list[str]:
    return [reason.code for reason in reasons_of(situation, review_below=0.75)]


def test_agreement_needs_no_decision() -> None:
    assert codes(AGREED) == []
    assert priority_of([], None) == 0.0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"grade": None, "probabilities": {"good": 0.5, "poor": 0.5}, "votes": 2}, [TIE]),
        ({"grade": None, "probabilities": {}, "votes": 0}, []),
        ({"confidence": 0.6}, [LOW_CONFIDENCE]),
        ({"confidence": 0.6, "votes": 1}, []),
        ({"confidence": 0.6, "probabilities": {"good": 0.6}, "is_unanimous": True}, []),
        (
            {"confidence": 0.4, "probabilities": {"good": 0.4, "poor": 0.6}, "is_unanimous": True},
            [LOW_CONFIDENCE],
        ),
        ({"opinion": Opinion("poor", 0.97)}, [MODEL_CONFLICT]),
        ({"opinion": Opinion("poor", 0.6)}, []),
        ({"opinion": Opinion("good", 0.99)}, []),
        ({"suspicion": Suspicion(0.8, True, 0.4)}, [SUSPECTED_ERROR]),
        ({"suspicion": Suspicion(0.8, False, 0.4)}, []),
        ({"is_record_changed": True}, [RECORD_CHANGED]),
        ({"problems": ("grade 'superb'",)}, [WITHDRAWN_LABEL]),
        ({"issues": {"duplicate": 0.5}}, ["issue:duplicate"]),
        ({"issues": {"duplicate": 1 / 3}, "faulty_fields": {"price": 0.5}}, 2),
        ({"issues": {"duplicate": 0.5}, "votes": 1}, []),
        ({"has_lost_answers": True}, []),
        (
            {"has_lost_answers": True, "votes": 0, "is_complete": False, "grade": None},
            [ANSWERS_DELETED],
        ),
        ({"confidence": 0.4, "is_complete": False}, []),
    ],
)
def test_each_reason(changes: dict[str, object], expected: list[str] | int) -> None:
    found = codes(replace(AGREED, **changes))  # type: ignore[arg-type]
    assert found == expected if isinstance(expected, list) else len(found) == expected


def test_every_reason_is_said_in_both_languages() -> None:
    situation = replace(
        AGREED,
        confidence=0.5,
        opinion=Opinion("poor", 0.99),
        suspicion=Suspicion(0.9, True, 0.5),
        is_record_changed=True,
        problems=("x",),
        issues={"duplicate": 0.5},
        faulty_fields={"price": 0.5},
    )
    reasons = reasons_of(situation, review_below=0.75)
    assert len(reasons) == 6
    reasons = sorted(
        [*reasons, *reasons_of(replace(AGREED, confidence=0.5), review_below=0.75)],
        key=lambda reason: -reason.weight,
    )
    assert LOW_CONFIDENCE in {reason.code for reason in reasons}
    assert [reason.weight for reason in reasons] == sorted(
        (reason.weight for reason in reasons), reverse=True
    )
    for reason in reasons:
        assert str(reason.words)
        assert any("一" <= letter <= "鿿" for letter in in_chinese(reason.words))


def test_priority_grows_with_doubt_and_worth() -> None:
    doubtful = reasons_of(replace(AGREED, confidence=0.5), review_below=0.75)
    less = reasons_of(replace(AGREED, confidence=0.7), review_below=0.75)
    assert priority_of(doubtful, None) > priority_of(less, None) > 0
    worth, worthless = Suspicion(0.1, False, 1.0), Suspicion(0.1, False, 0.0)
    assert priority_of(doubtful, worth) > priority_of(doubtful, None)
    assert priority_of(doubtful, None) > priority_of(doubtful, worthless) > 0
    assert priority_of(doubtful, worth) <= 1.0


def test_a_tie_names_the_grades_that_people_gave() -> None:
    shares = {"good": 0.26, "fair": 0.56, "poor": 0.18}
    tie = replace(AGREED, grade=None, probabilities=shares, tied=("good", "fair", "poor"))
    (ground,) = reasons_of(tie, review_below=0.75)
    assert str(ground.words) == "3 answers tie between good, fair, poor."
    assert ground.weight == pytest.approx(0.44)


def test_reasons_say_the_titles_of_the_label_schema() -> None:
    schema = LabelSchema(
        fields=("stale_date",),
        grade=Grade(
            choices=(Choice(value="g1", en="fine", zh="良好"), Choice(value="g2", en="bad"))
        ),
        issues=(Issue(value="stale_date", en="date is too old", zh="日期过旧"),),
    )
    situation = replace(
        AGREED,
        grade="g1",
        confidence=0.6,
        opinion=Opinion("g2", 0.97),
        issues={"stale_date": 0.5},
        faulty_fields={"stale_date": 0.5},
    )
    found = reasons_of(situation, review_below=0.75)
    words = {ground.code: with_titles(ground.words, schema) for ground in found}
    issue, field = words["issue:stale_date"], words["field:stale_date"]
    assert str(issue) == "Answers differ on the issue date is too old (50% say yes)."
    assert "问题 日期过旧 的" in in_chinese(issue)
    assert "field stale_date" in str(field)
    assert "字段 stale_date 的" in in_chinese(field)
    assert str(words[LOW_CONFIDENCE]).startswith("fine is the consensus")
    assert "良好" in in_chinese(words[LOW_CONFIDENCE])
    assert "People say fine; the classifier said bad" in str(words[MODEL_CONFLICT])
    assert "良好" in in_chinese(words[MODEL_CONFLICT])
    tied = replace(AGREED, grade=None, tied=("g1", "g2"))
    (tie,) = reasons_of(tied, review_below=0.75)
    assert "between fine, bad." in str(with_titles(tie.words, schema))
    assert "良好、bad" in in_chinese(with_titles(tie.words, schema))


def test_doubtful_records_come_in_the_order_of_sureness_and_state_their_confidence() -> None:
    doubtful = replace(AGREED, confidence=0.6, probabilities={"good": 0.6, "poor": 0.4})
    (plain,) = reasons_of(doubtful, review_below=0.75)
    (first,) = reasons_of(replace(doubtful, sureness=0.3), review_below=0.75)
    assert (plain.weight, first.weight) == (pytest.approx(0.4), pytest.approx(0.7))
    assert plain.words == first.words
    assert "60%" in str(first.words)


def test_each_reason_weighs_what_it_is_said_to() -> None:
    """An evenly split question weighs its whole weight, one of four who says otherwise half."""
    evidence = replace(
        AGREED,
        confidence=0.6,
        probabilities={"good": 0.6, "poor": 0.4},
        opinion=Opinion("poor", 0.9),
        suspicion=Suspicion(0.8, True, 0.5),
        is_record_changed=True,
        problems=("x",),
        issues={"even": 0.5, "one_of_four": 0.25, "three_of_four": 0.75, "one_of_five": 0.2},
        faulty_fields={"price": 0.5, "size": 0.25},
    )
    found = {each.code: each.weight for each in reasons_of(evidence, review_below=0.75)}
    assert LOW_CONFIDENCE not in found, "one fact, one reason"
    found |= {
        each.code: each.weight
        for each in reasons_of(replace(evidence, suspicion=None), review_below=0.75)
        if each.code == LOW_CONFIDENCE
    }
    assert found == pytest.approx(
        {
            SUSPECTED_ERROR: 0.8,
            WITHDRAWN_LABEL: 0.7,
            MODEL_CONFLICT: 0.9 * (1 - 0.6 / 2),
            RECORD_CHANGED: 0.6,
            "issue:even": 0.5,
            LOW_CONFIDENCE: 0.4,
            "field:price": 0.35,
            "issue:one_of_four": 0.25,
            "issue:three_of_four": 0.25,
            "field:size": 0.175,
        }
    )
    lost = replace(AGREED, has_lost_answers=True, votes=0, is_complete=False, grade=None)
    (deleted,) = reasons_of(lost, review_below=0.75)
    assert deleted.weight == 0.5


def test_the_weightiest_reason_comes_first_and_equal_ones_by_name() -> None:
    evidence = replace(
        AGREED,
        suspicion=Suspicion(0.55, True, 0.5),
        is_record_changed=True,
        problems=("x",),
        issues={"b": 0.5, "a": 0.5},
    )
    assert codes(evidence) == [
        WITHDRAWN_LABEL,
        RECORD_CHANGED,
        SUSPECTED_ERROR,
        "issue:a",
        "issue:b",
    ]


def test_the_priority_is_the_chance_that_any_reason_holds_times_what_the_label_is_worth() -> None:
    both = reasons_of(
        replace(AGREED, is_record_changed=True, issues={"duplicate": 0.5}), review_below=0.75
    )
    assert [reason.weight for reason in both] == [0.6, 0.5]
    wrong = 1 - 0.4 * 0.5
    assert priority_of(both, Suspicion(0.1, False, 1.0)) == pytest.approx(wrong)
    assert priority_of(both, Suspicion(0.1, False, 0.0)) == pytest.approx(wrong / 2)
    assert priority_of(both, Suspicion(0.1, False, -3.0)) == pytest.approx(wrong / 2)
    assert priority_of(both, Suspicion(0.1, False, 3.0)) == pytest.approx(wrong)
    assert priority_of(both, None) == pytest.approx(wrong * 0.75)
    assert priority_of(both[:1], Suspicion(0.1, False, 0.4)) == pytest.approx(0.6 * 0.7)
    sure = [replace(both[0], weight=1.0)]
    assert priority_of(sure, Suspicion(0.1, False, 1.0)) == 0.99, "no reason is beyond doubt"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"confidence": 0.75, "votes": 2}, []),
        ({"confidence": 0.6, "probabilities": {}, "is_unanimous": True}, []),
        ({"confidence": 0.74, "votes": 2}, [LOW_CONFIDENCE]),
        ({"opinion": Opinion("poor", 0.9)}, [MODEL_CONFLICT]),
        ({"opinion": Opinion("poor", 0.89)}, []),
        ({"is_record_changed": True, "votes": 1}, [RECORD_CHANGED]),
        ({"is_record_changed": True, "votes": 0}, []),
        ({"has_lost_answers": True, "votes": 1}, []),
        ({"issues": {"duplicate": 0.5}, "votes": 2}, ["issue:duplicate"]),
        ({"grade": None, "votes": 1}, []),
        ({"grade": None, "opinion": Opinion("poor", 0.97), "votes": 0}, []),
        ({"grade": None, "suspicion": Suspicion(0.8, True, 0.4), "votes": 0}, []),
    ],
)
def test_each_reason_holds_from_its_border_on(
    changes: dict[str, object], expected: list[str]
) -> None:
    assert codes(replace(AGREED, **changes)) == expected  # type: ignore[arg-type]


def test_a_decision_has_seen_each_problem_as_often_as_it_occurs() -> None:
    evidence = replace(
        AGREED, problems=("x", "y", "x"), is_record_changed=True, current_record_id=8
    )
    withdrawn, changed = reasons_of(evidence, review_below=0.75)
    assert withdrawn.about == [f"{WITHDRAWN_LABEL}:{each}" for each in ("x#1", "x#2", "y#1")]
    assert changed.about == [f"{RECORD_CHANGED}:8"]
    assert "schema: x, y." in str(withdrawn.words)


def test_a_conflict_where_the_confidence_is_unknown_weighs_as_at_one_half() -> None:
    evidence = replace(AGREED, confidence=None, opinion=Opinion("poor", 1.0))
    (conflict,) = reasons_of(evidence, review_below=0.75)
    assert conflict.weight == pytest.approx(0.75)


def test_grades_as_probable_as_the_most_probable_are_tied() -> None:
    shares = {"good": 0.4, "fair": 0.4 - 1e-9, "poor": 0.2}
    (tie,) = reasons_of(replace(AGREED, grade=None, probabilities=shares), review_below=0.75)
    assert "between good, fair." in str(tie.words)
    assert tie.weight == pytest.approx(0.6)
