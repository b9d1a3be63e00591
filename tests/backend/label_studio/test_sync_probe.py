"""A periodic sync becomes a job only where it may find something."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.core.services import Services
from backend.core.settings import Settings
from backend.label_studio.connection import project_marker
from backend.label_studio.repository import (
    keep_unreadable,
    mark_listed,
    mark_sync_failed,
    mark_synced,
    move_cursor,
)
from backend.label_studio.sync import LISTING_INTERVAL
from backend.label_studio.sync_probe import SyncProbe
from labeling.exceptions import LabelStudioUnavailable
from tests.backend.annotations.conftest import NOW, Seeded

EARLIER = datetime(2026, 5, 1, 11, 0, tzinfo=UTC)


class LabelStudio:
    """Tasks and when each was changed; or no answer."""

    def __init__(self, marker: str) -> None:
        self.marker = marker
        self.changed: dict[int, datetime] = {}
        self.is_away = False
        self.asked = 0

    def get_project(self, _project_id: int) -> dict[str, Any]:
        if self.is_away:
            raise LabelStudioUnavailable("no answer")
        return {"description": self.marker}

    def changed_tasks(self, _project_id: int, since: datetime | None) -> list[tuple[int, datetime]]:
        self.asked += 1
        return [(task, at) for task, at in self.changed.items() if since is None or at >= since]


@pytest.fixture
def label_studio(seeded: Seeded) -> LabelStudio:
    return LabelStudio(project_marker(seeded.project))


@pytest.fixture
def services(seeded: Seeded, label_studio: LabelStudio, tmp_path: Path) -> Services:
    made = Services(settings=Settings(data_dir=tmp_path), database=seeded.database)
    made.__dict__["label_studio"] = label_studio
    made.clock = lambda: NOW
    return made


def sync(services: Services, project_id: int, newest: datetime | None = None) -> None:
    """What a sync that went through leaves in the store."""
    with services.database.transaction() as session:
        if newest is not None:
            move_cursor(session, project_id, newest)
        mark_synced(session, project_id, services.clock())
        mark_listed(session, project_id, services.clock())


def test_a_sync_is_due_until_nothing_changes_any_more(
    seeded: Seeded, services: Services, label_studio: LabelStudio
) -> None:
    probe, project_id = SyncProbe(services), seeded.project_id
    assert probe.is_due(project_id), "none went through yet"
    sync(services, project_id)
    assert not probe.is_due(project_id)
    label_studio.changed[1001] = EARLIER
    assert probe.is_due(project_id)
    sync(services, project_id, EARLIER)
    assert not probe.is_due(project_id), "a change within the overlap is read once"
    assert not SyncProbe(services).is_due(project_id), "nor again by another process"
    label_studio.changed[1003] = EARLIER + timedelta(seconds=1)
    assert SyncProbe(services).is_due(project_id)
    assert probe.is_due(project_id)
    label_studio.changed[1002] = EARLIER - timedelta(seconds=30)
    assert probe.is_due(project_id), "a change that was committed late is read, too"
    assert not probe.is_due(project_id)


def test_a_sync_is_due_where_the_last_failed_or_label_studio_is_away_or_the_listing_is_old(
    seeded: Seeded, services: Services, label_studio: LabelStudio
) -> None:
    probe, project_id = SyncProbe(services), seeded.project_id
    sync(services, project_id)
    assert not probe.is_due(project_id)
    label_studio.is_away = True
    assert probe.is_due(project_id), "the job waits, and tells it on the pages"
    label_studio.is_away = False
    label_studio.marker = "assay-project-9-1"
    label_studio.__dict__["find_tasks"] = lambda *_: {}
    assert probe.is_due(project_id), "another project now: for the sync to tell"
    label_studio.marker = project_marker(seeded.project)
    assert not probe.is_due(project_id)
    with services.database.transaction() as session:
        mark_sync_failed(session, project_id, "task 7 can not be shown")
    asked = label_studio.asked
    assert probe.is_due(project_id)
    assert label_studio.asked == asked
    sync(services, project_id)
    assert not probe.is_due(project_id)
    with services.database.transaction() as session:
        keep_unreadable(session, project_id, [7])
    assert probe.is_due(project_id), "asked for until it can be read"
    with services.database.transaction() as session:
        keep_unreadable(session, project_id, [])
    assert not probe.is_due(project_id)
    services.clock = lambda: NOW + LISTING_INTERVAL
    assert probe.is_due(project_id), "tasks may have been deleted there"


def test_projects_that_are_not_in_label_studio_are_never_due(services: Services) -> None:
    assert not SyncProbe(services).is_due(None)
    assert not SyncProbe(services).is_due(4711)
