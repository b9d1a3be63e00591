"""Verdicts in the background; the refresh may be run again from its start."""

from typing import Any

from backend.core.services import Services
from backend.features.store import FeatureStore
from backend.jobs.context import JobContext
from backend.jobs.job_project import project_of
from backend.jobs.registry import Handler
from backend.loop.job_names import REFRESH_VERDICTS
from backend.scoring.refreshing import refresh_verdicts


def handlers(services: Services, features: FeatureStore) -> dict[str, Handler]:
    """The room's jobs by name."""

    def run_refresh(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"verdicts:{project_id}"):
            return refresh_verdicts(services, features, context, project_id)

    return {REFRESH_VERDICTS: run_refresh}
