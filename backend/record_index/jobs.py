"""The index as a background job."""

from typing import Any

from backend.core.services import Services
from backend.jobs.context import JobContext
from backend.jobs.registry import Handler
from backend.record_index import repository
from backend.record_index.indexing import index_dataset
from backend.record_index.schemas import INDEX_JOB


def handlers(services: Services) -> dict[str, Handler]:
    """The room's jobs by name."""

    def index(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        """Args: ``dataset_id``; without it, all that are behind."""
        if "dataset_id" in args:
            datasets = [int(args["dataset_id"])]
        else:
            with services.database.reading() as session:
                datasets = repository.datasets_behind(session)
        results: dict[str, Any] = {}
        for dataset_id in datasets:
            with context.lease(f"index:{dataset_id}"):
                results[str(dataset_id)] = index_dataset(services, dataset_id, context)
        return results

    return {INDEX_JOB: index}


def is_index_behind(services: Services) -> bool:
    """Whether some dataset's records have changed since they were indexed."""
    with services.database.reading() as session:
        return bool(repository.datasets_behind(session))
