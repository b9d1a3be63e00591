"""A project goes with everything that is its own, and nothing else goes."""

from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import col
from sqlmodel import select as rows

from backend.bootstrap import build_registry
from backend.core.exceptions import Conflict, InvalidInput, NotFound
from backend.jobs.execution import claim, execute
from backend.jobs.inline import InlineRunner
from backend.jobs.queue import enqueue
from backend.jobs.registry import Registry
from backend.jobs.repository import Names
from backend.models import AuditEvent, Dataset, Job, Project, Record, metadata
from backend.projects.schemas import ProjectCreate
from backend.projects.service import ProjectsService
from backend.records.schemas import DatasetCreate, RecordCreate
from backend.records.service import RecordsService
from backend.removal.schemas import CLEAN_UP, LabelStudioFate
from backend.removal.service import Removals
from tests.backend.label_exchange.conftest import ON_SQLITE
from tests.backend.removal.conftest import MODELS
from tests.backend.review.conftest import Desk

NOT_OF_A_PROJECT = {
    "annotator",
    "api_key",
    "app_user",
    "audit_event",
    "dataset",
    "import",
    "import_reject",
    "lease",
    "record",
    "record_index_state",
    "record_text",
    "worker",
}


def row_counts(desk: Desk) -> dict[str, int]:
    with desk.services.database.reading() as session:
        return {
            name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
        }


def delete(desk: Desk, *, confirmed: str = "Shop", fate: LabelStudioFate = "keep") -> None:
    with desk.services.database.transaction() as session:
        Removals(session, desk.services).delete_project(
            1,
            confirmed=confirmed,
            label_studio=fate,
            actor="lea",
        )


def delete_other(desk: Desk) -> None:
    with desk.services.database.transaction() as session:
        Removals(session, desk.services).delete_project(
            2, confirmed="Other", label_studio="keep", actor="lea"
        )


def run_jobs(desk: Desk) -> None:
    """Every job that waits has run."""
    InlineRunner(desk.services.database, build_registry(desk.services), desk.clock).run_pending()


def test_no_row_of_the_project_is_left_and_no_other_is_gone(full: Desk) -> None:
    before = row_counts(full)
    assert {name for name in before if not before[name]} <= NOT_OF_A_PROJECT, "fill every table"
    delete(full)
    after = row_counts(full)
    kept = {name: before[name] for name in NOT_OF_A_PROJECT} | {"audit_event": after["audit_event"]}
    assert {name: after[name] for name in NOT_OF_A_PROJECT} == kept
    assert {name: count for name, count in after.items() if name not in NOT_OF_A_PROJECT} == {
        **dict.fromkeys(set(before) - NOT_OF_A_PROJECT, 0),
        "project": 1,
        "sync_cursor": 1,
        "job": 1,
    }, "the other project, and the job that deletes the files"


def test_what_goes_is_said_before_and_kept_in_the_audit_trail(full: Desk) -> None:
    with full.services.database.reading() as session:
        lost = Removals(session, full.services).of_project(full.project)
    assert (lost.project, lost.dataset, lost.label_studio_project_id) == ("Shop", "shop", 77)
    assert (lost.tasks, lost.answered_records, lost.annotations) == (12, 10, 18)
    assert (lost.decisions, lost.machine_labels, lost.model_versions) == (2, 1, 1)
    assert (lost.guideline_versions, lost.bytes) == (1, 5)
    delete(full)
    with full.services.database.reading() as session:
        event = session.exec(rows(AuditEvent).order_by(col(AuditEvent.id).desc())).first()
    assert event is not None
    assert (event.actor, event.action, event.subject) == ("lea", "project.deleted", "project:1")
    assert event.detail == {**lost.model_dump(), "label_studio": "keep"}


@pytest.mark.parametrize("written", ["", "shop", "Shop ", "Other"])
def test_another_name_deletes_nothing(full: Desk, written: str) -> None:
    before = row_counts(full)
    with pytest.raises(InvalidInput, match="name is 'Shop'") as error:
        delete(full, confirmed=written)
    assert (error.value.field, error.value.value) == ("confirm", written)
    assert row_counts(full) == before


@ON_SQLITE
def test_its_files_are_deleted_by_the_job(full: Desk) -> None:
    folder = full.services.settings.data_dir / MODELS
    beside = folder.with_name("project-2")
    beside.mkdir()
    delete(full)
    assert folder.is_dir(), "what is not committed yet deletes nothing"
    run_jobs(full)
    assert not folder.exists()
    assert beside.is_dir()


@ON_SQLITE
def test_a_running_job_of_the_project_commits_nothing_more(full: Desk) -> None:
    database, clock = full.services.database, full.clock
    with database.transaction() as session:
        enqueue(session, "test.slow", project_id=1, now=clock())
        for job in session.exec(rows(Job).where(Job.name != "test.slow")):
            session.delete(job)

    def slow(_context: object, _args: object) -> dict[str, int]:
        delete_in_another_thread(full)
        with database.transaction() as session:
            session.add(Dataset(name="late", kind="x", fields=[], created_at=clock()))
        return {}

    registry = Registry()
    registry.add("test.slow", slow)
    (job,) = claim(database, clock, Names(), "worker", 1)
    outcome = execute(database, clock, registry, job)
    assert outcome.status != "done"
    with database.reading() as session:
        assert [row.name for row in session.exec(rows(Dataset))] == ["shop"]
        assert [row.name for row in session.exec(rows(Job))] == [CLEAN_UP]


def delete_in_another_thread(desk: Desk) -> None:
    """As the API does: not guarded by the job that runs."""
    import threading

    thread = threading.Thread(target=delete, args=(desk,))
    thread.start()
    thread.join()


def test_ids_are_not_given_again(full: Desk) -> None:
    delete(full)
    delete_other(full)
    with full.services.database.transaction() as session:
        made = ProjectsService(session, full.clock).create(
            ProjectCreate(name="Third", dataset="shop"), actor="test"
        )
    assert made.id == 3


def test_a_dataset_in_use_is_refused_with_the_names_of_its_projects(full: Desk) -> None:
    def delete_dataset(written: str = "shop") -> None:
        with full.services.database.transaction() as session:
            Removals(session, full.services).delete_dataset(1, confirmed=written, actor="lea")

    with pytest.raises(Conflict, match="labelled by projects 'Shop', 'Other'"):
        delete_dataset()
    delete(full)
    with pytest.raises(Conflict, match="labelled by project 'Other'"):
        delete_dataset()
    delete_other(full)
    with full.services.database.transaction() as session:
        args = {"request": {"dataset": "shop"}}
        job_id = enqueue(session, "ingestion.import", args=args, now=full.clock())
    with pytest.raises(Conflict, match=f"has not ended: job {job_id}"):
        delete_dataset()
    with full.services.database.transaction() as session:
        session.delete(session.get(Job, job_id))
    with pytest.raises(InvalidInput, match="name is 'shop'"):
        delete_dataset("Shop")
    pool = full.services.settings.pools_dir / "dataset-1"
    pool.mkdir(parents=True)
    delete_dataset()
    with full.services.database.reading() as session:
        assert session.exec(rows(Record)).all() == session.exec(rows(Dataset)).all() == []
    run_jobs(full)
    assert not pool.exists()
    with full.services.database.transaction() as session:
        service = RecordsService(session, full.clock)
        assert service.create_dataset(DatasetCreate(name="shop"), actor="x").id == 2


@pytest.fixture
def junk(desk: Desk) -> Desk:
    """The dataset has a field that no project shows; versions of a record differ in it."""
    with desk.services.database.transaction() as session:
        records = RecordsService(session, desk.clock)
        records.add_fields(1, ["junk"])
        for value in ("old", None, "new"):
            extra = {} if value is None else {"junk": value}
            made = RecordCreate("j1", "product", {"title": "a", **extra}, "test")
            records.upsert(1, [made])
        records.upsert(1, [RecordCreate("j2", "product", {"title": "b", "junk": 1}, "test")])
    return desk


def remove_field(desk: Desk, field: str = "junk") -> None:
    with desk.services.database.transaction() as session:
        Removals(session, desk.services).remove_field(1, field, confirmed=field, actor="lea")


def test_a_field_goes_from_the_current_records_and_stays_in_what_was(junk: Desk) -> None:
    with junk.services.database.reading() as session:
        dataset = RecordsService(session, junk.clock).get_dataset(1)
        assert Removals(session, junk.services).of_field(dataset, "junk").records == 2
    remove_field(junk)
    run_jobs(junk)
    with junk.services.database.transaction() as session:
        records = RecordsService(session, junk.clock)
        assert records.get_dataset(1).fields == ["title", "price"]
        first = records.history(1, "j1")
        assert [row.fields.get("junk") for row in first] == ["old", None, "new"]
        assert [row.is_current for row in first] == [False, True, False]
        (second,) = records.history(1, "j2")
        assert second.fields == {"title": "b"}
        again = [RecordCreate("j2", "product", {"title": "b"}, "test")]
        assert records.upsert(1, again).unchanged == 1, "the hash is that of the content"
        assert session.exec(rows(AuditEvent.action)).all()[-1] == "dataset.field_removed"


@ON_SQLITE
def test_a_field_that_came_back_before_the_job_keeps_its_values(junk: Desk) -> None:
    remove_field(junk)
    with junk.services.database.transaction() as session:
        RecordsService(session, junk.clock).add_fields(1, ["junk"])
    run_jobs(junk)
    with junk.services.database.reading() as session:
        (second,) = RecordsService(session, junk.clock).history(1, "j2")
    assert second.fields == {"title": "b", "junk": 1}


@ON_SQLITE
def test_a_field_that_a_project_shows_or_that_is_not_there_is_refused(
    junk: Desk, tmp_path: Path
) -> None:
    with pytest.raises(Conflict, match="'price' is shown by project 'Shop'"):
        remove_field(junk, "price")
    with pytest.raises(NotFound, match="has no field 'colour'"):
        remove_field(junk, "colour")
    with junk.services.database.reading() as session:
        assert session.exec(rows(Project)).one().name == "Shop"
