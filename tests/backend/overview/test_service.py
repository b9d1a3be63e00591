from collections.abc import Iterator

import pytest
from sqlmodel import Session, select

from backend.core.exceptions import NotFound
from backend.core.services import Services
from backend.models import ModelVersion, SyncCursor, Task
from backend.overview.measures import estimate_of
from backend.overview.service import OverviewService
from tests.backend.overview.conftest import NOW
from tests.fixtures.chinese import in_chinese
from tests.fixtures.model_version import model_version


@pytest.fixture
def session(services: Services, project_id: int) -> Iterator[Session]:
    with services.database.transaction() as opened:
        yield opened


@pytest.fixture
def overview(session: Session, services: Services) -> OverviewService:
    return OverviewService(session, services.clock, services.settings)


def test_only_answers_that_count_are_counted(overview: OverviewService, project_id: int) -> None:
    project = overview.project(project_id)
    # 68 tasks were answered: one answer skipped, one deleted; one revised, one deletion row.
    assert project.annotations.current == 66
    assert project.annotations.revisions == 70
    assert (project.annotations.deleted, project.annotations.skipped) == (1, 1)
    assert (project.records, project.pool) == (200, 200 - 66)
    assert (project.tasks.created, project.tasks.pushed, project.tasks.deleted) == (80, 80, 0)
    assert sum(row.annotations for row in project.annotator_counts) == 66
    assert project.annotators == 3


def test_the_current_batch_and_its_progress(overview: OverviewService, project_id: int) -> None:
    project = overview.project(project_id)
    assert (project.round, project.batch_labelled, project.batch_size) == (4, 8, 20)
    assert [(row.round, row.labelled) for row in project.rounds] == [
        (1, 19),
        (2, 19),
        (3, 20),
        (4, 8),
    ]


def test_a_task_deleted_in_label_studio_leaves_the_batch(
    overview: OverviewService, session: Session, project_id: int
) -> None:
    task = session.exec(select(Task).where(Task.project_id == project_id, Task.position == 19))
    task.all()[-1].deleted_at = NOW
    session.flush()
    project = overview.project(project_id)
    assert project.tasks.deleted == 1
    assert project.batch_size == 19


def test_rounds_show_what_was_learned_from_them(overview: OverviewService, project_id: int) -> None:
    rounds = overview.project(project_id).rounds
    assert [row.model_version for row in rounds] == [1, 2, 3, None]
    assert [row.labels for row in rounds] == [20, 40, 60, None]
    second = rounds[1]
    assert second.accuracy is not None
    assert (second.accuracy.value, second.accuracy.low, second.accuracy.n) == (0.79, 0.69, 12)
    assert second.agreement is not None
    assert second.agreement.value == 0.64
    assert rounds[0].agreement is None


def test_the_champion_is_the_last_promoted_not_the_newest(
    overview: OverviewService, project_id: int
) -> None:
    project = overview.project(project_id)
    assert project.champion == 2
    assert [point.model_version for point in project.curve if point.is_champion] == [2]
    assert [(d.kind, d.champion, d.challenger) for d in project.promotions] == [
        ("promoted", 1, 1),
        ("promoted", 2, 2),
        ("kept", 2, 3),
    ]


def test_the_queue_is_in_order_and_leaves_out_what_is_answered(
    overview: OverviewService, project_id: int
) -> None:
    queue = overview.queue(project_id, limit=100)
    assert len(queue) == 80 - 66
    # The skipped and the deleted answers' records wait again, then round 4 from place 9 on.
    assert [task.external_id for task in queue[:4]] == [
        "SKU-10005",
        "SKU-10022",
        "SKU-10068",
        "SKU-10069",
    ]
    assert all(task.reason != in_chinese(task.reason_message) for task in queue)


def test_sync_lag_error_and_waiting_events(
    overview: OverviewService, session: Session, project_id: int
) -> None:
    sync = overview.project(project_id).sync
    assert (sync.lag_seconds, sync.error, sync.unprocessed_events) == (12, None, 1)
    cursor = session.get_one(SyncCursor, project_id)
    cursor.synced_at, cursor.error = None, "Label Studio does not answer."
    session.flush()
    sync = overview.project(project_id).sync
    assert (sync.lag_seconds, sync.error) == (None, "Label Studio does not answer.")


def test_projects_do_not_mix(overview: OverviewService) -> None:
    report = overview.report()
    assert [(p.name, p.annotations.current, p.annotators) for p in report.projects] == [
        ("Shop catalogue", 66, 3),
        ("Customer reviews", 66, 3),
    ]


def test_workers_and_jobs(overview: OverviewService) -> None:
    report = overview.report()
    assert {worker.id: worker.is_alive for worker in report.workers} == {
        "desk-1": True,
        "desk-0": False,
    }
    assert report.job_counts.model_dump() == dict.fromkeys(
        ("queued", "running", "waiting", "done", "failed", "cancelled"), 1
    )
    assert [job.status for job in report.jobs] == ["running", "queued", "waiting", "failed"]


def test_a_missing_project_is_named(overview: OverviewService) -> None:
    with pytest.raises(NotFound, match="no project 99"):
        overview.project(99)


@pytest.mark.parametrize(
    "measure", [None, "high", True, [], {}, {"low": 0.2}, {"value": "0.9"}, float("nan")]
)
def test_an_odd_measure_is_none_never_a_guess(measure: object) -> None:
    assert estimate_of(_version({"audit_accuracy": measure}), "audit_accuracy") is None


def test_a_bare_number_has_no_interval() -> None:
    estimate = estimate_of(_version({"audit_accuracy": 0.75}), "audit_accuracy")
    assert estimate is not None
    assert (estimate.value, estimate.low, estimate.high) == (0.75, None, None)


def _version(metrics: dict[str, object]) -> ModelVersion:
    return model_version(1, metrics=metrics)
