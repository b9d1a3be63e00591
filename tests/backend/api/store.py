"""A store in which every kind of row is there that an address of the API can name."""

from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr
from sqlmodel import Session, select

from backend.access.service import AccessService
from backend.core.database import Database
from backend.core.security import KEY_ROLES
from backend.core.services import Services
from backend.core.settings import Settings
from backend.guidelines.schemas import GuidelineDraft
from backend.guidelines.service import Guidelines
from backend.models import (
    Annotation,
    Annotator,
    Dataset,
    Import,
    ImportReject,
    Notice,
    Project,
    Task,
)
from backend.notices.schemas import AddressCreate
from backend.notices.service import NoticesService
from backend.review.refreshing import refresh_desk
from tests.backend.api.conformance import NOTICE
from tests.backend.overview.store import fill, fill_jobs

TIES = 12
"""Records on which two people disagree: each is a review case."""


def open_store(folder: Path) -> Services:
    """The services over the store in ``folder``."""
    settings = Settings(
        data_dir=folder,
        session_secret=SecretStr("a session secret for the tests"),
        webhook_secret=SecretStr("a webhook secret for the tests"),
        label_studio_url="http://label-studio.example",
    )
    return Services(settings=settings, database=Database(settings.store_url))


def fill_store(services: Services) -> dict[str, str]:
    """Two projects in the middle of the loop, with cases, jobs, imports, users; a key by role."""
    with services.database.transaction() as session:
        now = services.clock()
        first = fill(session, now)
        second = fill(session, now, name="Spare catalogue", label_studio_id=8)
        fill_jobs(session, now, first)
        for project_id in (first, second):
            _disagree(session, project_id)
            project = session.get_one(Project, project_id)
            draft = GuidelineDraft(based_on=1, text="Look twice.", change="The first words.")
            Guidelines(session, services.clock).save(project, draft, author="test")
        _add_import(session, services)
        _add_receivers(session, services)
        access = AccessService(session, services.clock)
        for name in ("ana", "spare"):
            access.create_user(f"{name}@example.org", "admin", "correct horse battery", actor="t")
        keys = {role: access.create_key(role, role, actor="test").key for role in KEY_ROLES}
        access.create_key("spare", "viewer", actor="test")
    for project_id in (first, second):
        refresh_desk(services, project_id, is_full=True)
    return keys


def _disagree(session: Session, project_id: int) -> None:
    """Two people answer the first records differently."""
    people = session.exec(select(Annotator).order_by(Annotator.id)).all()
    tasks = session.exec(select(Task).where(Task.project_id == project_id).order_by(Task.id)).all()
    for place, task in enumerate(tasks[:TIES]):
        answer = session.exec(select(Annotation).where(Annotation.task_id == task.id)).first()
        assert answer is not None
        at = answer.annotated_at + timedelta(minutes=1)
        other = next(each for each in people if each.id != answer.annotator_id)
        session.add(
            Annotation(
                project_id=project_id,
                task_id=task.id,
                annotator_id=other.id,
                label_studio_annotation_id=100_000 * project_id + place,
                revision=1,
                identity="second",
                grade="poor",
                annotated_at=at,
                revised_at=at,
                via="sync",
                received_at=at,
            )
        )
    session.flush()


def _add_import(session: Session, services: Services) -> None:
    dataset = session.exec(select(Dataset).order_by(Dataset.id)).first()
    assert dataset is not None
    now = services.clock()
    row = Import(
        dataset_id=dataset.id,
        source="shop.csv",
        format="csv",
        status="done",
        rows_read=2,
        rows_new=1,
        rows_rejected=1,
        started_at=now,
        finished_at=now,
    )
    session.add(row)
    session.flush()
    session.add(ImportReject(import_id=row.id, line=3, field="price", value="x", reason="no price"))


def _add_receivers(session: Session, services: Services) -> None:
    """Two receivers of notices; the first was told something."""
    for name in ("first", "second"):
        request = AddressCreate(name=name, url="https://a.example/", kinds=["job.failed"])
        NoticesService(session, services).add_address(request, actor="test")
    now = services.clock()
    session.add(
        Notice(id=NOTICE, address_id=1, kind="test", said="A test.", body={}, created_at=now)
    )
