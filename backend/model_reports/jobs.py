"""The measuring of model versions in the background; it may be run again from its start."""

from typing import Any

from backend.core.services import Services
from backend.features.store import FeatureStore
from backend.jobs.context import JobContext
from backend.jobs.job_project import project_of
from backend.jobs.registry import Handler
from backend.model_reports.measuring import measure_versions
from backend.model_reports.service import MEASURE


def handlers(services: Services, features: FeatureStore) -> dict[str, Handler]:
    """The room's jobs by name."""

    def run_measuring(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"measure:{project_id}"):
            return measure_versions(services, features, context, project_id)

    return {MEASURE: run_measuring}
