"""Show the guideline that counts in Label Studio; may be run again from its start."""

from typing import Any

from backend.core.services import Services
from backend.guidelines.service import first_version
from backend.jobs.context import JobContext
from backend.jobs.job_project import project_of
from backend.jobs.registry import Handler
from backend.label_studio.connection import SHOW_GUIDELINE, guideline_html
from backend.label_studio.guideline_repository import current_guideline
from backend.label_studio.jobs import retry_while_unavailable
from backend.projects.service import ProjectsService


def handlers(services: Services) -> dict[str, Handler]:
    """The room's jobs by name."""

    def show(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        # One at a time: of two in flight the one with the earlier version could write last.
        with context.lease(f"guideline:{project_id}"):
            return show_guideline(services, project_id)

    return {SHOW_GUIDELINE: retry_while_unavailable(show)}


def show_guideline(services: Services, project_id: int) -> dict[str, Any]:
    """Label Studio shows annotators the version that counts now.

    What counts is read here, not when the job was queued, so the last run shows the last version.
    """
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
        row = current_guideline(session, project_id) or first_version(project)
    label_studio_id = project.label_studio_project_id
    if label_studio_id is None:
        return {"version": row.version, "changed": False}
    wanted = guideline_html(row)
    held = services.label_studio.get_project(label_studio_id)
    changes = {"expert_instruction": wanted, "show_instruction": bool(wanted)}
    is_different = any(held.get(name) != value for name, value in changes.items())
    if is_different:
        services.label_studio.update_project(label_studio_id, changes)
    return {"version": row.version, "changed": is_different}
