"""The map in the background; the drawing may be run again from its start."""

from typing import Any

from backend.core.services import Services
from backend.explorer.map_drawing import draw_map
from backend.features.store import FeatureStore
from backend.jobs.context import JobContext
from backend.jobs.job_project import project_of
from backend.jobs.registry import Handler
from backend.loop.job_names import DRAW_MAP


def handlers(services: Services, features: FeatureStore) -> dict[str, Handler]:
    """The map's job by its name."""

    def run_drawing(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"map:{project_id}"):
            return draw_map(services, features, context, project_id)

    return {DRAW_MAP: run_drawing}
