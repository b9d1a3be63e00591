"""Projects over HTTP."""

from typing import Any

from fastapi import APIRouter

from backend.core.dependencies import Engineer, ServicesDep, SessionDep, Viewer
from backend.core.responses import problem_responses
from backend.projects.public import to_public
from backend.projects.schemas import PolicyChange, ProjectCreate, ProjectPublic
from backend.projects.service import ProjectsService

router = APIRouter(prefix="/api/v1/projects", tags=["projects"])


@router.post("", status_code=201, responses=problem_responses(404))
def create_project(
    request: ProjectCreate, session: SessionDep, services: ServicesDep, principal: Engineer
) -> ProjectPublic:
    """Create a project. Start its loop with `POST …/next-batch`."""
    return to_public(ProjectsService(session, services.clock).create(request, actor=principal.name))


@router.get("")
def list_projects(
    session: SessionDep, services: ServicesDep, _principal: Viewer
) -> list[ProjectPublic]:
    """List the projects, oldest first."""
    return [to_public(project) for project in ProjectsService(session, services.clock).list()]


@router.get("/{project_id}")
def get_project(
    project_id: int, session: SessionDep, services: ServicesDep, _principal: Viewer
) -> ProjectPublic:
    """Get one project."""
    return to_public(ProjectsService(session, services.clock).get(project_id))


@router.patch("/{project_id}/policy")
def change_policy(
    project_id: int,
    change: PolicyChange,
    session: SessionDep,
    services: ServicesDep,
    principal: Engineer,
) -> ProjectPublic:
    """Change the loop policy; the change is audited."""
    changes: dict[str, Any] = change.model_dump()
    service = ProjectsService(session, services.clock)
    return to_public(service.set_policy(project_id, changes, actor=principal.name))
