"""Machine labels in the turning loop: accepted, checked, withdrawn, free again."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from backend.machine_labels import acceptance, repository
from backend.models import Acceptance, Record, Task
from tests.backend.machine_labels.machine import MachineLoop
from tests.backend.training.loop import true_grade, wrong_grade
from tests.fixtures.chinese import in_chinese

NewMachineLoop = Callable[..., MachineLoop]


def doubtful_grade(task: Task, record: Record) -> str:
    """A third of the records cannot be told apart by anything that is written in them."""
    if int(record.external_id) % 3 != 1:
        return true_grade(task, record)
    return ("good", "poor")[record.external_id.encode()[-1] % 2]


def test_the_champion_labels_what_it_is_sure_of(machine_loop: MachineLoop) -> None:
    row = machine_loop.decisions[-1]
    labels = machine_loop.labels(row)
    tasked = {task.record_id for task in machine_loop.loop.tasks(1)}
    assert row.records == len(labels) > 50
    assert not tasked & {label.record_id for label in labels}
    assert all(label.confidence >= (row.threshold or 1) for label in labels)
    audits = sum(task.is_audit for task in machine_loop.loop.tasks(1))
    assert row.evidence["audits"] == audits
    assert f"from {audits} audits" in str(row.reason)
    assert f"依据 {audits} 条抽检" in in_chinese(row.reason)
    drawn = sum(label.is_audited for label in labels)
    assert 0.3 * len(labels) <= drawn <= 0.3 * len(labels) + 1


def test_the_same_question_is_decided_once(machine_loop: MachineLoop) -> None:
    machine_loop.ask()
    again = machine_loop.ask_by_hand()
    assert again["state"] == "unchanged"
    assert "decided already" in again["reason"]
    assert machine_loop.states == ["accepted"]


def test_no_promise_no_machine_labels(new_machine_loop: NewMachineLoop) -> None:
    made = new_machine_loop(accept_error=None)
    made.turn(1)
    assert made.ask() is None
    assert made.decisions == []
    assert made.status().state == "off"
    for words in (made.status().reason, in_chinese(made.status().reason_message)):
        assert "accept_error" in words
        assert "PATCH /api/v1/projects/ID/policy" in words


def test_too_few_audits_are_refused_with_the_number_that_is_missing(
    new_machine_loop: NewMachineLoop,
) -> None:
    made = new_machine_loop(accept_error=0.1, accept_delta=0.05)
    made.turn(1)
    row = made.decisions[-1]
    assert row.state == "refused"
    assert made.labels(row) == []
    status = made.status()
    assert status.more_audits_needed == row.evidence["more_audits_needed"] > 10
    assert str(row.evidence["audits"]) in status.reason
    assert status.records == 0
    assert in_chinese(row.reason) != str(row.reason)


def test_people_are_asked_about_doubtful_records_and_checks_only(
    new_machine_loop: NewMachineLoop,
) -> None:
    made = new_machine_loop(
        records=800, batch_size=80, audit_share=0.7, accept_error=0.1, accept_delta=0.4
    )
    made.turn(1, doubtful_grade)
    assert made.states == ["accepted"]
    labels = {label.record_id: label for label in made.labels(made.decisions[-1])}
    tasks, checks = made.loop.tasks(2), made.checks(2)
    assert len(tasks) == 80 + 16  # a fifth on top of the batch
    assert len(checks) == 16
    assert all(labels[task.record_id].is_audited for task in checks)
    assert not any(task.is_audit for task in checks)
    others = {task.record_id for task in tasks} - {task.record_id for task in checks}
    assert not others & set(labels)
    shown = {prediction.task_id for prediction in made.loop.predictions}
    assert not shown & {task.id for task in checks}
    assert {task.id for task in tasks} - shown == {task.id for task in checks}
    assert sorted(task.position for task in tasks) == list(range(96))
    assert {task.position for task in checks} not in [set(range(16)), set(range(80, 96))]


def test_right_checks_keep_the_promise(machine_loop: MachineLoop) -> None:
    machine_loop.turn(2)
    machine_loop.turn(3)
    assert "withdrawn" not in machine_loop.states
    assert machine_loop.status().state == "accepted"
    evidence = [row.evidence for row in machine_loop.decisions]
    tests = [facts["is_test"] for facts in evidence]
    assert [facts["look"] for facts in evidence] == [
        1 + sum(tests[:place]) for place in range(len(tests))
    ]
    assert [facts["candidates"] for facts in evidence] == list(range(1, len(evidence) + 1))
    assert [facts["spent"] for facts in evidence] == pytest.approx(
        [0.2 / (row["look"] * (row["look"] + 1)) / row["candidates"] for row in evidence]
    ), "each version in the running has its part of accept_delta"
    assert sum(facts["spent"] for facts in evidence) < 0.2  # accept_delta


def test_wrong_checks_take_the_labels_back_and_free_the_records(
    new_machine_loop: NewMachineLoop,
) -> None:
    made = new_machine_loop(records=240)
    made.turn(1)
    before = made.standing_ids()
    checked = {task.id for task in made.checks(2)}
    assert len(checked) == 6

    def contradict(task: Task, record: object) -> str:
        return (wrong_grade if task.id in checked else true_grade)(task, record)  # type: ignore[arg-type]

    made.turn(2, contradict)
    withdrawn = [row for row in made.decisions if row.state == "withdrawn"]
    assert len(withdrawn) == 1
    assert "are wrong" in withdrawn[0].reason
    assert withdrawn[0].evidence["wrong"] == withdrawn[0].evidence["checks"] == 5
    assert before & {task.record_id for task in made.loop.tasks(3)}


def test_a_withdrawal_by_hand_wakes_a_loop_that_has_run_out(
    new_machine_loop: NewMachineLoop,
) -> None:
    made = new_machine_loop(records=100, accept_audit_share=0.01)
    made.turn(1)
    assert len(made.standing_ids()) == 70
    assert len(made.loop.tasks(2)) == len(made.checks(2)) == 1
    for round_number in range(2, 12):
        if made.loop.tasks(round_number):
            made.turn(round_number)
    rounds = len(made.loop.batches)
    free = made.standing_ids()
    assert rounds < 11
    assert len(free) > 50
    made.withdraw()
    assert made.standing_ids() == set()
    assert len(made.loop.batches) == rounds + 1
    assert {task.record_id for task in made.loop.tasks(rounds + 1)} <= free
    made.ask()
    assert made.states[-1] == "withdrawn"


def test_a_refusal_leaves_what_was_promised_before(machine_loop: MachineLoop) -> None:
    first = machine_loop.decisions[0]
    with machine_loop.loop.services.database.transaction() as session:
        session.add(
            Acceptance(
                **first.model_dump(exclude={"id", "state", "records"}), state="refused", records=0
            )
        )
    assert machine_loop.status().state == "accepted"
    assert machine_loop.standing_ids() == {label.record_id for label in machine_loop.labels(first)}


def test_a_stricter_policy_takes_weaker_promises_back(machine_loop: MachineLoop) -> None:
    machine_loop.set_policy(accept_error=0.01)
    result = machine_loop.ask_by_hand()
    assert result["state"] == "refused"
    assert machine_loop.states == ["accepted", "withdrawn", "refused"]
    assert "at most 1 % wrong" in machine_loop.decisions[1].reason
    assert machine_loop.standing_ids() == set()


def test_nothing_fails(machine_loop: MachineLoop) -> None:
    machine_loop.turn(2)
    machine_loop.turn(3)
    assert machine_loop.loop.failed == []


def test_labels_count_once_all_of_them_are_stored_however_often_it_is_tried(
    new_machine_loop: NewMachineLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred thousand labels in one transaction would keep webhooks waiting for seconds."""
    stored, turns_left = repository.add_labels, [2]

    def add_and_die(session: Session, rows: Sequence[dict[str, Any]]) -> None:
        stored(session, rows)
        assert len(rows) <= 3
        turns_left[0] -= 1
        if turns_left[0] < 0:
            raise OperationalError("insert", {}, sqlite3.OperationalError("database is locked"))

    monkeypatch.setattr(acceptance, "LABELS_PER_TURN", 3)
    monkeypatch.setattr(repository, "add_labels", add_and_die)
    machine_loop = new_machine_loop()
    machine_loop.turn(1)
    assert machine_loop.standing_ids() == set()
    assert [row.state for row in machine_loop.decisions] == [repository.PREPARING]
    assert machine_loop.status().state == "undecided"
    turns_left[0] = 1_000
    machine_loop.loop.run()
    (decision,) = machine_loop.decisions
    assert decision.state == "accepted"
    assert decision.evidence["look"] == 1, "the attempt that ended early told nobody anything"
    assert len(machine_loop.labels(decision)) == decision.records > 6
