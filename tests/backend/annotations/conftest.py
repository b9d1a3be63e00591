"""A project with pushed tasks, without Label Studio: what the intake needs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from backend.core.database import Database
from backend.models import Batch, Dataset, Project, Record, SyncCursor, Task
from labeling.label_schema import LabelSchema

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
TASKS = 12


@dataclass(frozen=True)
class Seeded:
    """A store with one project whose tasks Label Studio knows as 1001, 1002, …"""

    database: Database
    project: Project
    schema: LabelSchema

    @property
    def project_id(self) -> int:
        return self.project.id


@pytest.fixture
def seeded(database: Database) -> Seeded:
    schema = LabelSchema.default(["title", "price"])
    with database.transaction() as session:
        dataset = Dataset(name="shop", kind="product", fields=["title", "price"], created_at=NOW)
        session.add(dataset)
        session.flush()
        project = Project(
            name="Shop",
            dataset_id=dataset.id,
            label_schema=schema.model_dump(mode="json"),
            policy={"batch_size": TASKS, "annotators_per_record": 2},
            label_studio_project_id=77,
            created_at=NOW,
        )
        session.add(project)
        session.flush()
        session.add(SyncCursor(project_id=project.id))
        batch = Batch(
            project_id=project.id,
            round=1,
            strategy="cold_start",
            seed=0,
            created_at=NOW,
            pushed_at=NOW + timedelta(seconds=1),
        )
        session.add(batch)
        session.flush()
        for number in range(1, TASKS + 1):
            record = Record(
                dataset_id=dataset.id,
                external_id=f"r{number}",
                content_hash=f"{number:064d}",
                kind="product",
                fields={"title": f"thing {number}", "price": number},
                source="test",
                created_at=NOW,
            )
            session.add(record)
            session.flush()
            session.add(
                Task(
                    project_id=project.id,
                    record_id=record.id,
                    batch_id=batch.id,
                    key=f"key-{number}",
                    position=number,
                    is_audit=number % 3 == 0,
                    label_studio_task_id=1000 + number,
                )
            )
    return Seeded(database, project, schema)
