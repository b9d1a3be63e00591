"""Guidelines over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends

from backend.core.dependencies import AnyRole, Lead, Reviewer, ServicesDep, SessionDep, Viewer
from backend.guidelines.schemas import (
    DisagreementReport,
    GuidelineDraft,
    GuidelinePublic,
    GuidelineSummary,
)
from backend.guidelines.service import Guidelines
from backend.models import Project
from backend.projects.service import ProjectsService

router = APIRouter(
    prefix="/api/v1/projects/{project_id}/guideline",
    tags=["guidelines"],
)


def project_of(project_id: int, session: SessionDep, services: ServicesDep) -> Project:
    """The project in the address."""
    return ProjectsService(session, services.clock).get(project_id)


ProjectDep = Annotated[Project, Depends(project_of)]


@router.get("")
def current_guideline(
    _principal: AnyRole, project: ProjectDep, session: SessionDep, services: ServicesDep
) -> GuidelinePublic:
    """Get the version that annotators are shown."""
    return Guidelines(session, services.clock).current(project)


@router.get("/versions")
def guideline_versions(
    _principal: Viewer, project: ProjectDep, session: SessionDep, services: ServicesDep
) -> list[GuidelineSummary]:
    """List every version, newest first."""
    return Guidelines(session, services.clock).history(project)


@router.get("/versions/{version}")
def guideline_version(
    _principal: Viewer,
    project: ProjectDep,
    version: int,
    session: SessionDep,
    services: ServicesDep,
) -> GuidelinePublic:
    """Get one version."""
    return Guidelines(session, services.clock).version(project, version)


@router.post("/versions", status_code=201)
def save_guideline(
    principal: Lead,
    project: ProjectDep,
    draft: GuidelineDraft,
    session: SessionDep,
    services: ServicesDep,
) -> GuidelinePublic:
    """Add a version. 409 if somebody saved one since `based_on`; nothing is stored then."""
    return Guidelines(session, services.clock).save(project, draft, author=principal.name)


@router.post("/versions/{version}/publish", status_code=202)
def publish_guideline(
    principal: Lead,
    project: ProjectDep,
    version: int,
    session: SessionDep,
    services: ServicesDep,
) -> GuidelinePublic:
    """Make a version count; a job shows it in Label Studio as soon as that answers."""
    return Guidelines(session, services.clock).publish(project, version, actor=principal.name)


@router.get("/disagreements")
def disagreements(
    _principal: Reviewer, project: ProjectDep, session: SessionDep, services: ServicesDep
) -> DisagreementReport:
    """What people disagree about, and which rules are about it."""
    return Guidelines(session, services.clock).disagreements(project)
