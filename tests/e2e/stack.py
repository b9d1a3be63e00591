"""The processes of Assay as tests drive them: real API, real worker, real Label Studio."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from backend.core.services import Services
from backend.core.settings import Settings
from backend.demo.records import flat_row, generate
from backend.demo.source import SCHEMA_FILE
from backend.demo.truth import Truth
from backend.models import Project, Record
from backend.projects.schemas import LoopPolicy, ProjectCreate
from backend.projects.service import ProjectsService
from backend.records.schemas import DatasetCreate, RecordCreate
from backend.records.service import RecordsService
from backend.training.service import TrainingService
from labeling.label_schema import LabelSchema
from labeling.label_studio.direct import answers
from labeling.label_studio.server import LabelStudioServer, free_port
from tests.e2e.forked_process import ForkedProcess

SECRET = "a-webhook-secret-of-the-tests-0123456789"
ROOT = Path(__file__).parents[2]
Found = TypeVar("Found")


@dataclass
class Stack:
    """One store and the processes on it."""

    data_dir: Path
    store_url: str
    label_studio: LabelStudioServer
    port: int = field(default_factory=free_port)
    processes: dict[str, ForkedProcess] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "ASSAY_DATA_DIR": str(self.data_dir),
            "ASSAY_DATABASE_URL": self.store_url,
            "ASSAY_PORT": str(self.port),
            "ASSAY_WEBHOOK_SECRET": SECRET,
            "ASSAY_SESSION_SECRET": SECRET,
            "ASSAY_LABEL_STUDIO_URL": self.label_studio.url,
            "ASSAY_LABEL_STUDIO_TOKEN": self.label_studio.token,
            "ASSAY_ENCODER": "characters",
            "ASSAY_SYNC_INTERVAL_SECONDS": "5",
            "ASSAY_WORKER_TIMEOUT_SECONDS": "4",
            "ASSAY_HEARTBEAT_SECONDS": "1",
            "OMP_NUM_THREADS": "1",
        }

    def services(self) -> Services:
        return Services.from_settings(
            Settings(
                data_dir=self.data_dir,
                database_url=self.store_url,
                port=self.port,
                webhook_secret=SECRET,  # type: ignore[arg-type]
                label_studio_url=self.label_studio.url,
                label_studio_token=self.label_studio.token,  # type: ignore[arg-type]
                encoder="characters",
            )
        )

    def start(self, name: str, *, dying_at: str | None = None, worker_id: str = "one") -> None:
        """``name`` is ``serve`` or ``worker``; ``dying_at`` is a point of dying_process.py."""
        key = name if name == "serve" else f"worker-{worker_id}"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.processes[key] = ForkedProcess(
            name,
            environment=self.environment | {"ASSAY_WORKER_ID": worker_id},
            log_file=self.data_dir / f"{key}.log",
            dying_at=dying_at,
        )
        if name == "serve":
            self.until(self.answers, "the API answers")

    def answers(self) -> bool:
        return answers(f"http://127.0.0.1:{self.port}")

    def kill(self, key: str) -> None:
        self.processes[key].send_signal(signal.SIGKILL)
        self.processes.pop(key).wait()

    def stop(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.processes.clear()

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """``assay ARGUMENTS`` has ended."""
        with TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            process = ForkedProcess(
                *arguments, environment=self.environment, log_file=out, error_file=err
            )
            code = process.wait(120)
            return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())

    def until(self, find: Callable[[], Found | None], what: str, *, seconds: float = 90.0) -> Found:
        """The first true value of ``find``."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := find():
                return found
            time.sleep(0.1)
        logs = "\n".join(
            f"== {path.name}\n{path.read_text(errors='replace')[-1500:]}"
            for path in self.data_dir.glob("*.log")
        )
        raise AssertionError(f"not within {seconds:.0f} s: {what}\n{logs}")


def seed_project(
    services: Services, *, records: int, policy: LoopPolicy, name: str
) -> tuple[Project, dict[str, Truth]]:
    """A project over generated records, its first batch queued; and the truth by record id."""
    made = list(generate(records, 5))
    schema = LabelSchema.from_file(SCHEMA_FILE)
    with services.database.transaction() as session:
        store = RecordsService(session, services.clock)
        dataset = store.create_dataset(
            DatasetCreate(name=name, kind="product", fields=list(schema.fields)), actor="test"
        )
        rows = [flat_row(record) for record in made]
        store.upsert(
            dataset.id,
            [
                RecordCreate(
                    external_id=row["record_id"],
                    kind=row["kind"],
                    fields={key: row[key] for key in schema.fields},
                    source="test",
                )
                for row in rows
            ],
        )
        project = ProjectsService(session, services.clock).create(
            ProjectCreate(
                name=name,
                dataset=name,
                label_schema=schema.model_dump(mode="json"),
                policy=policy,
            ),
            actor="test",
        )
        TrainingService(session, services.clock).request_batch(project, actor="test")
    return project, {record.record_id: record.truth for record in made}


def truth_of(truths: dict[str, Truth]) -> Callable[[Record], Truth]:
    return lambda record: truths[record.external_id]
