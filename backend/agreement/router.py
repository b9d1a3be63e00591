"""Agreement and annotators' work over HTTP, for leads."""

from fastapi import APIRouter

from backend.agreement.schemas import (
    AgreementPublic,
    AnnotatorPublic,
    AnnotatorsPublic,
    QueuedMeasuring,
)
from backend.agreement.service import WorkReports
from backend.core.dependencies import Lead, ServicesDep, SessionDep
from backend.projects.service import ProjectsService

router = APIRouter(
    prefix="/api/v1/projects/{project_id}",
    tags=["agreement"],
)


@router.get("/agreement")
def read_agreement(
    project_id: int, session: SessionDep, services: ServicesDep, _principal: Lead
) -> AgreementPublic:
    """Read how far people agree: by question, part of the data, pair of people and week."""
    project = ProjectsService(session, services.clock).get(project_id)
    return WorkReports(session, services.clock).agreement(project)


@router.post("/agreement", status_code=202)
def measure_now(
    project_id: int, session: SessionDep, services: ServicesDep, _principal: Lead
) -> QueuedMeasuring:
    """Measure agreement and everybody's work, if there are answers that were not measured."""
    project = ProjectsService(session, services.clock).get(project_id)
    return QueuedMeasuring(job_id=WorkReports(session, services.clock).request(project))


@router.get("/annotators")
def list_annotators(
    project_id: int, session: SessionDep, services: ServicesDep, _principal: Lead
) -> AnnotatorsPublic:
    """List everybody's accuracy, speed, skips, changes and suspicious patterns."""
    project = ProjectsService(session, services.clock).get(project_id)
    return WorkReports(session, services.clock).annotators(project)


@router.get("/annotators/{annotator_id}")
def read_annotator(
    *,
    project_id: int,
    annotator_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Lead,
) -> AnnotatorPublic:
    """Read one annotator's work; id 0 is everybody whom Label Studio no longer knows."""
    project = ProjectsService(session, services.clock).get(project_id)
    return WorkReports(session, services.clock).annotator(project, annotator_id)
