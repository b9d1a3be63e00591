"""Simulated annotators: seeded, and as wrong as their profiles say."""

import pytest

from backend.demo.annotators import PROFILES, AnnotatorProfile, ShownSuggestion, answer, answers
from backend.demo.records import generate
from backend.demo.truth import DIMENSIONS, GRADES, Truth

ISSUES = tuple(DIMENSIONS)


@pytest.fixture(scope="module")
def truths() -> dict[str, Truth]:
    return {record.record_id: record.truth for record in generate(3_000, seed=2)}


def test_the_same_seed_gives_the_same_answers(truths: dict[str, Truth]) -> None:
    first = answers(truths, PROFILES[2], grades=GRADES, issues=ISSUES, seed=4)
    assert first == answers(truths, PROFILES[2], grades=GRADES, issues=ISSUES, seed=4)
    assert first != answers(truths, PROFILES[2], grades=GRADES, issues=ISSUES, seed=5)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_the_share_of_wrong_grades_is_the_error_rate(
    truths: dict[str, Truth], profile: AnnotatorProfile
) -> None:
    given = answers(truths, profile, grades=GRADES, issues=ISSUES, seed=1)
    wrong = sum(given[key].grade != truth.grade for key, truth in truths.items())
    assert wrong / len(truths) == pytest.approx(profile.error_rate, abs=0.025)


def test_annotators_err_independently(truths: dict[str, Truth]) -> None:
    one = AnnotatorProfile("one", "one@annotators.example.com", error_rate=0.2)
    two = AnnotatorProfile("two", "two@annotators.example.com", error_rate=0.2)
    first = answers(truths, one, grades=GRADES, issues=ISSUES, seed=1)
    second = answers(truths, two, grades=GRADES, issues=ISSUES, seed=1)
    both = sum(
        first[key].grade != truth.grade and second[key].grade != truth.grade
        for key, truth in truths.items()
    )
    assert both / len(truths) == pytest.approx(0.04, abs=0.015)


def test_a_perfect_annotator_gives_the_truth(truths: dict[str, Truth]) -> None:
    perfect = AnnotatorProfile(
        "perfect",
        "p@annotators.example.com",
        error_rate=0,
        suggestion_bias=0,
        missed_issue_rate=0,
        missed_field_rate=0,
        correction_rate=1,
    )
    wrong_suggestion = ShownSuggestion("poor", ("spam",))
    for truth in truths.values():
        given = answer(
            truth, perfect, grades=GRADES, issues=ISSUES, seed=1, suggestion=wrong_suggestion
        )
        assert given.grade == truth.grade
        assert given.issues == truth.issues
        assert given.faulty_fields == truth.faulty_fields
        assert given.corrected == truth.corrected
        assert bool(given.rationale) == bool(truth.issues)
        assert given.seconds > 0


def test_a_suggestion_pulls_the_biased(truths: dict[str, Truth]) -> None:
    biased = AnnotatorProfile("b", "b@annotators.example.com", error_rate=0, suggestion_bias=0.4)
    suggestion = ShownSuggestion("poor", ("spam",), ("text",))
    good = [truth for truth in truths.values() if truth.grade == "good"]
    pulled = [
        given
        for truth in good
        if (
            given := answer(
                truth, biased, grades=GRADES, issues=ISSUES, seed=1, suggestion=suggestion
            )
        ).grade
        == "poor"
    ]
    assert len(pulled) / len(good) == pytest.approx(0.4, abs=0.04)
    assert all(given.issues == ("spam",) for given in pulled)


def test_answers_stay_inside_the_schema(truths: dict[str, Truth]) -> None:
    sloppy = AnnotatorProfile("s", "s@annotators.example.com", error_rate=0.5, missed_issue_rate=1)
    for truth in truths.values():
        given = answer(truth, sloppy, grades=GRADES, issues=("typo",), seed=1)
        assert given.grade in GRADES
        assert set(given.issues) <= {"typo"}
        assert bool(given.issues) == (given.grade != "good")


def test_a_rate_outside_zero_to_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"error_rate of x is 1\.5"):
        AnnotatorProfile("x", "x@annotators.example.com", error_rate=1.5)
