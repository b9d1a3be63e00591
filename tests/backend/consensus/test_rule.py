"""From answers to consensus labels: what the store makes of the mathematics."""

import numpy as np
import pytest

from backend.consensus.rule import consensus_of
from labeling.label_schema import LabelSchema
from tests.backend.features.test_snapshot import said, task
from tests.backend.held import held_of as held

SCHEMA = LabelSchema.default(["title", "price"])


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
