"""Taking in webhook events in the background; it may be run again from its start."""

from dataclasses import asdict
from typing import Any

from backend.annotations.service import AnnotationsService
from backend.core.services import Services
from backend.jobs.context import JobContext
from backend.jobs.job_project import project_of
from backend.jobs.registry import Handler
from backend.loop.job_names import APPLY_EVENTS
from backend.projects.service import ProjectsService


def handlers(services: Services) -> dict[str, Handler]:
    """The room's jobs by name."""

    def apply_events(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        with services.database.transaction() as session:
            project = ProjectsService(session, services.clock).get(project_of(context))
            counts = AnnotationsService(session, services.clock).apply_events(project)
        return asdict(counts)

    return {APPLY_EVENTS: apply_events}
