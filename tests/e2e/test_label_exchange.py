"""Labels go out as Label Studio's JSON, through the real server, and come back the same."""

import json
from pathlib import Path

import pytest
from sqlmodel import select

from backend.annotations.revisions import identity_of
from backend.core.clock import utc_now
from backend.core.services import Services
from backend.integrity.service import verify_project
from backend.label_exchange.destination import LabelImport
from backend.label_exchange.files import write_export
from backend.label_exchange.label_import import import_labels
from backend.label_exchange.schemas import ExportRequest
from backend.label_studio.connection import connect
from backend.label_studio.push import push_batches
from backend.label_studio.sync import sync_project
from backend.models import Project, Task
from backend.projects.schemas import LoopPolicy, ProjectCreate
from backend.projects.service import ProjectsService
from backend.records.schemas import DatasetCreate, RecordCreate
from backend.records.service import RecordsService
from labeling.label_schema import LabelSchema
from labeling.label_studio.account import Account
from labeling.label_studio.annotations import Answer, build_result
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.tasks import build_task_data
from tests.backend.label_exchange.conftest import answers_in, find_project
from tests.e2e.stack import Stack
from tests.fixtures.label_studio import ProjectFactory

pytestmark = [pytest.mark.e2e, pytest.mark.label_studio]

FIELDS = {"title": "蓝色 mug <4>", "price": ""}
SCHEMA = LabelSchema.default(["title", "price"])
ANSWERS = (
    Answer("poor", ("missing_value",), ("price",), {"price": "3.50"}, "no price"),
    Answer("good"),
    None,  # a skip
)


def seed(services: Services, name: str) -> Project:
    """A project over three records; no batch yet."""
    with services.database.transaction() as session:
        records = RecordsService(session, services.clock)
        dataset = records.create_dataset(
            DatasetCreate(name=name, kind="product", fields=list(FIELDS)), actor="test"
        )
        made = [RecordCreate(f"r{n}", "product", FIELDS, "test") for n in (1, 2, 3)]
        records.upsert(dataset.id, made)
        return ProjectsService(session, services.clock).create(
            ProjectCreate(name=name, dataset=name, policy=LoopPolicy(batch_size=3)), actor="test"
        )


def told(services: Services, project: Project) -> list[tuple[object, ...]]:
    """What was said about each record, without who said it."""
    return sorted((row[0], *row[2:]) for row in answers_in(services, project))


def test_through_the_real_server(
    stack: Stack,
    label_studio_client: LabelStudioClient,
    annotator_clients: list[LabelStudioClient],
    accounts: list[Account],
    label_studio_project: ProjectFactory,
    tmp_path: Path,
) -> None:
    services = stack.services()
    origin = label_studio_project(SCHEMA, maximum_annotations=2)
    tasks = [{"data": build_task_data(f"k{n}", f"r{n}", FIELDS, SCHEMA)} for n in (1, 2, 3)]
    ids = label_studio_client.import_tasks(origin, tasks)
    for task, answer, person in zip(ids, ANSWERS, annotator_clients, strict=True):
        result = build_result(answer, FIELDS, SCHEMA) if answer else []
        person.create_annotation(task, {"result": result, "was_cancelled": answer is None})

    # Label Studio's own export comes in, also on records that are there already.
    seed(services, "Theirs")
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(label_studio_client.export_tasks(origin, ids)), encoding="utf-8")
    report = import_labels(services, LabelImport(path, "Theirs"), actor="test")
    assert report.rejects == []
    assert (report.records_unchanged, report.tasks_new, report.annotations_new) == (3, 3, 3)
    theirs = find_project(services, "Theirs")
    assert told(services, theirs) == [
        ("r1", "poor", ("missing_value",), ("price",), False, "no price", (("price", "3.50"),)),
        ("r2", "good", (), (), False, None, ()),
        ("r3", "", (), (), True, None, ()),
    ]

    # It goes out, Label Studio imports and exports it again, and it is the same.
    out = tmp_path / "ours.json"
    request = ExportRequest(what="annotations", format="label_studio", pseudonyms=True)
    write_export(services, theirs, request, out)
    target = label_studio_project(SCHEMA, maximum_annotations=2)
    ids = label_studio_client.import_tasks(target, json.loads(out.read_text(encoding="utf-8")))
    back = tmp_path / "back.json"
    held = label_studio_client.export_tasks(target, ids)
    assert [len(task["annotations"]) for task in held] == [1, 1, 1]
    back.write_text(json.dumps(held), encoding="utf-8")
    report = import_labels(services, LabelImport(back, "Back"), actor="test")
    assert report.rejects == []
    assert told(services, find_project(services, "Back")) == told(services, theirs)

    # With names it goes to a server that knows the people, who keep their answers.
    write_export(services, theirs, ExportRequest(what="annotations", format="label_studio"), out)
    written = json.loads(out.read_text(encoding="utf-8"))
    for task, account in zip(written, accounts, strict=True):
        for annotation in task["annotations"]:
            annotation["completed_by"] = {"email": account.email}
    target = label_studio_project(SCHEMA, maximum_annotations=2)
    ids = label_studio_client.import_tasks(target, written)
    held = label_studio_client.export_tasks(target, ids)
    people = [task["annotations"][0]["completed_by"] for task in held]
    assert len(set(people)) == 3


def test_imported_labels_beside_a_live_project(
    stack: Stack, label_studio_client: LabelStudioClient, tmp_path: Path
) -> None:
    """A full sync deletes no imported answer, a push sends none, and verify finds nothing."""
    services = stack.services()
    project = seed(services, "Live")
    answer = {
        "id": 1,
        "completed_by": {"id": 4, "email": "far@example.org"},
        "result": build_result(Answer("good"), FIELDS, SCHEMA),
        "created_at": identity_of(utc_now()),
        "updated_at": identity_of(utc_now()),
    }
    tasks = [{"id": 1, "data": {"record_id": "r1", **FIELDS}, "annotations": [answer]}]
    path = tmp_path / "far.json"
    path.write_text(json.dumps(tasks), encoding="utf-8")
    import_labels(services, LabelImport(path, "Live"), actor="test")
    connect(services, project.id)
    push_batches(services, project.id)
    sync_project(services, project.id, is_full=True)
    live = find_project(services, "Live")
    assert live.label_studio_project_id is not None
    assert label_studio_client.count_tasks(live.label_studio_project_id) == 0
    assert [row[1:3] for row in answers_in(services, live)] == [("far@example.org", "good")]
    assert verify_project(services, live).differences == []
    with services.database.reading() as session:
        (task,) = session.exec(select(Task)).all()
    assert task.deleted_at is None
