"""What people skip, tie on or find ambiguous counts against the promise, and is told."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlmodel import col, select

from backend.loop.answers import RecordAnswers
from backend.machine_labels.checks import MachineLabelCheck, completed_checks
from backend.machine_labels.words import promise
from backend.models import Annotation, Task
from tests.backend.machine_labels.machine import MachineLoop
from tests.fixtures.chinese import in_chinese

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def record(number: int, *grades: str | None) -> RecordAnswers:
    """Answers to the record's only task, one a person; None: skipped."""
    task = Task(id=number, project_id=1, record_id=number, batch_id=1, key="", position=0)
    rows = [
        Annotation(
            id=10 * number + person,
            project_id=1,
            task_id=number,
            annotator_id=person,
            label_studio_annotation_id=person,
            revision=1,
            identity="1",
            grade=grade,
            was_cancelled=grade is None,
            annotated_at=NOW,
            revised_at=NOW,
            via="sync",
            received_at=NOW,
        )
        for person, grade in enumerate(grades)
    ]
    return RecordAnswers(
        task,
        [task],
        [row for row in rows if row.grade is not None],
        [row for row in rows if row.grade is None],
    )


def test_skipped_tied_and_ambiguous_checks_count_as_errors_and_a_decision_goes_first() -> None:
    held = {
        1: record(1, "good", "good"),
        2: record(2, None, None),
        3: record(3, "good", "poor"),
        4: record(4, "good", "good"),
        5: record(5, "good", "poor"),
        6: record(6, "good"),
    }
    drawn = dict.fromkeys(held, "good")
    # As the desk shows them; the sixth still waits for an answer.
    labels = {1: "good", 2: None, 3: None, 4: None, 5: "good"}
    found = completed_checks(drawn, held, labels)
    assert found == [
        MachineLabelCheck("good", "good"),
        MachineLabelCheck("good", None),
        MachineLabelCheck("good", None),
        MachineLabelCheck("good", None),
        MachineLabelCheck("good", "good"),
    ]
    assert [check.is_right for check in found] == [True, False, False, False, True]


def test_the_promise_says_how_audits_without_a_label_count() -> None:
    words = promise(0.05, 0.1, 60, 2)
    assert "2 of them have no agreed label" in str(words)
    assert "count as wrong" in str(words)
    assert "其中 2 条没有一致的标签" in in_chinese(words)
    assert "agreed" not in str(promise(0.05, 0.1, 60))
    assert "1 of them has no agreed label" in str(promise(0.05, 0.1, 60, 1))


def _turn_with_skips(made: MachineLoop, skipped: int) -> None:
    """The first round is answered, but for so many audit records, which everybody skipped."""
    made.loop.answer(1)
    with made.loop.services.database.transaction() as session:
        audits = [task.id for task in made.loop.tasks(1) if task.is_audit][:skipped]
        for row in session.exec(select(Annotation).where(col(Annotation.task_id).in_(audits))):
            row.grade, row.was_cancelled = None, True
            session.add(row)
    made.loop.runner.run_pending(limit=1)
    made.ask()


def test_skipped_audit_records_are_errors_in_the_certificate(
    new_machine_loop: Callable[..., MachineLoop],
) -> None:
    made = new_machine_loop()
    _turn_with_skips(made, 9)
    row = made.decisions[-1]
    audits = sum(task.is_audit for task in made.loop.tasks(1))
    assert row.evidence["audits"] == audits
    assert row.evidence["unlabelled_audits"] == 9
    assert row.state == "refused", "half of the audit sample has no right answer"
    assert "9 of them have no agreed label" in str(row.reason)
    assert "其中 9 条没有一致的标签" in in_chinese(row.reason)
    assert made.status().unlabelled_audits == 9
    assert made.loop.versions[0].audit_labels == audits - 9
