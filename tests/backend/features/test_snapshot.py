from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from backend.features.snapshot import TrainingSnapshot, build_snapshot, matrix
from backend.models import Annotation, Task
from labeling.label_schema import LabelSchema
from tests.backend.held import labels_by_hand

NOW = datetime(2026, 5, 1, tzinfo=UTC)
SCHEMA = LabelSchema.default(["title", "price"])
ISSUE = SCHEMA.issue_values[0]


def task(number: int, *, audit: bool = False) -> Task:
    return Task(
        id=number,
        project_id=1,
        record_id=100 + number,
        batch_id=1,
        key=str(number),
        position=number,
        is_audit=audit,
    )


def said(
    task_id: int,
    person: int,
    grade: str | None,
    *,
    issues: Sequence[str] = (),
    fields: Sequence[str] = (),
    skipped: bool = False,
) -> Annotation:
    return Annotation(
        id=10 * task_id + person,
        project_id=1,
        task_id=task_id,
        annotator_id=person,
        label_studio_annotation_id=10 * task_id + person,
        revision=1,
        identity="1",
        grade=grade,
        issues=list(issues),
        faulty_fields=list(fields),
        was_cancelled=skipped,
        annotated_at=NOW,
        revised_at=NOW,
        via="sync",
        received_at=NOW,
    )


def snapshot(
    tasks: Sequence[Task], answers: Sequence[Annotation], people: int = 3
) -> TrainingSnapshot:
    return build_snapshot(labels_by_hand(tasks, answers, SCHEMA, people), SCHEMA, seed=0)


def test_the_majority_is_the_label() -> None:
    made = snapshot(
        [task(1)],
        [
            said(1, 1, "good"),
            said(1, 2, "poor", issues=[ISSUE], fields=["price"]),
            said(1, 3, "poor", issues=[ISSUE], fields=["title"]),
        ],
    )
    (label,) = made.training
    assert (label.record_id, label.grade) == (101, "poor")
    assert label.issues == (1, *[0] * (len(SCHEMA.issues) - 1))
    assert label.faulty_fields == (0, 0)
    assert made.annotation_ids == [11, 12, 13]


def test_tied_grades_give_no_label_and_are_counted() -> None:
    made = snapshot([task(1)], [said(1, 1, "good"), said(1, 2, "poor")], people=2)
    assert (made.training, made.tied_tasks, made.complete_tasks) == ((), 1, 1)


def test_tied_issues_and_fields_are_unknown() -> None:
    made = snapshot(
        [task(1)],
        [said(1, 1, "poor", issues=[ISSUE], fields=["price"]), said(1, 2, "poor")],
        people=2,
    )
    (label,) = made.training
    assert label.issues[0] == -1
    assert set(label.issues[1:]) <= {0}
    assert label.faulty_fields == (0, -1)


def test_a_task_waits_until_enough_people_answered() -> None:
    made = snapshot([task(1)], [said(1, 1, "good"), said(1, 2, "good")], people=3)
    assert (made.training, made.complete_tasks) == ((), 0)


def test_a_skip_counts_as_an_answer_but_not_as_a_vote() -> None:
    made = snapshot(
        [task(1)],
        [said(1, 1, "good"), said(1, 2, None, skipped=True), said(1, 3, "poor", skipped=True)],
    )
    assert [label.grade for label in made.training] == ["good"]
    assert made.training[0].annotation_ids == (11,)


def test_a_task_that_all_skip_is_complete_without_a_label() -> None:
    made = snapshot([task(1)], [said(1, 1, None, skipped=True)], people=1)
    assert (made.complete_tasks, made.tied_tasks, made.training) == (1, 0, ())


def test_a_grade_outside_the_schema_is_no_vote() -> None:
    made = snapshot([task(1)], [said(1, 1, "superb"), said(1, 2, "good")], people=2)
    assert [label.grade for label in made.training] == ["good"]


def test_audit_records_are_kept_apart() -> None:
    answers = [said(number, 1, "good") for number in (1, 2, 3)]
    made = snapshot([task(1), task(2, audit=True), task(3)], answers, people=1)
    assert [label.task_id for label in made.training] == [1, 3]
    assert [label.task_id for label in made.audit] == [2]


def test_nothing_gives_an_empty_snapshot() -> None:
    made = snapshot([], [])
    assert (made.training, made.audit, made.annotation_ids) == ((), (), [])


@pytest.fixture
def parts() -> tuple[list[Task], list[Annotation]]:
    tasks = [task(number, audit=number % 3 == 0) for number in range(1, 7)]
    answers = [
        said(number, person, "good" if number % 2 else "poor")
        for number in range(1, 7)
        for person in (1, 2, 3)
    ]
    return tasks, answers


def test_the_order_of_rows_does_not_matter(parts: tuple[list[Task], list[Annotation]]) -> None:
    tasks, answers = parts
    rng = np.random.default_rng(5)
    first = snapshot(tasks, answers)
    for _ in range(5):
        again = snapshot(
            [tasks[i] for i in rng.permutation(len(tasks))],
            [answers[i] for i in rng.permutation(len(answers))],
        )
        assert again.fingerprint == first.fingerprint
        assert again.annotation_ids == first.annotation_ids


@pytest.mark.parametrize("change", ["grade", "issue", "field", "revision", "audit"])
def test_the_fingerprint_follows_the_labels(
    parts: tuple[list[Task], list[Annotation]], change: str
) -> None:
    tasks, answers = parts
    before = snapshot(tasks, answers).fingerprint
    for row in answers[:3]:
        match change:
            case "grade":
                row.grade = "fair"
            case "issue":
                row.issues = [ISSUE]
            case "field":
                row.faulty_fields = ["title"]
            case "revision":
                row.id = 1_000 + row.id
            case "audit":
                tasks[0].is_audit = True
    assert snapshot(tasks, answers).fingerprint != before


def test_the_fingerprint_ignores_what_is_no_label(
    parts: tuple[list[Task], list[Annotation]],
) -> None:
    tasks, answers = parts
    before = snapshot(tasks, answers)
    incomplete = snapshot([*tasks, task(7)], [*answers, said(7, 1, "good")])
    for row in answers:
        row.lead_time, row.rationale = 99.0, "because"
    tasks[0].position = 77
    assert snapshot(tasks, answers).fingerprint == before.fingerprint == incomplete.fingerprint
    assert replace(incomplete, fingerprint="") == replace(before, fingerprint="")


def test_matrices_keep_their_width_without_rows() -> None:
    assert matrix([], 4).shape == (0, 4)
    assert matrix([(), ()], 0).shape == (2, 0)
    assert matrix([(1, 0), (-1, 1)], 2).tolist() == [[1, 0], [-1, 1]]


def test_audit_records_without_a_label_are_told_not_dropped() -> None:
    tasks = [task(number, audit=number != 4) for number in range(1, 6)]
    answers = [
        said(1, 1, "good"),
        said(1, 2, "good"),
        said(2, 1, None, skipped=True),
        said(2, 2, None, skipped=True),
        said(3, 1, "good"),
        said(3, 2, "poor"),
        said(4, 1, None, skipped=True),
        said(4, 2, None, skipped=True),
        said(5, 1, "good"),
    ]
    found = snapshot(tasks, answers, people=2)
    assert [label.record_id for label in found.audit] == [101]
    # Skipped by both, and tied; neither the training record nor the one still being answered.
    assert found.audit_unlabelled == (102, 103)
