"""The loop's background work; every handler may be run again from its start."""

from typing import Any

from backend.acceptance.service import ACCEPT
from backend.annotations.jobs import project_of
from backend.annotations.service import NEXT_BATCH, RETRAIN
from backend.core.services import Services
from backend.findings.service import ASSESS
from backend.jobs.context import JobContext
from backend.jobs.registry import Handler
from backend.training.accepting import accept
from backend.training.assessing import assess
from backend.training.features import FeatureStore
from backend.training.fine_tuning import fine_tune_challenger
from backend.training.fine_tuning_request import FINE_TUNE
from backend.training.purging import PURGE, purge_files
from backend.training.retraining import retrain
from backend.training.selection import choose_batch


def handlers(services: Services) -> dict[str, Handler]:
    """The room's jobs by name; they share one feature store."""
    features = FeatureStore(services)

    def run_retraining(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        project_id, weights = project_of(context), args.get("weights")
        is_weighted = None if weights is None else weights == "value"
        with context.lease(f"train:{project_id}"):
            return retrain(services, features, context, project_id, is_weighted=is_weighted)

    def run_selection(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"train:{project_id}"):
            return choose_batch(services, features, context, project_id, int(args["round"]))

    def run_acceptance(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"train:{project_id}"):
            is_asked = bool(args.get("is_asked"))
            return accept(services, features, context, project_id, is_asked=is_asked)

    def run_assessment(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"assess:{project_id}"):  # the loop need not wait for it
            version_id = int(args["model_version_id"])
            return assess(services, features, context, project_id, version_id)

    def run_fine_tuning(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"fine-tune:{project_id}"):
            return fine_tune_challenger(services, features, context, project_id)

    def run_purge(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        with context.lease("purge"):
            return purge_files(services, context)

    return {
        PURGE: run_purge,
        FINE_TUNE: run_fine_tuning,
        RETRAIN: run_retraining,
        NEXT_BATCH: run_selection,
        ACCEPT: run_acceptance,
        ASSESS: run_assessment,
    }
