"""A store with a project of records that many annotators have answered."""

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

from sqlalchemy import insert

from backend.core.parts import parts
from backend.core.services import Services
from backend.label_studio.connection import project_marker
from backend.models import (
    Annotation,
    Annotator,
    Batch,
    Dataset,
    Project,
    Record,
    SyncCursor,
    Task,
)
from labeling.label_schema import LabelSchema

ANNOTATORS = 200


RIGHT = 0.85


ANSWERS_BEFORE = 2


GRADES = ("good", "fair", "poor")


FIELDS = ("title", "brand", "price", "stock")


NOW = datetime(2026, 5, 1, tzinfo=UTC)


CHUNK = 2_000


def fill(services: Services, records: int, markers: dict[int, str]) -> int:
    """A project with so many records of two answers each; its id. Label Studio's is 1."""
    random = Random(7)
    with services.database.transaction() as session:
        dataset = Dataset(name="shop", kind="product", fields=list(FIELDS), created_at=NOW)
        session.add(dataset)
        session.flush()
        project = Project(
            name="Shop",
            dataset_id=dataset.id,
            label_schema=LabelSchema.default(list(FIELDS)).model_dump(mode="json"),
            policy={"annotators_per_record": ANSWERS_BEFORE, "max_rounds": 1},
            label_studio_project_id=1,
            created_at=NOW,
        )
        session.add(project)
        session.flush()
        markers[1] = project_marker(project)
        session.add(SyncCursor(project_id=project.id))
        batch = Batch(
            project_id=project.id,
            round=1,
            strategy="cold_start",
            seed=0,
            created_at=NOW,
            pushed_at=NOW,
        )
        session.add(batch)
        session.add_all(
            Annotator(
                label_studio_user_id=number,
                name=f"P{number}",
                email=f"p{number}@example.org",
                created_at=NOW,
            )
            for number in range(1, ANNOTATORS + 1)
        )
        session.flush()
        project_id, dataset_id, batch_id = project.id, dataset.id, batch.id
    for part in parts(range(1, records + 1), CHUNK):
        with services.database.transaction() as session:
            for model, rows in rows_of(part, random, project_id, dataset_id, batch_id):
                session.execute(insert(model), rows)
    return project_id


def rows_of(
    numbers: Any, random: Random, project_id: int, dataset_id: int, batch_id: int
) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """Rows by table, in the order in which they refer to each other."""
    yield (
        Record,
        [
            {
                "id": number,
                "dataset_id": dataset_id,
                "external_id": f"SKU-{number:08d}",
                "content_hash": f"{number:064d}",
                "kind": "product",
                "fields": {
                    name: f"{name} {GRADES[number % 3]} {random.randrange(10_000)}"
                    for name in FIELDS
                },
                "source": "benchmark",
                "is_current": True,
                "created_at": NOW,
            }
            for number in numbers
        ],
    )
    yield (
        Task,
        [
            {
                "id": number,
                "project_id": project_id,
                "record_id": number,
                "batch_id": batch_id,
                "key": f"key-{number}",
                "position": number,
                "is_audit": number % 10 == 0,
                "label_studio_task_id": number,
            }
            for number in numbers
        ],
    )
    yield (
        Annotation,
        [
            answer(project_id, number, person, ANSWERS_BEFORE * number + place, random)
            for number in numbers
            for place, person in enumerate(random.sample(range(1, ANNOTATORS + 1), ANSWERS_BEFORE))
        ],
    )


def answer(
    project_id: int, task: int, person: int, annotation: int, random: Random
) -> dict[str, Any]:
    """Somebody's answer as a row; right in ``RIGHT`` of the cases."""
    return {
        "project_id": project_id,
        "task_id": task,
        "annotator_id": person,
        "label_studio_annotation_id": annotation,
        "revision": 1,
        "identity": "1",
        "grade": given_grade(task, random),
        "result": [],
        "annotated_at": NOW,
        "revised_at": NOW,
        "via": "sync",
        "received_at": NOW,
    }


def given_grade(task: int, random: Random) -> str:
    """What a person says of the record."""
    return GRADES[task % 3] if random.random() < RIGHT else random.choice(GRADES)
