"""Sync on demand."""

from fastapi import APIRouter
from pydantic import BaseModel

from backend.core.dependencies import Engineer, ServicesDep, SessionDep
from backend.loop.service import LoopService
from backend.projects.service import ProjectsService

router = APIRouter(prefix="/api/v1/projects/{project_id}", tags=["annotations"])


class QueuedJob(BaseModel):
    """A job that was queued."""

    job_id: str


@router.post("/sync", status_code=202)
def request_sync(
    project_id: int, session: SessionDep, services: ServicesDep, _principal: Engineer
) -> QueuedJob:
    """Make the store equal to Label Studio, now."""
    project = ProjectsService(session, services.clock).get(project_id)
    service = LoopService(session, services.clock)
    return QueuedJob(job_id=service.request_sync(project.id, is_full=True))
