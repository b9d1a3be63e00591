"""Background work of the review desk; every handler may be run again from its start."""

from dataclasses import asdict
from typing import Any

from backend.core.services import Services
from backend.jobs.context import JobContext
from backend.jobs.job_project import project_of
from backend.jobs.registry import Handler
from backend.label_studio.jobs import retry_while_unavailable
from backend.loop.job_names import ASK, REVIEW
from backend.loop.service import continue_loop
from backend.projects.service import ProjectsService
from backend.review.asking import ask_label_studio
from backend.review.refreshing import refresh_desk


def handlers(services: Services) -> dict[str, Handler]:
    """The room's jobs by name."""

    def refresh(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"review:{project_id}"):
            done = refresh_desk(services, project_id, is_full=bool(args.get("is_full")))
            with services.database.reading() as session:
                project = ProjectsService(session, services.clock).get(project_id)
            continue_loop(services, project)
        return asdict(done)

    def ask(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"push:{project_id}"):
            return {"tasks": ask_label_studio(services, project_id, context.progress)}

    return {REVIEW: refresh, ASK: retry_while_unavailable(ask)}
