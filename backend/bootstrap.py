"""The composition root: where settings become services, and rooms' handlers a registry."""

from typing import TYPE_CHECKING

from backend.core.services import Services
from backend.core.settings import get_settings

if TYPE_CHECKING:
    from backend.jobs.registry import Registry
    from backend.jobs.schedules import PeriodicJob

__all__ = ["Services", "build_registry", "open_services", "periodic_jobs"]


def open_services() -> Services:
    """Services from the environment, on a store that is up to date.

    Raises:
        ConfigurationError: the store was made by another version, or the data directory cannot be
            written to; the message says what to do.
    """
    from backend.core.data_directory import ensure_data_directory
    from backend.core.downloads import use_proxy_for_downloads
    from backend.core.migrations import check

    settings = get_settings()
    use_proxy_for_downloads(settings)
    check(settings.store_url)
    ensure_data_directory(settings.data_dir)
    return Services.from_settings(settings)


def build_registry(services: Services) -> "Registry":
    """Every kind of job that a worker of ours can run."""
    from backend.agreement import jobs as agreement
    from backend.annotations import jobs as annotations
    from backend.explorer import map_jobs
    from backend.features.store import FeatureStore
    from backend.guidelines import jobs as guidelines
    from backend.ingestion import jobs as ingestion
    from backend.jobs.registry import Registry
    from backend.label_exchange import jobs as label_exchange
    from backend.label_studio import jobs as label_studio
    from backend.machine_labels import jobs as machine_labels
    from backend.model_reports import jobs as model_reports
    from backend.notices import jobs as notices
    from backend.notices.outbox import Outbox
    from backend.record_index import jobs as record_index
    from backend.removal import jobs as removal
    from backend.review import jobs as review
    from backend.scoring import jobs as scoring
    from backend.selection import jobs as selection
    from backend.suspected_labels import jobs as suspected_labels
    from backend.training import jobs as training
    from backend.training.encoder_change import CHANGE_ENCODER
    from backend.training.fine_tuning_request import FINE_TUNE

    registry = Registry(
        on_failure=lambda session, job: Outbox(session, services.clock).tell_job_failed(job)
    )
    for room in (annotations, label_studio, review, agreement):
        registry.add_all(room.handlers(services), is_routine=True)
    registry.add_all(notices.handlers(services), is_routine=True)
    for room in (guidelines, removal):
        registry.add_all(room.handlers(services))
    registry.add_all(ingestion.handlers(services), queue="heavy")
    registry.add_all(record_index.handlers(services), queue="heavy")
    registry.add_all(label_exchange.handlers(services), queue="heavy")
    features = FeatureStore(services)  # one for all, so that no vector is computed twice
    for learning in (selection, machine_labels, suspected_labels, model_reports, scoring):
        registry.add_all(learning.handlers(services, features), queue="heavy")
    registry.add_all(map_jobs.handlers(services, features), queue="background")
    trained = training.handlers(services, features)
    for slow in (FINE_TUNE, CHANGE_ENCODER):
        registry.add(slow, trained.pop(slow), queue="background")
    registry.add_all(trained, queue="heavy")
    return registry


def periodic_jobs(services: Services) -> "list[PeriodicJob]":
    """What brings each project up to date whatever was missed, and the daily housekeeping."""
    from backend.explorer.map_folder import is_map_due
    from backend.jobs.schedules import PeriodicJob, every_project, of_no_project
    from backend.label_studio.sync_probe import SyncProbe
    from backend.loop.halt import is_retry_due
    from backend.loop.job_names import DRAW_MAP, REFRESH_VERDICTS, REVIEW, SYNC
    from backend.notices.delivery import DELIVERY_SECONDS, is_due
    from backend.notices.schemas import DELIVER
    from backend.record_index.jobs import is_index_behind
    from backend.record_index.schemas import INDEX_JOB
    from backend.review.refreshing import is_desk_behind
    from backend.scoring.freshness import is_refresh_due
    from backend.training.purging import PURGE

    def is_review_due(project_id: int | None) -> bool:
        """The refresh also looks what the loop's next step is."""
        return project_id is not None and (
            is_desk_behind(services, project_id) or is_retry_due(services, project_id)
        )

    interval = services.settings.sync_interval_seconds
    return [
        PeriodicJob(SYNC, interval, is_due=SyncProbe(services).is_due),
        PeriodicJob(REVIEW, interval, every_project, is_due=is_review_due),
        # Imports ask for it themselves; this is for stores of earlier versions.
        PeriodicJob(
            INDEX_JOB, 3600, of_no_project, is_due=lambda _project: is_index_behind(services)
        ),
        PeriodicJob(
            DELIVER, DELIVERY_SECONDS, of_no_project, is_due=lambda _none: is_due(services)
        ),
        PeriodicJob(
            REFRESH_VERDICTS,
            interval,
            every_project,
            is_due=lambda project_id: is_refresh_due(services, project_id),
        ),
        PeriodicJob(
            DRAW_MAP,
            interval,
            every_project,
            is_due=lambda project_id: is_map_due(services, project_id),
        ),
        PeriodicJob(PURGE, 24 * 3600, of_no_project),
    ]
