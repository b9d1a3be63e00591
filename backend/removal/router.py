"""Removals over HTTP: what would go, and its going."""

from typing import Annotated

from fastapi import APIRouter, Query

from backend.core.dependencies import Lead, ServicesDep, SessionDep
from backend.core.responses import problem_responses
from backend.projects.service import ProjectsService
from backend.records.service import RecordsService
from backend.removal.schemas import DatasetRemoval, FieldRemoval, LabelStudioFate, ProjectRemoval
from backend.removal.service import Removals

router = APIRouter(prefix="/api/v1", tags=["removal"])

Confirm = Annotated[str, Query(description="the name of what is deleted, letter by letter")]


@router.get("/projects/{project_id}/removal")
def project_removal(
    project_id: int, session: SessionDep, services: ServicesDep, _principal: Lead
) -> ProjectRemoval:
    """Tell what would go with a project."""
    project = ProjectsService(session, services.clock).get(project_id)
    return Removals(session, services).of_project(project)


@router.delete("/projects/{project_id}")
def delete_project(
    *,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    principal: Lead,
    confirm: Confirm,
    label_studio: Annotated[
        LabelStudioFate, Query(description="what becomes of its project in Label Studio")
    ] = "keep",
) -> ProjectRemoval:
    """Delete a project with its tasks, answers, decisions and models; the records stay."""
    return Removals(session, services).delete_project(
        project_id, confirmed=confirm, label_studio=label_studio, actor=principal.name
    )


@router.get("/datasets/{dataset_id}/removal")
def dataset_removal(
    dataset_id: int, session: SessionDep, services: ServicesDep, _principal: Lead
) -> DatasetRemoval:
    """Tell what would go with a dataset."""
    dataset = RecordsService(session, services.clock).get_dataset(dataset_id)
    return Removals(session, services).of_dataset(dataset)


@router.delete("/datasets/{dataset_id}", responses=problem_responses(409))
def delete_dataset(
    *,
    dataset_id: int,
    session: SessionDep,
    services: ServicesDep,
    principal: Lead,
    confirm: Confirm,
) -> DatasetRemoval:
    """Delete a dataset that no project labels, with its records."""
    return Removals(session, services).delete_dataset(
        dataset_id, confirmed=confirm, actor=principal.name
    )


@router.get("/datasets/{dataset_id}/fields/{field:path}", responses=problem_responses(409))
def field_removal(
    dataset_id: int, field: str, session: SessionDep, services: ServicesDep, _principal: Lead
) -> FieldRemoval:
    """Tell what would go with a field."""
    dataset = RecordsService(session, services.clock).get_dataset(dataset_id)
    return Removals(session, services).of_field(dataset, field)


@router.delete("/datasets/{dataset_id}/fields/{field:path}", responses=problem_responses(409))
def remove_field(
    *,
    dataset_id: int,
    field: str,
    session: SessionDep,
    services: ServicesDep,
    principal: Lead,
    confirm: Confirm,
) -> FieldRemoval:
    """Remove a field that no project shows; a job takes it out of the records."""
    return Removals(session, services).remove_field(
        dataset_id, field, confirmed=confirm, actor=principal.name
    )
