"""Choosing the next batch in the background; it may be run again from its start."""

from typing import Any

from backend.core.services import Services
from backend.features.store import FeatureStore
from backend.jobs.context import JobContext
from backend.jobs.job_project import project_of
from backend.jobs.registry import Handler
from backend.loop.job_names import NEXT_BATCH
from backend.selection.batch import choose_batch


def handlers(services: Services, features: FeatureStore) -> dict[str, Handler]:
    """The room's jobs by name."""

    def run_selection(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"train:{project_id}"):
            return choose_batch(services, features, context, project_id, int(args["round"]))

    return {NEXT_BATCH: run_selection}
