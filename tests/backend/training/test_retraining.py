import errno
import os
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from active_learning.artifacts import load_artifact, save_artifact
from backend.core.clock import utc_now
from backend.core.database import Database
from backend.features.snapshot import take_snapshot
from backend.jobs.context import LEASE_TTL, JobContext
from backend.jobs.inline import InlineRunner
from backend.jobs.leases import HeldLeases
from backend.jobs.queue import list_recent, request_cancel
from backend.jobs.repository import JobRepository
from backend.loop.job_names import NEXT_BATCH, RETRAIN
from backend.models import Record, Task
from backend.registry.service import RegistryService
from backend.training import challenger, jobs
from backend.training.purging import purge_artifacts
from backend.training.retraining import LEARNT_ALREADY, retrain
from tests.backend.training.loop import Loop, true_grade, wrong_grade
from tests.fixtures.chinese import in_chinese


def wrong_unless_audited(task: Task, record: Record) -> str:
    return true_grade(task, record) if task.is_audit else wrong_grade(task, record)


def test_the_loop_turns(new_loop: Callable[..., Loop], database: Database) -> None:
    loop = new_loop(database)
    loop.ask_for_batch()
    loop.run()
    loop.turn(1)
    loop.turn(2)
    first, second = loop.versions
    assert [batch.round for batch in loop.batches] == [1, 2, 3]
    assert [batch.model_version_id for batch in loop.batches][:2] == [None, first.id]
    assert (first.training_labels, first.audit_labels) == (16, 8)
    assert (second.training_labels, second.audit_labels) == (32, 16)
    assert [one.decided_by for one in loop.promotions] == ["gate", "gate"]
    assert loop.failed == []


def test_the_first_model_is_promoted_and_traceable(loop: Loop) -> None:
    loop.turn(1)
    (version,), (promotion,) = loop.versions, loop.promotions
    assert (promotion.kind, promotion.model_version_id) == ("promoted", version.id)
    assert "first model" in str(promotion.reason)
    assert in_chinese(promotion.reason) != str(promotion.reason)
    artifact = load_artifact(loop.services.settings.models_dir / version.artifact)
    snapshot = take_snapshot(loop.services, loop.project())
    assert artifact.facts.snapshot == snapshot.fingerprint
    assert artifact.facts.annotation_ids == snapshot.annotation_ids
    assert artifact.facts.encoder_revision == version.encoder
    assert version.metrics["audit_accuracy"]["n"] == version.audit_labels == 8
    assert version.metrics["complete_tasks"] == 24
    assert version.metrics["round"] == 1


def test_the_same_labels_twice_give_one_version(loop: Loop) -> None:
    loop.turn(1)
    again = loop.ask_for_retraining()
    loop.run()
    assert len(loop.versions) == len(loop.promotions) == 1
    result = loop.job(again).result
    assert result == {"trained": False, "why": LEARNT_ALREADY.as_json()}


def test_the_gate_keeps_the_champion_when_the_challenger_is_worse(loop: Loop) -> None:
    loop.turn(1)
    loop.revise(1, wrong_unless_audited)
    loop.ask_for_retraining()
    loop.run()
    first, second = loop.versions
    decision = loop.promotions[-1]
    assert (decision.kind, decision.model_version_id) == ("kept", first.id)
    assert (decision.challenger_id, decision.previous_id) == (second.id, first.id)
    assert decision.evidence["difference"]["value"] < 0
    assert decision.evidence["losses"] > decision.evidence["wins"]
    with loop.services.database.reading() as session:
        champion = RegistryService(session, loop.clock).champion(loop.project_id)
    assert champion is not None
    assert champion.id == first.id


def test_after_a_rollback_the_next_batch_is_chosen_by_the_old_version(loop: Loop) -> None:
    loop.turn(1)
    loop.turn(2)
    first, second = loop.versions
    with loop.services.database.transaction() as session:
        registry = RegistryService(session, loop.clock)
        champion = registry.champion(loop.project_id)
        assert champion is not None
        assert champion.id == second.id
        registry.rollback(loop.project_id, 1, reason="too harsh", actor="lead")
    loop.ask_for_batch()
    loop.run()
    assert [batch.model_version_id for batch in loop.batches] == [
        None,
        first.id,
        second.id,
        first.id,
    ]
    shown = {prediction.task_id: prediction.model_version_id for prediction in loop.predictions}
    assert {shown[task.id] for task in loop.tasks(4)} == {first.id}


def test_a_rollback_is_not_undone_by_the_same_labels(loop: Loop) -> None:
    loop.turn(1)
    loop.turn(2)
    with loop.services.database.transaction() as session:
        RegistryService(session, loop.clock).rollback(
            loop.project_id, 1, reason="too harsh", actor="lead"
        )
    loop.ask_for_retraining()
    loop.run()
    assert loop.promotions[-1].kind == "rolled_back"


def test_a_champion_that_cannot_be_read_is_replaced(loop: Loop) -> None:
    loop.turn(1)
    (lost,) = loop.versions
    signals = loop.services.settings.models_dir / lost.artifact / "signals.json"
    signals.write_text("{}")
    loop.ask_for_batch()
    loop.run()
    assert loop.batches[-1].model_version_id is None, "chosen without the unreadable champion"
    loop.ask_for_retraining()
    loop.run()
    assert loop.failed == []
    assert [version.number for version in loop.versions] == [1, 2]
    replaced = loop.promotions[-1]
    assert replaced.model_version_id == loop.versions[1].id
    assert "champion v1 could not be read" in str(replaced.reason)
    assert "无法读取在用模型 v1" in in_chinese(replaced.reason)
    assert replaced.evidence["rule"] == "unreadable champion"
    assert replaced.evidence["champion"] == "v1"
    again = loop.ask_for_retraining()
    loop.run()
    assert loop.job(again).result is not None
    assert len(loop.versions) == 2, "replaced once"


def test_too_few_labels_give_the_next_batch_all_the_same(
    new_loop: Callable[..., Loop], sqlite_database: Database
) -> None:
    loop = new_loop(sqlite_database, batch_size=6)
    loop.ask_for_batch()
    loop.run()
    loop.turn(1)
    assert loop.versions == []
    assert [batch.strategy for batch in loop.batches] == ["cold_start", "cold_start"]
    loop.turn(2)
    loop.turn(3)
    assert len(loop.versions) >= 1
    assert loop.failed == []


def test_labels_of_one_grade_give_the_next_batch_all_the_same(loop: Loop) -> None:
    loop.answer(1, lambda _task, _record: "good")
    loop.run()
    assert loop.versions == []
    assert [batch.round for batch in loop.batches] == [1, 2]
    loop.turn(2)
    assert len(loop.versions) == 1


def test_skipped_and_tied_tasks_do_not_stop_the_loop(
    new_loop: Callable[..., Loop], sqlite_database: Database
) -> None:
    loop = new_loop(sqlite_database, annotators_per_record=2)
    loop.ask_for_batch()
    loop.run()
    loop.answer(1, person=1)
    loop.run()
    assert len(loop.batches) == 1
    loop.answer(1, wrong_grade, person=2)
    loop.run()
    assert loop.versions == []
    assert len(loop.batches) == 2


def test_a_retraining_waits_while_another_job_holds_the_project(loop: Loop) -> None:
    other = HeldLeases(
        loop.services.database,
        loop.clock,
        job_id="another",
        attempt=1,
        ttl=LEASE_TTL,
    )
    loop.answer(1)
    other.acquire(f"train:{loop.project_id}")
    loop.run()
    assert loop.versions == []
    other.release(f"train:{loop.project_id}")
    loop.run()
    assert len(loop.versions) == 1


def test_two_trainings_of_one_project_never_overlap(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, most, both_tried = 0, 0, threading.Event()
    guard = threading.Lock()

    def watched(*args: object, **options: object) -> dict[str, object]:
        nonlocal inside, most
        with guard:
            inside += 1
            most = max(most, inside)
        try:
            both_tried.wait(20)
            return retrain(*args, **options)  # type: ignore[arg-type]
        finally:
            with guard:
                inside -= 1

    monkeypatch.setattr(jobs, "retrain", watched)
    loop.answer(1)
    asked = {loop.ask_for_retraining(), loop.ask_for_retraining()}

    def training_ids() -> set[str]:
        with loop.services.database.reading() as session:
            return {job.id for job in list_recent(session, name=RETRAIN)}

    def work() -> None:
        runner = InlineRunner(loop.services.database, loop.runner.registry, loop.clock)
        runner.run_pending()
        both_tried.set()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(loop.job(job_id).status for job_id in training_ids())
    assert statuses == ["done", "waiting", "waiting"]
    loop.run()
    assert most == 1
    assert asked < training_ids(), "the loop asked for one of its own"
    assert {loop.job(job_id).status for job_id in training_ids()} == {"done"}
    assert len(loop.versions) == 1


def test_a_full_disk_makes_the_training_wait_and_it_recovers(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop.answer(1)
    with monkeypatch.context() as full:

        def fail(_descriptor: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        full.setattr(os, "fsync", fail)
        loop.run()
    (waiting,) = [job for job in loop_jobs(loop) if job[0] == RETRAIN]
    assert waiting[1] == "waiting"
    assert "StorageFull" in waiting[2]
    assert "space" in waiting[2]
    assert loop.versions == []
    assert not list(loop.services.settings.models_dir.glob("*/*"))
    loop.run()
    assert len(loop.versions) == 1
    assert len(loop.batches) == 2
    assert loop.failed == []


def test_what_a_killed_training_left_is_in_nobodys_way(loop: Loop) -> None:
    loop.answer(1)
    fingerprint = take_snapshot(loop.services, loop.project()).fingerprint
    left = loop.services.settings.models_dir / f"project-{loop.project_id}" / fingerprint[:16]
    left.mkdir(parents=True)
    (left / "manifest.json").write_text("{half")
    loop.run()
    (version,) = loop.versions
    assert load_artifact(loop.services.settings.models_dir / version.artifact).directory != left


def test_a_training_that_was_taken_over_publishes_nothing_and_deletes_nothing(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[Path] = []

    def save_and_be_overtaken(directory: Path, *contents: Any) -> None:
        save_artifact(directory, *contents)
        folders.append(directory)
        if len(folders) == 1:  # another worker thinks that this one is dead
            url = loop.services.database.url.render_as_string(hide_password=False)
            other = Database(url)
            with other.transaction() as session:
                (job,) = list_recent(session, name=RETRAIN, statuses=["running"])
                assert JobRepository(session).requeue(job.id, job.attempt, crashed=True)
            other.dispose()

    monkeypatch.setattr(challenger, "save_artifact", save_and_be_overtaken)
    loop.answer(1)
    loop.run()
    overtaken, published = folders
    (version,) = loop.versions
    assert loop.services.settings.models_dir / version.artifact == published
    assert (version.number, len(loop.promotions)) == (1, 1)
    assert load_artifact(overtaken).facts.snapshot == load_artifact(published).facts.snapshot
    assert loop.failed == []

    loop.clock.now = utc_now()
    assert purge_artifacts(loop.services) == [], "young ones may get their row yet"
    loop.clock.now += timedelta(days=2)
    assert [one.path for one in purge_artifacts(loop.services)] == [str(overtaken)]
    assert (
        load_artifact(published).facts.snapshot
        == take_snapshot(loop.services, loop.project()).fingerprint
    )
    assert purge_artifacts(loop.services) == [], "what a row refers to stays, however old"


def test_a_lost_champion_is_replaced_by_the_next_version(loop: Loop) -> None:
    loop.turn(1)
    (first,) = loop.versions
    (loop.services.settings.models_dir / first.artifact / "manifest.json").unlink()
    loop.answer(2)
    loop.run()
    assert len(loop.versions) == 2
    assert loop.promotions[-1].kind == "promoted"


def test_a_cancelled_training_leaves_nothing(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    loop.answer(1)

    def cancelled(context: JobContext) -> bool:
        with loop.services.database.transaction() as session:
            request_cancel(session, context.job_id, now=loop.clock())
        context._read_requests()
        return True

    monkeypatch.setattr(JobContext, "should_stop", cancelled)
    loop.run()
    assert [status for name, status, _ in loop_jobs(loop) if name == RETRAIN] == ["cancelled"]
    assert loop.versions == []
    assert not list(loop.services.settings.models_dir.glob("*/*"))


def loop_jobs(loop: Loop) -> list[tuple[str, str, str]]:
    """(name, status, error) of every training and selection."""
    with loop.services.database.reading() as session:
        rows = list_recent(session, project_id=loop.project_id)
    return [(row.name, row.status, row.error or "") for row in rows if row.name != NEXT_BATCH]


def test_a_loop_without_audits_goes_on_and_says_that_nothing_was_measured(
    new_loop: Callable[..., Loop], database: Database
) -> None:
    loop = new_loop(database, audit_share=0.0)
    loop.ask_for_batch()
    loop.run()
    loop.turn(1)
    loop.turn(2)
    assert loop.failed == []
    first, second = loop.versions
    assert [row.kind for row in loop.promotions] == ["promoted", "promoted"]
    assert loop.promotions[-1].model_version_id == second.id != first.id
    assert "not measured" in str(loop.promotions[-1].reason)
    assert "未经测量" in in_chinese(loop.promotions[-1].reason)
    assert second.metrics["audit_accuracy"] is None
