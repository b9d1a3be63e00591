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
        ConfigurationError: the store was made by another version; the message says what to do.
    """
    from backend.core.migrations import check

    settings = get_settings()
    check(settings.store_url)
    return Services.from_settings(settings)


def build_registry(services: Services) -> "Registry":
    """Every kind of job that a worker of ours can run."""
    from backend.agreement import jobs as agreement
    from backend.annotations import jobs as annotations
    from backend.exchange import jobs as exchange
    from backend.guidelines import jobs as guidelines
    from backend.ingestion import jobs as ingestion
    from backend.jobs.registry import Registry
    from backend.review import jobs as review
    from backend.training import jobs as training
    from backend.training.fine_tuning_request import FINE_TUNE

    registry = Registry()
    registry.add_all(annotations.handlers(services), is_routine=True)
    registry.add_all(review.handlers(services), is_routine=True)
    registry.add_all(agreement.handlers(services), is_routine=True)
    registry.add_all(guidelines.handlers(services))
    registry.add_all(ingestion.handlers(services), queue="heavy")
    registry.add_all(exchange.handlers(services), queue="heavy")
    learning = training.handlers(services)
    registry.add(FINE_TUNE, learning.pop(FINE_TUNE), queue="background")
    registry.add_all(learning, queue="heavy")
    return registry


def periodic_jobs(services: Services) -> "list[PeriodicJob]":
    """The reconciling sync of every project in Label Studio, and the daily housekeeping."""
    from backend.annotations.service import SYNC
    from backend.jobs.schedules import PeriodicJob, of_no_project
    from backend.training.purging import PURGE

    return [
        PeriodicJob(SYNC, services.settings.sync_interval_seconds),
        PeriodicJob(PURGE, 24 * 3600, of_no_project),
    ]
