from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.bootstrap import build_registry
from backend.core.database import Database
from backend.core.services import Services
from backend.core.settings import Settings
from backend.jobs.inline import InlineRunner
from backend.jobs.queue import list_recent
from backend.models import Dataset, Project
from backend.notices.delivery import is_due
from backend.notices.outbox import Outbox
from backend.notices.schemas import DELIVER, NOTICE_KINDS, AddressCreate, NewAddress, NoticePublic
from backend.notices.service import NoticesService
from labeling.label_schema import LabelSchema
from tests.backend.notices.receiver import Receiver, receiving
from tests.backend.training.loop import START, SetClock


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@dataclass
class Post:
    """A store with a project, a clock, and a worker that is run by hand."""

    services: Services
    clock: SetClock
    runner: InlineRunner
    project_id: int

    def register(self, url: str, **parts: object) -> NewAddress:
        """A receiver of everything, if nothing else is said."""
        wanted = {"name": "channel", "url": url, "kinds": list(NOTICE_KINDS), **parts}
        with self.services.database.transaction() as session:
            request = AddressCreate.model_validate(wanted)
            return NoticesService(session, self.services).add_address(request, actor="lea")

    def test(self, address_id: int) -> str:
        """A test notice's id."""
        with self.services.database.transaction() as session:
            return NoticesService(session, self.services).send_test(address_id, actor="lea").id

    def work(self, minutes: float = 0) -> None:
        """Time passes, and a worker does what is due."""
        self.clock.advance(minutes)
        if is_due(self.services):
            with self.services.database.transaction() as session:
                Outbox(session, self.clock)._request_delivery()  # as the schedule does
        self.runner.run_pending()
        with self.services.database.reading() as session:
            assert [job.error for job in list_recent(session, name=DELIVER) if job.error] == []

    def notices(self) -> list[NoticePublic]:
        """Newest first."""
        with self.services.database.reading() as session:
            return NoticesService(session, self.services).notices()


def post_over(database: Database, folder: Path) -> Post:
    """The project "Shop" and a worker with every job of ours."""
    clock = SetClock()
    settings = Settings(data_dir=folder, notice_hosts=("127.0.0.1",))
    services = Services(settings=settings, database=database, clock=clock)
    with database.transaction() as session:
        dataset = Dataset(name="shop", kind="product", fields=["title"], created_at=START)
        session.add(dataset)
        session.flush()
        project = Project(
            name="Shop",
            dataset_id=dataset.id,
            label_schema=LabelSchema.default(["title"]).model_dump(mode="json"),
            policy={},
            created_at=START,
        )
        session.add(project)
        session.flush()
        project_id = project.id
    runner = InlineRunner(database, build_registry(services), clock)
    return Post(services, clock, runner, project_id)


@pytest.fixture
def post(database: Database, tmp_path: Path) -> Post:
    """On each kind of database in turn."""
    return post_over(database, tmp_path)


@pytest.fixture
def plain_post(sqlite_database: Database, tmp_path: Path) -> Post:
    """On SQLite, for what does not depend on the database."""
    return post_over(sqlite_database, tmp_path)
