"""What a rollback needs stays; what nothing needs goes, once, and is told with its bytes."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from active_learning.encoders.embedding_cache import folder_of
from backend.cli import app
from backend.core.exceptions import Conflict
from backend.core.services import Services
from backend.features.store import FeatureStore
from backend.ingestion.schemas import IMPORT_JOB
from backend.ingestion.uploads import purge_uploads
from backend.jobs.inline import InlineRunner
from backend.jobs.queue import enqueue, get
from backend.jobs.registry import Registry
from backend.label_exchange.schemas import IMPORT_LABELS
from backend.models import Dataset, Job, Project
from backend.registry.service import RegistryService
from backend.training.jobs import handlers
from backend.training.purging import PURGE, purge_encoders
from backend.words import Message

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ENCODERS = ("old", "won", "lost", "lost", None, "new")
"""Of model versions 1 to 6, of which 2 was champion once and 5 is."""


@pytest.fixture
def project_id(services: Services) -> int:
    services.clock = lambda: NOW
    with services.database.transaction() as session:
        dataset = Dataset(name="shop", kind="product", fields=["title"], created_at=NOW)
        session.add(dataset)
        session.flush()
        project = Project(
            name="Shop", dataset_id=dataset.id, label_schema={}, policy={}, created_at=NOW
        )
        session.add(project)
        session.flush()
        registry = RegistryService(session, services.clock)
        for number, encoder in enumerate(ENCODERS, start=1):
            version = registry.register(
                project.id,
                fingerprint=str(number) * 64,
                artifact=f"project-{project.id}/{number}",
                encoder=f"revision-{encoder}",
                encoder_folder=encoder and f"project-{project.id}/encoder-{encoder}",
                training_labels=10,
                audit_labels=3,
                metrics={},
            )
            wins = number in (2, 5)
            if wins or number > 2:
                registry.decide(
                    version,
                    promote=wins,
                    reason=Message("because"),
                    evidence={},
                    decided_by="gate",
                )
        made = project.id
    for name in {name for name in ENCODERS if name}:
        place = encoder_of(services, name)
        place.mkdir(parents=True)
        (place / "model.safetensors").write_bytes(bytes(1_000))
        cache = folder_of(services.settings.embeddings_dir, f"revision-{name}")
        cache.mkdir(parents=True)
        (cache / "vectors.f16").write_bytes(bytes(10))
    return made


def encoder_of(services: Services, name: str) -> Path:
    return services.settings.models_dir / "project-1" / f"encoder-{name}"


def left(services: Services) -> set[str]:
    return {
        place.name.removeprefix("encoder-") for place in encoder_of(services, "x").parent.iterdir()
    }


def test_encoders_that_no_rollback_needs_go_with_their_embeddings(
    services: Services, project_id: int
) -> None:
    planned = purge_encoders(services, keep=1, is_dry=True)
    assert left(services) == {"old", "won", "lost", "new"}, "a dry run deletes nothing"
    assert purge_encoders(services, keep=1, is_dry=False) == planned
    assert {Path(one.path).name for one in planned} == {
        "encoder-old",
        "encoder-lost",
        folder_of(Path(), "revision-old").name,
        folder_of(Path(), "revision-lost").name,
    }
    assert sum(one.bytes for one in planned) == 2 * 1_010
    assert left(services) == {"won", "new"}
    assert folder_of(services.settings.embeddings_dir, "revision-won").is_dir()
    assert not folder_of(services.settings.embeddings_dir, "revision-lost").exists()
    assert purge_encoders(services, keep=1, is_dry=False) == [], "a repeat finds nothing"
    with services.database.transaction() as session:
        registry = RegistryService(session, services.clock)
        for number in (1, 3, 4):
            with pytest.raises(Conflict, match=r"encoder of model version \d was deleted") as error:
                registry.rollback(project_id, number, reason="try", actor="ana")
            assert error.value.value == number
        registry.rollback(project_id, 2, reason="it was good", actor="ana")


@pytest.mark.parametrize(
    ("keep", "stay"), [(3, {"won", "lost", "new"}), (10, {"old", "won", "lost", "new"})]
)
def test_the_newest_versions_keep_theirs(
    services: Services, project_id: int, keep: int, stay: set[str]
) -> None:
    purge_encoders(services, keep=keep, is_dry=False)
    assert left(services) == stay


def test_a_deletion_that_was_cut_short_is_finished(
    services: Services, project_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", die)
        with pytest.raises(RuntimeError):
            purge_encoders(services, keep=1, is_dry=False)
    assert left(services) == {"old", "won", "lost", "new"}
    with services.database.reading() as session:
        marked = RegistryService(session, services.clock).get(project_id, 1).metrics
    assert "encoder_purged_at" in marked, "refused before anything is gone"
    os.rename(encoder_of(services, "old"), encoder_of(services, "old.purged"))
    purge_encoders(services, keep=1, is_dry=False)
    assert left(services) == {"won", "new"}


@pytest.fixture
def uploads(services: Services, project_id: int) -> dict[str, Path]:
    """Uploads by what became of their import, the days since, and since they came."""
    stored = {}
    kinds: dict[str, tuple[str | None, int, int]] = {
        "done": ("done", 8, 9),
        "labels": ("done", 8, 9),
        "mapping": ("done", 8, 9),
        "fresh": ("done", 2, 9),
        "failed": ("failed", 30, 31),
        "running": ("running", 0, 90),
        "again": ("done", 20, 21),
        "forgotten": (None, 0, 40),
        "arriving": (None, 0, 0),
    }
    with services.database.transaction() as session:
        for name, (status, days, age) in kinds.items():
            path = services.settings.data_dir.absolute() / "uploads" / name / "shop.csv"
            path.parent.mkdir(parents=True)
            path.write_bytes(bytes(100))
            came = (NOW - timedelta(days=age)).timestamp()
            for place in (path, path.parent):
                os.utime(place, (came, came))
            stored[name] = path.parent
            ended = None if status == "running" else NOW - timedelta(days=days)
            jobs = [(name, status, ended)] if status else []
            if name == "again":
                jobs.append(("again-2", "queued", None))
            for job, state, finished in jobs:
                args: dict[str, Any] = {"request": {"path": str(path)}}
                if name in ("labels", "mapping"):
                    args = {"path" if name == "labels" else "mapping": str(path), "actor": "ada"}
                kind = IMPORT_LABELS if "actor" in args else IMPORT_JOB
                row = Job(id=job, name=kind, args=args, enqueued_at=NOW)
                row.status, row.finished_at = state, finished
                session.add(row)
        outside = services.settings.data_dir / "own.csv"
        outside.write_text("mine")
        row = Job(
            id="own", name=IMPORT_JOB, args={"request": {"path": str(outside)}}, enqueued_at=NOW
        )
        row.status, row.finished_at = "done", NOW - timedelta(days=90)
        session.add(row)
    return stored


GONE = {"done", "labels", "mapping", "failed", "forgotten"}


def test_uploads_go_some_time_after_their_import_has_ended(
    services: Services, uploads: dict[str, Path]
) -> None:
    planned = purge_uploads(services, days=7, is_dry=True)
    assert {one.path: one.bytes for one in planned} == {str(uploads[name]): 100 for name in GONE}
    assert all(place.is_dir() for place in uploads.values())
    assert purge_uploads(services, days=7, is_dry=False) == planned
    assert {name for name, place in uploads.items() if not place.exists()} == GONE
    assert (services.settings.data_dir / "own.csv").exists(), "a file of somebody's own stays"
    assert purge_uploads(services, days=7, is_dry=False) == []


def test_what_is_under_way_stays_however_few_days_are_asked_for(
    services: Services, uploads: dict[str, Path]
) -> None:
    purge_uploads(services, days=0, is_dry=False)
    left_over = {name for name, place in uploads.items() if place.exists()}
    assert left_over == {"running", "again", "arriving"}


def test_the_command_only_lists_until_it_is_told_to_delete(
    services: Services, uploads: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.bootstrap.open_services", lambda: services)
    command = ["models", "purge", "--keep", "1"]
    shown = CliRunner().invoke(app, command)
    assert shown.exit_code == 0, shown.output
    assert "Would be deleted with --delete: 9 folders, 2,520 bytes." in shown.output
    assert str(uploads["done"]) in shown.output
    assert left(services) == {"old", "won", "lost", "new"}
    assert (
        "Deleted: 9 folders, 2,520 bytes." in CliRunner().invoke(app, [*command, "--delete"]).output
    )
    assert left(services) == {"won", "new"}
    assert "0 folders, 0 bytes" in CliRunner().invoke(app, command).output


def test_the_daily_job_says_what_it_deleted(services: Services, uploads: dict[str, Path]) -> None:
    registry = Registry()
    registry.add_all(handlers(services, FeatureStore(services)), queue="heavy")
    services.settings.uploads_retention_days = 10
    with services.database.transaction() as session:
        job_id = enqueue(session, PURGE, now=NOW)
        for job in ("running", "again-2"):
            held = session.get(Job, job)
            assert held is not None
            held.status = "cancelled"
    InlineRunner(services.database, registry, services.clock).run_pending()
    with services.database.reading() as session:
        result = get(session, job_id).result
    assert result is not None
    assert result["bytes"] == 200
    gone = {str(uploads[name]) for name in ("failed", "forgotten")}
    assert {one["path"] for one in result["deleted"]} == gone
    assert left(services) == {"old", "won", "lost", "new"}, "six versions are all new"
