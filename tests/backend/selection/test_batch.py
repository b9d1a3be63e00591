from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import delete

from backend.core.database import Database
from backend.core.exceptions import Conflict
from backend.jobs.queue import enqueue
from backend.label_studio import push
from backend.loop.job_names import NEXT_BATCH
from backend.loop.service import LoopService
from backend.models import Batch, Job, Record, Task
from backend.records.repository import raise_generation
from tests.backend.training.loop import Loop, fields_of
from tests.fixtures.chinese import in_chinese


def test_a_repeated_round_gives_no_second_batch(loop: Loop) -> None:
    before = [task.key for task in loop.tasks(1)]
    with loop.services.database.transaction() as session:
        again = enqueue(
            session,
            NEXT_BATCH,
            project_id=loop.project_id,
            args={"round": 1},
            key="again",
            now=loop.clock(),
        )
    loop.run()
    assert loop.job(again).status == "done"
    assert len(loop.batches) == 1
    assert [task.key for task in loop.tasks(1)] == before


def test_no_record_is_chosen_twice(loop: Loop) -> None:
    for number in (1, 2, 3):
        loop.turn(number)
    records = [task.record_id for batch in loop.batches for task in loop.tasks(batch.round)]
    assert len(records) == len(set(records)) == 90


def test_an_empty_pool_ends_the_loop_without_a_failure_and_new_records_go_on(
    new_loop: Callable[..., Loop], sqlite_database: Database
) -> None:
    loop = new_loop(sqlite_database, records=30)
    loop.ask_for_batch()
    loop.run()
    loop.turn(1)
    loop.turn(2)
    assert [len(loop.tasks(number)) for number in (1, 2)] == [24, 6]
    assert [batch.round for batch in loop.batches] == [1, 2]
    assert loop.failed == []
    with pytest.raises(Conflict, match="no records left"):
        loop.ask_for_batch()
    with loop.services.database.transaction() as session:
        session.add(
            Record(
                dataset_id=loop.project().dataset_id,
                external_id="30",
                content_hash="f" * 64,
                kind="product",
                fields=fields_of(30),
                source="test",
                created_at=loop.clock(),
            )
        )
        raise_generation(session, loop.project().dataset_id)
    loop.ask_for_batch()
    loop.run()
    assert len(loop.tasks(3)) == 1


def test_a_batch_that_is_on_its_way_is_not_asked_for_again(loop: Loop) -> None:
    loop.ask_for_batch()
    loop.runner.run_pending(limit=1)
    with pytest.raises(Conflict, match="on its way"):
        loop.ask_for_batch()


@pytest.mark.parametrize("number", [1, 2])
def test_audit_share_and_reasons_are_stored(loop: Loop, number: int) -> None:
    loop.turn(1)
    tasks = loop.tasks(number)
    assert sum(task.is_audit for task in tasks) == 8
    assert sorted(task.position for task in tasks) == list(range(24))
    assert all(str(task.reason) != in_chinese(task.reason) for task in tasks)
    audit = {task.reason for task in tasks if task.is_audit}
    chosen = {task.reason for task in tasks if not task.is_audit}
    assert len(audit) == 1
    assert not audit & chosen
    # Spread over the batch: neither all at its start nor all at its end.
    places = [task.position for task in tasks if task.is_audit]
    assert min(places) < 6
    assert max(places) > 17


def test_audit_records_are_drawn_uniformly(
    new_loop: Callable[..., Loop], sqlite_database: Database
) -> None:
    loop = new_loop(sqlite_database, batch_size=60, audit_share=1.0)
    loop.ask_for_batch()
    loop.run()
    grades = [task.record_id % 3 for task in loop.tasks(1)]
    assert all(10 <= grades.count(kind) <= 30 for kind in range(3))


def test_every_task_has_the_champions_prediction_from_the_second_batch_on(loop: Loop) -> None:
    assert loop.predictions == []
    loop.turn(1)
    (version,) = loop.versions
    assert {prediction.task_id for prediction in loop.predictions} == {
        task.id for task in loop.tasks(2)
    }
    for prediction in loop.predictions:
        assert prediction.model_version_id == version.id
        assert sum(prediction.grade_probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert prediction.score == max(prediction.grade_probabilities.values())
        assert prediction.grade_probabilities[prediction.grade] == prediction.score
        assert set(prediction.field_probabilities) == {"title", "price"}


@pytest.mark.parametrize("is_blind", [True, False])
def test_audit_tasks_are_pushed_without_a_suggestion_when_blind(
    new_loop: Callable[..., Loop],
    sqlite_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    is_blind: bool,
) -> None:
    loop = new_loop(sqlite_database, is_blind_on_audit=is_blind)
    loop.ask_for_batch()
    loop.run()
    loop.turn(1)
    sent: dict[int, bool] = {}

    def keep(
        _client: object, _project: int, items: list[dict[str, Any]], _progress: object
    ) -> dict[str, int]:
        sent.update({item["meta"]["task"]: "predictions" in item for item in items})
        return {item["data"]["assay_key"]: number for number, item in enumerate(items, 5_000)}

    monkeypatch.setattr(push, "push_tasks", keep)
    monkeypatch.setattr(push, "connect", lambda _services, _project: 1)
    monkeypatch.setattr(push, "shows_evidence", lambda *_parts: True)
    monkeypatch.setattr(push, "_show_model_version", lambda *_parts: None)
    with loop.services.database.transaction() as session:
        batch = session.merge(loop.batches[1])
        batch.pushed_at = None
        for task in loop.tasks(2):
            session.merge(task).label_studio_task_id = None
    loop.services.settings.label_studio_token = SecretStr("never sent")
    push.push_batches(loop.services, loop.project_id)
    audit = {task.id for task in loop.tasks(2) if task.is_audit}
    assert audit
    assert sent == {task.id: not (is_blind and task.is_audit) for task in loop.tasks(2)}


def test_max_rounds_ends_the_loop(new_loop: Callable[..., Loop], sqlite_database: Database) -> None:
    loop = new_loop(sqlite_database, max_rounds=1)
    loop.ask_for_batch()
    loop.run()
    loop.turn(1)
    assert len(loop.versions) == 1
    assert len(loop.batches) == 1


def test_the_same_store_gives_the_same_batches(
    new_loop: Callable[..., Loop], sqlite_database: Database
) -> None:
    loop = new_loop(sqlite_database, seed=5)
    loop.ask_for_batch()
    loop.run()
    first = [(task.record_id, task.is_audit) for task in loop.tasks(1)]
    with loop.services.database.transaction() as session:
        for model in (Task, Batch, Job):
            session.execute(delete(model))
    loop.ask_for_batch()
    loop.run()
    assert [(task.record_id, task.is_audit) for task in loop.tasks(1)] == first


def test_asking_what_is_due_twice_changes_nothing(loop: Loop) -> None:
    loop.answer(1)
    loop.tell()
    loop.tell()
    loop.run()
    assert len(loop.versions) == 1
    with loop.services.database.reading() as session:
        project = loop.project()
        progress = LoopService(session, loop.clock).progress(project)
    assert (progress.complete, progress.open, progress.last_round) == (24, 24, 2)
