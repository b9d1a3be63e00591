"""What a report says, against the same numbers worked out apart from the store."""

from datetime import timedelta

import numpy as np
import pytest
from sqlmodel import select

from backend.agreement.schemas import DELETED
from backend.models import Annotation
from labeling.consensus.agreement import krippendorff_alpha
from labeling.consensus.base import LabelFrame
from tests.backend.agreement.conftest import GRADES, Measured, busy, filled


def test_agreement_is_that_of_the_answers(measured: Measured) -> None:
    people = filled(measured.desk)
    found = measured.agreement()
    assert (found.records, found.answers, found.not_counted) == (12, 36, 0)
    grade = found.questions[0]
    rows = [
        (task, place, GRADES[(task + 1) % 3] if place == 2 and task % 3 == 0 else GRADES[task % 3])
        for task in range(1, 13)
        for place in range(3)
    ]
    frame = LabelFrame.from_rows(rows)
    rng = np.random.default_rng(0)
    assert grade.alpha.value == pytest.approx(krippendorff_alpha(frame, rng).alpha)
    ordinal = krippendorff_alpha(frame, rng, order=GRADES).alpha
    assert grade.ordinal is not None
    assert grade.ordinal.value == pytest.approx(ordinal)
    assert grade.ordinal.value != pytest.approx(grade.alpha.value)
    assert grade.alpha.low is not None
    assert grade.alpha.low < (grade.alpha.value or 0) < (grade.alpha.high or 0) <= 1
    assert grade.alpha.items == 12
    assert grade.alpha.percent == pytest.approx((8 * 3 + 4 * 1) / 36)
    pairs = {(pair.first, pair.second): pair.kappa for pair in grade.pairs}
    assert pairs[people[0], people[1]].value == 1
    assert pairs[people[0], people[2]].percent == pytest.approx(8 / 12)
    assert [(part.by, part.name, part.alpha.items) for part in grade.slices] == [
        ("kind", "product", 12),
        ("round", "1", 12),
    ]
    keys = {question.key: question for question in found.questions}
    # Two of three mark the price of every fourth record; nobody ever marks the title.
    assert keys["field:price"].alpha.percent == pytest.approx((9 * 3 + 3) / 36)
    assert keys["issue:duplicate"].alpha.percent == pytest.approx((6 * 3 + 6) / 36)
    assert keys["field:title"].alpha.value is None
    why = keys["field:title"].alpha.why
    assert why is not None
    assert why.words.startswith("Only one answer")


def test_a_record_counts_in_the_week_of_its_second_answer(measured: Measured) -> None:
    desk = measured.desk
    first, second, third = desk.people("Ana", "Bo", "Cy")
    for task in range(1, 7):
        desk.answer(task, first, GRADES[task % 3])
    desk.clock.now += timedelta(days=8)
    for task in range(1, 4):
        desk.answer(task, second, GRADES[task % 3])
    desk.clock.now += timedelta(days=7)
    for task in range(4, 7):
        desk.answer(task, second, GRADES[(task + 1) % 3])
    for task in range(1, 4):
        desk.answer(task, third, GRADES[task % 3])
    weeks = measured.agreement().questions[0].weeks
    assert [week.alpha.items for week in weeks] == [3, 3]
    assert weeks[0].alpha.value == 1
    assert (weeks[1].alpha.value or 0) < 0
    assert weeks[0].first.weekday() == 0
    assert (weeks[1].first - weeks[0].first).days == 7


def test_accuracy_against_what_was_decided_and_hidden_checks(measured: Measured) -> None:
    desk = measured.desk
    ana, bo, chen = filled(desk)
    for task in (3, 6):
        measured.decide(task, GRADES[0])
    copy = measured.hidden_copy(3)
    (dora,) = desk.people("Dora")
    desk.answer(copy, dora, "poor")
    desk.answer(measured.hidden_copy(6), dora, "good")
    desk.answer(2, dora, None, skipped=True)
    found = {each.annotator_id: each for each in measured.annotators().items}
    assert (found[ana].against_gold.right, found[ana].against_gold.of) == (2, 2)
    assert (found[chen].against_gold.right, found[chen].against_gold.of) == (0, 2)
    assert found[ana].hidden_checks.of == 0
    assert found[ana].hidden_checks.why is not None
    assert (found[dora].hidden_checks.right, found[dora].hidden_checks.of) == (1, 2)
    assert (found[dora].against_gold.right, found[dora].against_gold.of) == (1, 2)
    assert (found[dora].answers, found[dora].skips) == (2, 1)
    assert found[dora].skip_rate.value == pytest.approx(1 / 3)
    table = found[chen].gold_confusion
    assert table.classes == list(GRADES)
    assert table.table[0] == [0, 2, 0]
    assert found[chen].against_others.right == 8
    # Where the two others differ there is no majority, but on record 6 a hidden check makes one.
    assert found[bo].against_others.of == 9
    assert found[ana].speed.median == 12.5
    # Hidden copies are no answers to the record itself.
    assert measured.agreement().answers == 36


def test_who_is_deleted_cannot_be_told_apart(measured: Measured) -> None:
    desk = measured.desk
    (ana,) = desk.people("Ana")
    for task in range(1, 5):
        desk.answer(task, ana, GRADES[task % 3])
        desk.answer(task, None, GRADES[task % 3])
        desk.answer(task, None, GRADES[(task + 1) % 3])
    found = measured.annotators()
    assert [each.annotator_id for each in found.items] == [ana, DELETED]
    gone = found.items[1]
    assert (gone.name, gone.answers, gone.drift) == ("", 8, None)
    grade = measured.agreement().questions[0]
    assert grade.alpha.items == 4
    assert grade.alpha.percent == pytest.approx(1 / 3)
    assert grade.pairs == []


def test_one_annotator_has_nobody_to_compare_with(measured: Measured) -> None:
    desk = measured.desk
    (ana,) = desk.people("Ana")
    for task in range(1, 6):
        desk.answer(task, ana, GRADES[task % 3])
    grade = measured.agreement().questions[0]
    assert grade.alpha.value is None
    assert grade.alpha.why is not None
    assert grade.alpha.why.words.startswith("Only one annotator")
    person = measured.person(ana)
    assert person.against_others.value is None
    assert person.against_others.why is not None


def test_a_grade_that_was_withdrawn_is_not_counted(measured: Measured) -> None:
    desk = measured.desk
    ana, bo = desk.people("Ana", "Bo")
    desk.answer(1, ana, "good")
    desk.answer(1, bo, "excellent")
    desk.answer(2, ana, "good", issues=["no_longer_asked"])
    desk.answer(2, bo, "good")
    found = measured.agreement()
    assert (found.answers, found.not_counted) == (3, 1)
    assert found.questions[0].alpha.items == 1


def test_suspicious_patterns_and_changes_come_with_their_evidence(measured: Measured) -> None:
    ada, ben, carl, dan = busy(measured.desk)
    listed = measured.annotators()
    found = {each.annotator_id: each for each in listed.items}
    assert {each.pattern for each in found[dan].suspicions} == {"always_same", "too_fast"}
    evidence = {each.pattern: each.evidence for each in found[dan].suspicions}
    assert evidence["always_same"].words.startswith("Answered good 100 of 100 times")
    assert "0.5 s" in evidence["too_fast"].words
    assert all(found[person].suspicions == [] for person in (ada, ben, carl))
    assert {person for person, each in found.items() if each.drift and each.drift.changed} == {carl}
    drift = found[carl].drift
    assert drift is not None
    assert drift.words.words.startswith("The share of right answers fell")
    assert drift.against == "others"
    assert len(drift.windows) > 1
    assert listed.not_checked.keys() == {"copies_suggestion"}
    slices = measured.agreement().questions[0].slices
    assert [(part.name, part.alpha.items) for part in slices if part.by == "kind"] == [
        ("article", 34),
        ("product", 66),
    ]


def test_who_keeps_every_suggestion_is_named(measured: Measured) -> None:
    busy(measured.desk)
    result = [{"from_name": "grade", "value": {"choices": ["good"]}}]
    with measured.desk.services.database.transaction() as session:
        for row in session.exec(select(Annotation)):
            row.prediction_snapshot = {"model_version": "v1", "result": result}
            session.add(row)
    found = measured.annotators()
    patterns = {each.name: {one.pattern for one in each.suspicions} for each in found.items}
    assert "copies_suggestion" in patterns.pop("Dan Always-Good")
    assert not any(patterns.values())
    assert found.not_checked == {}


def test_what_adaptive_overlap_saves(measured: Measured) -> None:
    desk = measured.desk
    ana, bo, chen = desk.people("Ana", "Bo", "Chen")
    for task in range(1, 5):
        desk.answer(task, ana, "good")
    for person in (bo, chen):
        desk.answer(4, person, "poor")
    assert measured.agreement().overlap is None
    desk.set_policy(overlap="adaptive", annotators_per_record=1, annotators_at_most=3)
    with desk.services.database.transaction() as session:
        for task_id, wanted in ((3, 2), (4, 3)):
            row = desk.task(task_id)
            row.annotators_wanted = wanted
            session.merge(row)
    saved = measured.agreement().overlap
    assert saved is not None
    # Records 1, 2 and 4 are finished with 1, 1 and 3 answers; 3 waits for its second.
    assert (saved.records, saved.answers, saved.fixed) == (3, 5, 9)
    assert saved.share_saved == pytest.approx(4 / 9)
    assert saved.open_records == 9
    assert saved.asked == 1 + 1 + 2 + 3 + 8


def test_of_two_people_it_is_open_who_changed(measured: Measured) -> None:
    ada, ben, carl, dan = busy(measured.desk)
    with measured.desk.services.database.transaction() as session:
        for row in session.exec(select(Annotation)):
            if row.annotator_id in {ben, dan}:
                session.delete(row)
    found = {each.annotator_id: each for each in measured.annotators().items}
    assert {person for person, each in found.items() if each.drift and each.drift.changed} == {
        ada,
        carl,
    }
