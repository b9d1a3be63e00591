"""Taking in webhook events in the background; it may be run again from its start."""

from dataclasses import asdict
from typing import Any

from backend.annotations.revisions import SyncCounts
from backend.annotations.service import AnnotationsService
from backend.core.services import Services
from backend.jobs.context import JobContext
from backend.jobs.job_project import project_of
from backend.jobs.registry import Handler
from backend.loop.job_names import APPLY_EVENTS
from backend.loop.service import after_intake
from backend.projects.service import ProjectsService


def handlers(services: Services) -> dict[str, Handler]:
    """The room's jobs by name."""

    def apply_events(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        counts, is_waiting = SyncCounts(), True
        while is_waiting:
            with services.database.transaction() as session:
                project = ProjectsService(session, services.clock).get(project_of(context))
                annotations = AnnotationsService(session, services.clock)
                counts += annotations.apply_events(project)
                is_waiting = annotations.has_received_events(project_of(context))
        after_intake(services, project, counts.total)
        return asdict(counts)

    return {APPLY_EVENTS: apply_events}
