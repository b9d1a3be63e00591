"""The loop's background work; every handler may be run again from its start."""

from typing import Any

from backend.annotations.jobs import project_of
from backend.annotations.service import NEXT_BATCH, RETRAIN
from backend.core.services import Services
from backend.jobs.context import JobContext
from backend.jobs.registry import Handler
from backend.training.features import FeatureStore
from backend.training.retraining import retrain
from backend.training.selection import choose_batch


def handlers(services: Services) -> dict[str, Handler]:
    """The room's jobs by name; they share one feature store."""
    features = FeatureStore(services)

    def run_retraining(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"train:{project_id}"):
            return retrain(services, features, context, project_id)

    def run_selection(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"train:{project_id}"):
            return choose_batch(services, features, context, project_id, int(args["round"]))

    return {RETRAIN: run_retraining, NEXT_BATCH: run_selection}
