"""Records that people are to answer without a suggestion get none here either."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import col, select, update

from backend.models import Batch, Dataset, Prediction, Project, Record, Task
from backend.records.schemas import RecordCreate
from backend.records.service import RecordsService
from backend.review.sending_back import copy_key
from tests.backend.ml_backend.conftest import Ask, Data
from tests.backend.training.loop import Loop

Pushed = list[tuple[Task, Record]]
DataOf = Callable[[Task, Record], Data]


def named(record: Record) -> Data:
    """As somebody's own project may hold it: by its id, with its values in columns."""
    return {"external_id": record.external_id, **record.fields}


def test_audit_records_stay_blind_by_key_and_by_id(
    ask: Ask, pushed: Pushed, data_of: DataOf
) -> None:
    audit = [each for each in pushed if each[0].is_audit]
    assert audit
    assert ask(*(data_of(*each) for each in audit)) == [[]] * len(audit)
    assert ask(*(named(record) for _, record in audit)) == [[]] * len(audit)
    without_key = [{"record_id": record.external_id} for _, record in audit]
    assert ask(*without_key) == [[]] * len(audit)
    assert ask(*(record.fields for _, record in audit)) == [[]] * len(audit), "a copy without id"
    others = [each for each in pushed if not each[0].is_audit]
    assert all(ask(*(named(record) for _, record in others)))
    assert all(ask(*(record.fields for _, record in others)))


def test_a_changed_audit_record_stays_blind(loop: Loop, ask: Ask, pushed: Pushed) -> None:
    record = next(record for task, record in pushed if task.is_audit)
    change_record(loop, record)
    assert ask({"external_id": record.external_id}) == [[]]


def test_where_the_policy_shows_suggestions_on_audit_records_so_does_this(
    loop: Loop, ask: Ask, pushed: Pushed, data_of: DataOf
) -> None:
    audit = [data_of(*each) for each in pushed if each[0].is_audit]
    with loop.services.database.transaction() as session:
        project = session.get_one(Project, loop.project_id)
        project.policy = {**project.policy, "is_blind_on_audit": False}
        session.add(project)
    assert all(ask(*audit))


@pytest.mark.parametrize("purpose", ["gold", "relabel"])
def test_copies_stay_blind_and_so_does_their_record_by_id(
    loop: Loop, ask: Ask, pushed: Pushed, data_of: DataOf, purpose: str
) -> None:
    original, record = next(each for each in pushed if not each[0].is_audit)
    copy = Task(
        project_id=original.project_id,
        record_id=original.record_id,
        batch_id=original.batch_id,
        key=copy_key(original, 2),
        position=1,
        is_audit=False,
        purpose=purpose,
        attempt=2,
        original_id=original.id,
    )
    with loop.services.database.transaction() as session:
        session.add(copy)
        session.flush()
        session.expunge(copy)
    assert ask(data_of(copy, record), named(record)) == [[], []]
    assert ask(data_of(original, record))[0]["result"]


def test_a_task_that_the_classifier_was_to_say_nothing_about_stays_blind(
    loop: Loop, ask: Ask, pushed: Pushed, data_of: DataOf
) -> None:
    """As a random check of a machine label: its batch has suggestions, and it has none."""
    (task, record), (other, other_record) = [each for each in pushed if not each[0].is_audit][:2]
    version = loop.versions[0]
    with loop.services.database.transaction() as session:
        session.exec(
            update(Batch).where(col(Batch.id) == task.batch_id).values(model_version_id=version.id)
        )
        session.add(
            Prediction(
                task_id=other.id,
                model_version_id=version.id,
                grade="good",
                score=0.5,
                grade_probabilities={},
                issue_probabilities={},
                field_probabilities={},
                created_at=loop.clock(),
            )
        )
    blind, seen, by_id = ask(data_of(task, record), data_of(other, other_record), named(record))
    assert (blind, by_id) == ([], [])
    assert seen["result"]


def test_a_task_is_about_the_version_that_it_shows(
    loop: Loop, ask: Ask, pushed: Pushed, data_of: DataOf
) -> None:
    task, record = next(
        each for each in pushed if not each[0].is_audit and each[1].fields["price"] == ""
    )
    before = ask(data_of(task, record))[0]
    change_record(loop, record)
    after, own = ask(data_of(task, record), named(record))
    assert after["score"] == pytest.approx(before["score"], abs=1e-5)
    assert [each["value"] for each in after["result"]] == [
        each["value"] for each in before["result"]
    ]
    assert own["score"] == pytest.approx(before["score"], abs=1e-5), (
        "its own values, not the new ones"
    )
    assert any(each["from_name"] == "faulty" for each in after["result"])


def test_tasks_of_another_project_are_read_by_their_record(
    loop: Loop, ask: Ask, pushed: Pushed, data_of: DataOf
) -> None:
    task, record = next(each for each in pushed if not each[0].is_audit)
    unknown: dict[str, Any] = {**data_of(task, record), "assay_key": "nobody's"}
    assert ask(unknown) == ask(data_of(task, record))
    assert ask({**unknown, "record_id": "nobody"}) == [[]]


def change_record(loop: Loop, record: Record) -> None:
    """A new version is current."""
    with loop.services.database.transaction() as session:
        dataset = session.exec(select(Dataset)).one()
        RecordsService(session, loop.clock).upsert(
            dataset.id,
            [
                RecordCreate(
                    external_id=record.external_id,
                    kind=record.kind,
                    fields={"title": "steel kettle 3", "price": "12.50"},
                    source="test",
                )
            ],
        )
