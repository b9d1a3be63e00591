"""Training in the background; every handler may be run again from its start."""

from typing import Any

from backend.core.services import Services
from backend.features.store import FeatureStore
from backend.jobs.context import JobContext
from backend.jobs.job_project import project_of
from backend.jobs.registry import Handler
from backend.loop.job_names import RETRAIN
from backend.training.encoder_change import CHANGE_ENCODER, change_encoder
from backend.training.fine_tuning import fine_tune_challenger
from backend.training.fine_tuning_request import FINE_TUNE
from backend.training.purging import PURGE, purge_files
from backend.training.retraining import retrain


def handlers(services: Services, features: FeatureStore) -> dict[str, Handler]:
    """The room's jobs by name."""

    def run_retraining(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        project_id, weights = project_of(context), args.get("weights")
        is_weighted = None if weights is None else weights == "value"
        with context.lease(f"train:{project_id}"):
            return retrain(services, features, context, project_id, is_weighted=is_weighted)

    def run_fine_tuning(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"fine-tune:{project_id}"):
            return fine_tune_challenger(services, features, context, project_id)

    def run_encoder_change(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"change-encoder:{project_id}"):
            return change_encoder(services, features, context, project_id)

    def run_purge(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        with context.lease("purge"):
            return purge_files(services, context)

    return {
        PURGE: run_purge,
        CHANGE_ENCODER: run_encoder_change,
        FINE_TUNE: run_fine_tuning,
        RETRAIN: run_retraining,
    }
