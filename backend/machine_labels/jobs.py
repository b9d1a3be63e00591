"""The question of machine labels in the background; it may be run again from its start."""

from typing import Any

from backend.core.services import Services
from backend.features.store import FeatureStore
from backend.jobs.context import JobContext
from backend.jobs.job_project import project_of
from backend.jobs.registry import Handler
from backend.machine_labels.acceptance import accept
from backend.machine_labels.service import ACCEPT


def handlers(services: Services, features: FeatureStore) -> dict[str, Handler]:
    """The room's jobs by name."""

    def run_acceptance(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"train:{project_id}"):
            is_asked = bool(args.get("is_asked"))
            return accept(services, features, context, project_id, is_asked=is_asked)

    return {ACCEPT: run_acceptance}
