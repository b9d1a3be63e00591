"""Records that a person chose: labelled beside the rounds, in no accuracy, once."""

from collections.abc import Callable, Sequence

import pytest
from sqlmodel import select

from backend.agreement import repository as agreement_repository
from backend.core.database import Database
from backend.core.exceptions import Conflict, InvalidInput, NotFound
from backend.features.snapshot import take_snapshot
from backend.loop.service import LoopService
from backend.machine_labels import repository as machine_repository
from backend.models import Acceptance, MachineLabel, Record, Task
from backend.overview.service import OverviewService
from backend.projects.service import policy_of
from backend.registry.service import RegistryService
from backend.scoring.table_cache import verdict_table
from backend.selection import batch as batch_module
from backend.selection.chosen import MOST_CHOSEN, ChosenBatches, LabellingPlan
from backend.words import Message
from tests.backend.scoring.conftest import judged, new_loop
from tests.backend.training.loop import Loop, wrong_grade

__all__ = ["judged", "new_loop"]


@pytest.fixture
def loop(judged: Callable[..., Loop], sqlite_database: Database) -> Loop:
    """Its first round is over, its second is out."""
    return judged(sqlite_database, max_rounds=3, batch_size=24)


def free_records(loop: Loop, count: int) -> list[int]:
    """Records that nobody was asked about."""
    with loop.services.database.reading() as session:
        tasked = set(session.exec(select(Task.record_id)))
        ids = session.exec(select(Record.id).order_by(Record.id)).all()
    return [each for each in ids if each not in tasked][:count]


def send(loop: Loop, record_ids: Sequence[int], *, sending: str = "click") -> LabellingPlan:
    with loop.services.database.transaction() as session:
        batches = ChosenBatches(session, loop.services)
        _, plan = batches.send(loop.project(), record_ids, actor="Lea", sending=sending)
        return plan


def open_tasks(loop: Loop) -> tuple[int, int, int]:
    """All that is open, what of it belongs to rounds, the last round."""
    with loop.services.database.reading() as session:
        found = LoopService(session, loop.clock).progress(loop.project())
        return found.open, found.open_in_rounds, found.last_round


def test_chosen_records_are_a_batch_of_no_round_with_the_verdicts_as_suggestions(
    loop: Loop,
) -> None:
    chosen = free_records(loop, 10)
    assert set(send(loop, chosen).going) == set(chosen)
    loop.run()
    tasks = loop.tasks(0)
    assert {task.record_id for task in tasks} == set(chosen)
    assert not any(task.is_audit for task in tasks)
    assert {task.reason for task in tasks} == {Message("chosen by {name}", name="Lea")}
    assert all(task.label_studio_task_id for task in tasks), "pushed"
    assert [batch.round for batch in loop.batches] == [0, 1, 2]
    said = {each.task_id: each for each in loop.predictions}
    with loop.services.database.reading() as session:
        table = verdict_table(session, loop.services, loop.project())
        assert table is not None
        places = table.verdicts.positions([task.record_id for task in tasks])
        for task, place in zip(tasks, places.tolist(), strict=True):
            assert said[task.id].score == pytest.approx(
                float(table.verdicts.confidence[place]), abs=1e-6
            )
        risks = table.verdicts.risk[places].tolist()
    assert risks == sorted(risks, reverse=True), "the riskiest come first"


def test_the_same_click_twice_is_one_batch(loop: Loop) -> None:
    chosen = free_records(loop, 6)
    send(loop, chosen)
    assert set(send(loop, chosen).going) == set(chosen)
    assert len(loop.tasks(0)) == 6
    with pytest.raises(Conflict, match="None of these records"):
        send(loop, chosen, sending="another click")
    more = free_records(loop, 2)
    plan = send(loop, [*chosen, *more], sending="a third")
    assert (set(plan.going), plan.tasked) == (set(more), 6)


def test_what_has_a_task_has_changed_or_is_of_nobody_is_left_out(loop: Loop) -> None:
    asked = loop.tasks(1)[0].record_id
    gone, free = free_records(loop, 2)
    with loop.services.database.transaction() as session:
        record = session.get_one(Record, gone)
        record.is_current = False
        session.add(record)
    plan = send(loop, [asked, gone, free, 999_999])
    assert (plan.going, plan.tasked, plan.outdated) == ((free,), 1, 2)


@pytest.mark.parametrize("count", [0, MOST_CHOSEN + 1])
def test_none_and_too_many_are_refused(loop: Loop, count: int) -> None:
    with pytest.raises(InvalidInput):
        send(loop, range(count))
    assert loop.tasks(0) == []


def test_rounds_go_on_while_chosen_records_wait(loop: Loop) -> None:
    assert open_tasks(loop) == (24, 24, 2)
    send(loop, free_records(loop, 10))
    loop.run()
    assert open_tasks(loop) == (34, 24, 2)
    loop.turn(2)
    assert [batch.round for batch in loop.batches] == [0, 1, 2, 3]
    assert len(loop.versions) == 2, "the finished round was learnt"
    chosen = {task.record_id for task in loop.tasks(0)}
    assert not chosen & {task.record_id for task in loop.tasks(3)}, "nobody is asked twice"


def test_after_the_last_round_chosen_records_are_learnt_together(
    judged: Callable[..., Loop], sqlite_database: Database
) -> None:
    loop = judged(sqlite_database, max_rounds=1)
    send(loop, free_records(loop, 6))
    loop.run()
    versions = len(loop.versions)
    loop.answer(0, first=1)
    loop.run()
    assert len(loop.versions) == versions, "five are open still"
    loop.answer(0, person=2)
    loop.run()
    assert len(loop.versions) == versions + 1


def test_chosen_records_teach_and_measure_nothing(loop: Loop) -> None:
    before = take_snapshot(loop.services, loop.project())
    audits = {label.record_id for label in before.audit}
    send(loop, free_records(loop, 12))
    loop.run()
    loop.answer(0, wrong_grade)
    loop.run()
    after = take_snapshot(loop.services, loop.project())
    chosen = {task.record_id for task in loop.tasks(0)}
    assert {label.record_id for label in after.audit} == audits, "accuracy is of the same records"
    assert after.audit_unlabelled == before.audit_unlabelled
    assert chosen <= {label.record_id for label in after.training}
    loop.ask_for_retraining()
    loop.run()
    assert loop.failed == []
    newest = loop.versions[-1].metrics
    assert newest["audit_accuracy"]["n"] == loop.versions[0].metrics["audit_accuracy"]["n"]
    with loop.services.database.reading() as session:
        rounds = agreement_repository.rounds(session, loop.project_id)
        assert sorted(rounds.values()) == [1, 2], "agreement by round is of rounds"
        settings = loop.services.settings
        status = OverviewService(session, loop.clock, settings).project(loop.project_id)
    assert status.round == 2
    row = next(each for each in status.rounds if each.strategy == "chosen")
    assert (row.round, row.labelled, row.model_version, row.accuracy) == (0, 12, None, None)


def test_a_chosen_record_is_no_check_of_its_machine_label(loop: Loop) -> None:
    """Checks are a random sample; who picks records that look wrong would break the promise."""
    drawn, other = free_records(loop, 2)
    with loop.services.database.transaction() as session:
        champion = RegistryService(session, loop.clock).champion(loop.project_id)
        assert champion is not None
        acceptance = Acceptance(
            project_id=loop.project_id,
            model_version_id=champion.id,
            state="accepted",
            target_error=0.05,
            delta=0.05,
            threshold=0.5,
            records=2,
            reason="test",
            created_at=loop.clock(),
        )
        machine_repository.add(session, acceptance)
        labels = [
            {
                "acceptance_id": acceptance.id,
                "record_id": each,
                "grade": "good",
                "confidence": 0.9,
                "is_audited": True,
            }
            for each in (drawn, other)
        ]
        machine_repository.add_labels(session, labels)
        assert len(session.exec(select(MachineLabel)).all()) == 2
    plan = send(loop, [drawn])
    assert plan.machine == 1, "its machine label counts no more"
    loop.run()
    loop.answer(0, wrong_grade)
    with loop.services.database.reading() as session:
        acceptance = machine_repository.latest(session, loop.project_id)
        assert acceptance is not None
        assert machine_repository.tasks_of_checks(session, acceptance) == {}
        assert machine_repository.unchecked_record_ids(session, acceptance) == [other]
        assert machine_repository.count_labels(session, acceptance) == 1


def test_a_batch_is_taken_back_until_label_studio_has_it(loop: Loop) -> None:
    chosen = free_records(loop, 4)
    send(loop, chosen)
    with loop.services.database.transaction() as session:
        batches = ChosenBatches(session, loop.services)
        assert batches.take_back(loop.project(), "click", actor="Lea") == 4
    assert loop.tasks(0) == []
    assert {task.record_id for task in loop.tasks(1)}.isdisjoint(chosen)
    with (
        loop.services.database.transaction() as session,
        pytest.raises(NotFound, match="no batch"),
    ):
        ChosenBatches(session, loop.services).take_back(loop.project(), "click", actor="Lea")
    send(loop, chosen, sending="again")
    loop.run()
    with (
        loop.services.database.transaction() as session,
        pytest.raises(Conflict, match="Label Studio has these"),
    ):
        ChosenBatches(session, loop.services).take_back(loop.project(), "again", actor="Lea")
    assert len(loop.tasks(0)) == 4


def test_records_chosen_while_a_batch_is_being_chosen_are_in_one_of_both(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Choosing takes minutes where there are a million records; a click does not wait."""
    taken: list[int] = []
    explain = batch_module.explain_batch

    def send_meanwhile(
        services: object, project: object, artifact: object, *rest: object
    ) -> object:
        selected = rest[1]
        taken.extend(selected.record_ids[:5])  # type: ignore[attr-defined]
        send(loop, taken)
        return explain(services, project, artifact, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(batch_module, "explain_batch", send_meanwhile)
    loop.turn(2)
    assert loop.failed == []
    assert {task.record_id for task in loop.tasks(0)} == set(taken)
    assert len(loop.tasks(3)) == policy_of(loop.project()).batch_size - 5
    assert not {task.record_id for task in loop.tasks(3)} & set(taken)
