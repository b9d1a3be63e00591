"""From answers to consensus labels: what the store makes of the mathematics."""

from dataclasses import replace

import numpy as np
import pytest

from backend.consensus.overlap import overlap_plan, records_to_ask_about
from backend.consensus.rule import (
    SURE,
    RecordConsensus,
    classifier_priors,
    consensus_of,
    fit_grades,
    grade_frame,
)
from backend.projects.schemas import LoopPolicy
from labeling.consensus.overlap import OverlapDecision, OverlapReason
from labeling.consensus.posterior import UNCHECKED
from labeling.label_schema import LabelSchema
from labeling.words import Words
from tests.backend.features.test_snapshot import said, task
from tests.backend.held import held_of as held

SCHEMA = LabelSchema.default(["title", "price"])
GRADES = ("good", "fair", "poor")


def test_one_answer_is_never_overruled_by_the_classifier() -> None:
    opinion = {"good": 0.001, "fair": 0.001, "poor": 0.998}
    answers = [said(1, 1, "good"), *(said(n, p, "poor") for n in range(2, 80) for p in (1, 2))]
    found = consensus_of(
        held([task(n) for n in range(1, 80)], answers),
        dict.fromkeys(range(1, 80), opinion),
        SCHEMA,
        annotators_per_record=1,
    )
    assert found[1].grade == "good"
    assert {found[n].grade for n in range(2, 80)} == {"poor"}


def test_a_tie_stays_one_while_little_is_known_of_the_annotators() -> None:
    tasks = [task(n) for n in range(1, 6)]
    answers = [said(n, p, "good" if p == 1 else "poor") for n in range(1, 6) for p in (1, 2)]
    found = consensus_of(held(tasks, answers), {}, SCHEMA, annotators_per_record=2)
    assert {each.grade for each in found.values()} == {None}
    assert {each.confidence for each in found.values()} == {None}


def test_a_tie_is_broken_from_the_probability_asked_for_on_else_from_the_policys() -> None:
    tasks = [task(n) for n in range(1, 61)]
    answers = [said(n, p, GRADES[n % 3]) for n in range(2, 61) for p in (1, 2)]
    answers += [said(n, 3, GRADES[(n + (n % 3 == 0)) % 3]) for n in range(2, 61)]
    pair = [said(1, 1, "good"), said(1, 3, "poor")]
    everything = held(tasks, [*answers, *pair])
    model = fit_grades(everything, {}, SCHEMA)
    best = model.consensus(grade_frame(everything, SCHEMA))[1]
    assert best.label in {"good", "poor"}
    assert 0.5 < best.confidence < 1.0

    def grade(**sure: float) -> str | None:
        found = consensus_of(everything, {}, SCHEMA, annotators_per_record=2, model=model, **sure)
        return found[1].grade

    assert grade(sure=best.confidence) == best.label
    assert grade(sure=best.confidence + 1e-6) is None
    assert grade() == grade(sure=SURE)
    assert LoopPolicy().confidence_wanted == SURE


def test_a_known_bad_annotator_does_not_make_a_tie() -> None:
    rng = np.random.default_rng(0)
    truth = rng.choice(["good", "fair", "poor"], 150)
    tasks = [task(n + 1) for n in range(len(truth))]
    answers = []
    for place, grade in enumerate(truth.tolist()):
        for person in (1, 2, 3):
            wrong = rng.random() < (0.7 if person == 3 else 0.05)
            answers.append(said(place + 1, person, "good" if wrong else grade))
    bad = [a for a in answers if a.task_id != 1]
    pair = [said(1, 1, "poor"), said(1, 3, "good")]
    found = consensus_of(held(tasks, [*bad, *pair]), {}, SCHEMA, annotators_per_record=2)
    assert found[1].grade == "poor"
    assert found[1].confidence == pytest.approx(1.0, abs=0.1)


def test_the_only_answer_is_as_sure_as_people_were_found_to_be() -> None:
    alone = [said(n, 1, "good" if n % 2 else "poor") for n in range(1, 41)]
    tasks = [task(n) for n in range(1, 41)]
    found = consensus_of(held(tasks, alone), {}, SCHEMA, annotators_per_record=1)
    assert {each.confidence for each in found.values()} == {None}
    assert found[1].grade == "good"
    checks = [said(n, 2, "good" if n % 2 == (n % 5 > 0) else "poor") for n in range(1, 21)]
    found = consensus_of(held(tasks, [*alone, *checks]), {}, SCHEMA, annotators_per_record=1)
    assert 0.6 < (found[40].confidence or 0) < 0.99


def test_answers_outside_the_schema_do_not_vote() -> None:
    found = consensus_of(
        held([task(1)], [said(1, 1, "superb"), said(1, 2, "good", issues=[])]),
        {},
        SCHEMA,
        annotators_per_record=2,
    )
    assert (found[1].grade, found[1].votes, found[1].skips) == ("good", 1, 1)


def test_nobody_answered_or_all_skipped() -> None:
    assert consensus_of(held([task(1)], []), {}, SCHEMA, annotators_per_record=1) == {}
    skipped = held([task(1)], [said(1, 1, None, skipped=True)])
    found = consensus_of(skipped, {}, SCHEMA, annotators_per_record=1)
    assert (found[1].grade, found[1].probabilities, found[1].is_complete) == (None, {}, True)


def test_marks_are_the_share_of_the_answers_that_count_and_chose_them() -> None:
    issue, other = SCHEMA.issue_values[:2]
    answers = [
        said(1, 1, "good", issues=[issue], fields=["price"]),
        said(1, 2, "good", issues=[issue]),
        said(1, 3, "poor"),
        said(1, 4, "superb", issues=[issue], fields=["price"]),
        said(1, 5, None, skipped=True),
    ]
    found = consensus_of(held([task(1)], answers), {}, SCHEMA, annotators_per_record=5)[1]
    assert found.issues[issue] == pytest.approx(2 / 3)
    assert found.issues[other] == 0.0
    assert found.faulty_fields == {"title": 0.0, "price": pytest.approx(1 / 3)}
    assert (found.votes, found.skips, found.is_complete) == (3, 2, True)
    more = consensus_of(held([task(1)], answers), {}, SCHEMA, annotators_per_record=6)[1]
    assert not more.is_complete


def test_opinions_of_other_grades_than_the_schemas_are_left_out() -> None:
    whole = {"good": 0.5, "fair": 0.2504, "poor": 0.25}
    priors = classifier_priors(
        [1, 2, 3, 4],
        {
            1: whole,
            2: {"good": 0.5, "superb": 0.5},
            3: {"good": 0.5, "fair": 0.502},
            9: whole,
        },
        SCHEMA,
    )
    assert priors is not None
    assert priors.item_ids.tolist() == [1]
    rows = priors.rows_of(np.array([1]), np.ones(3))
    total = sum(whole.values())
    assert rows[0] == pytest.approx([whole[grade] / total for grade in priors.classes])
    assert classifier_priors([4], {1: whole}, SCHEMA) is None


def test_people_whom_label_studio_no_longer_knows_are_one_an_annotation() -> None:
    unknown = [said(1, 1, "good"), said(1, 2, "poor"), said(1, 3, "superb")]
    for answer in unknown:
        answer.annotator_id = None
    frame = grade_frame(held([task(1)], unknown), SCHEMA)
    assert frame.annotators.tolist() == [-11, -12]
    everything = grade_frame(held([task(1)], unknown), SCHEMA, only_known=False)
    assert everything.labels.tolist() == ["good", "poor", "superb"]


def test_a_fingerprint_changes_with_everything_said_to_four_decimals() -> None:
    found = RecordConsensus("good", 0.9, {"good": 0.9}, {"i": 0.5}, {"f": 0.5}, 2, 1, True, "m")
    for changes in (
        {"grade": "poor"},
        {"probabilities": {"good": 0.9001}},
        {"issues": {"i": 0.5001}},
        {"faulty_fields": {"f": 0.5001}},
        {"votes": 3},
        {"skips": 0},
        {"is_complete": False},
        {"method": "n"},
    ):
        assert replace(found, **changes).fingerprint() != found.fingerprint()  # type: ignore[arg-type]
    alike = replace(found, probabilities={"good": 0.90004}, issues={"i": 0.50004})
    assert alike.fingerprint() == found.fingerprint()


def test_only_more_than_before_is_asked_for_and_only_of_what_label_studio_has() -> None:
    tasks = [task(number) for number in range(1, 6)]
    for each in tasks:
        each.label_studio_task_id = 100 + (each.id or 0)
    tasks[2].label_studio_task_id = None
    tasks[3].annotators_wanted = 2
    answers = [said(number, 1, "good") for number in range(1, 6)]
    plan = {
        n: OverlapDecision(n, n != 2, 1, "good", 0.5, OverlapReason.UNSURE, Words(""))
        for n in range(1, 6)
    }
    found = records_to_ask_about(held(tasks, answers), plan, LoopPolicy())  # type: ignore[arg-type]
    assert found == {1: 2, 5: 2}


def test_a_plan_for_some_records_goes_by_the_model_of_all() -> None:
    tasks = [task(number) for number in range(1, 41)]
    answers = [said(number, person, "good") for number in range(1, 41) for person in (1, 2)]
    model = fit_grades(held(tasks, answers), {}, SCHEMA)
    some = held(tasks[:1], answers[:1])
    alone = overlap_plan(some, {}, SCHEMA, LoopPolicy())
    assert alone.consensus.method == UNCHECKED
    by_model = overlap_plan(some, {}, SCHEMA, LoopPolicy(), model)
    assert by_model.consensus.method == model.method != UNCHECKED
