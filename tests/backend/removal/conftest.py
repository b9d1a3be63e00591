"""A project with a row in every table that can have one; another beside it on the same dataset."""

from typing import Any

import pytest
from sqlmodel import Session, select

from backend.models import (
    Acceptance,
    AuditSample,
    Batch,
    LabelFinding,
    MachineLabel,
    ModelVersion,
    Notice,
    NoticeAddress,
    NoticeAttempt,
    Promotion,
    Schedule,
    SyncCursor,
    Task,
    VersionReport,
    WebhookEvent,
    WorkReport,
)
from backend.projects.schemas import ProjectCreate
from backend.projects.service import ProjectsService
from tests.backend.annotations.conftest import NOW
from tests.backend.label_exchange.conftest import labelled, suggest
from tests.backend.review.conftest import Desk, desk, new_desk, seeded
from tests.fixtures.database import database

__all__ = ["database", "desk", "labelled", "new_desk", "seeded"]

MODELS = "models/project-1"


@pytest.fixture
def full(labelled: Desk) -> Desk:
    """Labelled, learnt from, accepted by machine, watched, scheduled, with files on disk."""
    suggest(labelled, [1, 2])
    labelled.set_policy(retrain_cron="0 3 * * *")
    with labelled.services.database.transaction() as session:
        version = session.exec(select(ModelVersion)).one()
        for row in rows_of_a_champion(session, version):
            session.add(row)
        other = ProjectCreate(name="Other", dataset="shop")
        ProjectsService(session, labelled.clock).create(other, actor="test")
    folder = labelled.services.settings.data_dir / MODELS / "v1"
    folder.mkdir(parents=True)
    (folder / "head.bin").write_bytes(b"12345")
    return labelled


def rows_of_a_champion(session: Session, version: ModelVersion) -> list[Any]:
    """What hangs on a model version, and what no other fixture makes."""
    acceptance = Acceptance(
        project_id=1,
        model_version_id=version.id,
        state="accepted",
        target_error=0.05,
        delta=0.1,
        reason="it holds",
        created_at=NOW,
    )
    sample = AuditSample(
        project_id=1, model_version_id=version.id, labels=[[1, 11, "good", {}]], created_at=NOW
    )
    address = NoticeAddress(
        name="n",
        url="https://a.example/",
        secret="s",
        project_id=1,
        kinds=[],
        created_by="t",
        created_at=NOW,
    )
    notice = Notice(
        id="n", address_id=1, project_id=1, kind="test", said="A test.", body={}, created_at=NOW
    )
    for row in (acceptance, sample, address, notice):
        session.add(row)
        session.flush()
    return [
        MachineLabel(
            acceptance_id=acceptance.id, record_id=12, grade="good", confidence=1, is_audited=False
        ),
        VersionReport(
            model_version_id=version.id,
            project_id=1,
            sample_id=sample.id,
            answers=["good"],
            measured_at=NOW,
        ),
        LabelFinding(
            project_id=1,
            model_version_id=version.id,
            task_id=1,
            grade="good",
            suggested="poor",
            suspicion=0.9,
            is_suspect=True,
            value=0.1,
            value_group="harmful",
            relabel_score=1,
            reason="odd",
        ),
        Promotion(
            project_id=1,
            kind="promoted",
            model_version_id=version.id,
            reason="better",
            decided_by="gate",
            created_at=NOW,
        ),
        NoticeAttempt(notice_id="n", at=NOW, seconds=0.1),
        WebhookEvent(project_id=1, body="{}", received_at=NOW),
        WorkReport(project_id=1, fingerprint="x", content={}, computed_at=NOW),
    ]


def of_project(session: Session, project_id: int) -> dict[str, int]:
    """What is there of a project, table by table."""
    tables = (Batch, Task, SyncCursor, Schedule)
    return {
        table.__name__: len(session.exec(select(table).where(table.project_id == project_id)).all())
        for table in tables
    }
