"""Shops whose records change at random, indexed by the real job on both databases."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from pydantic import SecretStr
from sqlmodel import select

from backend.bootstrap import build_registry
from backend.core.database import Database
from backend.core.services import Services
from backend.core.settings import Settings
from backend.jobs.inline import InlineRunner
from backend.models import RecordIndexState, RecordText
from backend.record_index.service import RecordIndex
from backend.records.schemas import DatasetCreate, RecordCreate
from backend.records.service import RecordsService
from tests.fixtures.database import database

__all__ = ["database"]

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HAN = "红蓝绿色杯子马克保温"
WORDS = (
    "Steel",
    "steel bottle",
    "MUG",
    "Größe",
    "SKU-1001",
    "SKU-100",
    "ｆｕｌｌ",
    "12.50",
    "カップ",
)
FIELDS = ("title", "price", "colour")


class Shop:
    """One dataset, its index, and what its current records say."""

    def __init__(self, services: Services, name: str = "shop") -> None:
        self.services = services
        self.index = RecordIndex(services)
        with services.database.transaction() as session:
            request = DatasetCreate(name=name, kind="product", fields=list(FIELDS))
            dataset = RecordsService(session, services.clock).create_dataset(request, actor="test")
        self.dataset_id = dataset.id
        self.runner = InlineRunner(services.database, build_registry(services), services.clock)

    def upsert(self, *records: RecordCreate) -> None:
        """As an import does."""
        with self.services.database.transaction() as session:
            RecordsService(session, self.services.clock).upsert(self.dataset_id, records)
            self.index.request(session, self.dataset_id)

    def run(self) -> None:
        """Jobs that wait are run."""
        self.runner.run_pending()

    def search(self, query: str) -> list[int]:
        with self.services.database.reading() as session:
            return self.index.search(session, self.dataset_id, query).tolist()

    def current(self) -> dict[int, tuple[str, dict[str, object]]]:
        """External id and fields of each current record."""
        with self.services.database.reading() as session:
            rows = RecordsService(session, self.services.clock).stream(self.dataset_id)
            return {row.id: (row.external_id, dict(row.fields)) for row in rows}

    def words(self) -> dict[int, str]:
        """What is stored to be searched, of all datasets."""
        with self.services.database.reading() as session:
            return {row.record_id: row.words for row in session.exec(select(RecordText))}

    def forget_index(self) -> None:
        """As if it had never been indexed; a job waits that does it."""
        with self.services.database.transaction() as session:
            for row in (*session.exec(select(RecordText)), *session.exec(select(RecordIndexState))):
                session.delete(row)
            self.index.request(session, self.dataset_id)


def text_of(random: Random) -> str:
    """Chinese and English, with and without blanks."""
    parts = [
        random.choice(WORDS)
        if random.random() < 0.5
        else "".join(random.choices(HAN, k=random.randint(1, 5)))
        for _ in range(random.randint(0, 5))
    ]
    return "".join(part + random.choice((" ", "", "，", "-")) for part in parts)


def record(external_id: str, **fields: object) -> RecordCreate:
    return RecordCreate(external_id, "product", dict(fields), "test", NOW)  # type: ignore[arg-type]


def some_record(random: Random, external_id: str) -> RecordCreate:
    return record(
        external_id,
        title=text_of(random),
        price=random.choice((None, "", 1, 2.5, "3", "12.50")),
        colour=random.choice((None, "红色", "blue", "Blue", "")),
    )


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Services:
    settings = Settings(
        data_dir=tmp_path,
        session_secret=SecretStr("a session secret for the tests"),
        webhook_secret=SecretStr("a webhook secret for the tests"),
        label_studio_url="http://label-studio.example",
    )
    return Services(settings=settings, database=database, clock=lambda: NOW)


@pytest.fixture
def shop(services: Services) -> Shop:
    return Shop(services)


@pytest.fixture
def sqlite_shop(sqlite_database: Database, tmp_path: Path) -> Shop:
    settings = Settings(data_dir=tmp_path, session_secret=SecretStr("a secret for the tests only"))
    return Shop(Services(settings=settings, database=sqlite_database, clock=lambda: NOW))
