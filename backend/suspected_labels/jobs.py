"""The assessment of labels in the background; it may be run again from its start."""

from typing import Any

from backend.core.services import Services
from backend.features.store import FeatureStore
from backend.jobs.context import JobContext
from backend.jobs.job_project import project_of
from backend.jobs.registry import Handler
from backend.suspected_labels.assessment import assess
from backend.suspected_labels.service import ASSESS


def handlers(services: Services, features: FeatureStore) -> dict[str, Handler]:
    """The room's jobs by name."""

    def run_assessment(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"assess:{project_id}"):  # the loop need not wait for it
            version_id = int(args["model_version_id"])
            return assess(services, features, context, project_id, version_id)

    return {ASSESS: run_assessment}
