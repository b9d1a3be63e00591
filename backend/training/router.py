"""The loop's levers over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from backend.core.dependencies import Engineer, ServicesDep, SessionDep
from backend.projects.service import ProjectsService
from backend.training.service import LabelWeights, TrainingService

router = APIRouter(prefix="/api/v1/projects/{project_id}", tags=["training"])


class QueuedStep(BaseModel):
    """The job that does it."""

    job_id: str


@router.post("/retrain", status_code=202)
def retrain(
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    principal: Engineer,
    weights: Annotated[
        LabelWeights | None,
        Query(description="how labels count; empty: as the policy's `label_weights` says"),
    ] = None,
) -> QueuedStep:
    """Train a challenger on the labels of now."""
    project = ProjectsService(session, services.clock).get(project_id)
    service = TrainingService(session, services.clock)
    return QueuedStep(
        job_id=service.request_retraining(project, actor=principal.name, weights=weights)
    )


@router.post("/next-batch", status_code=202)
def next_batch(
    project_id: int, session: SessionDep, services: ServicesDep, principal: Engineer
) -> QueuedStep:
    """Choose and push the next batch; also starts the loop of a new project."""
    project = ProjectsService(session, services.clock).get(project_id)
    service = TrainingService(session, services.clock)
    return QueuedStep(job_id=service.request_batch(project, actor=principal.name))
