"""Model versions, promotions and rollback over HTTP."""

from fastapi import APIRouter

from backend.core.dependencies import Lead, ServicesDep, SessionDep, Viewer
from backend.models import Promotion
from backend.projects.service import ProjectsService
from backend.registry.schemas import ModelVersionPublic, PromotionPublic, RollbackRequest
from backend.registry.service import RegistryService

router = APIRouter(prefix="/api/v1/projects/{project_id}", tags=["models"])


@router.get("/models")
def list_models(
    project_id: int, session: SessionDep, services: ServicesDep, _principal: Viewer
) -> list[ModelVersionPublic]:
    """List the model versions, oldest first."""
    ProjectsService(session, services.clock).get(project_id)
    return [
        ModelVersionPublic.model_validate(version, from_attributes=True)
        for version in RegistryService(session, services.clock).list_versions(project_id)
    ]


@router.get("/promotions")
def list_promotions(
    project_id: int, session: SessionDep, services: ServicesDep, _principal: Viewer
) -> list[PromotionPublic]:
    """List every decision about the champion, with its reason and evidence."""
    ProjectsService(session, services.clock).get(project_id)
    return [
        _public(row) for row in RegistryService(session, services.clock).list_promotions(project_id)
    ]


@router.post("/rollback", status_code=201)
def rollback(
    project_id: int,
    request: RollbackRequest,
    session: SessionDep,
    services: ServicesDep,
    principal: Lead,
) -> PromotionPublic:
    """Make an earlier model version champion again; the next batch is chosen with it."""
    promotion = RegistryService(session, services.clock).rollback(
        project_id, request.number, reason=request.reason, actor=principal.name
    )
    return _public(promotion)


def _public(row: Promotion) -> PromotionPublic:
    return PromotionPublic(**row.model_dump(exclude={"reason"}), reason_message=row.reason)
