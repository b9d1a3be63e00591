"""Read the audit events."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from backend.audit.schemas import AuditEventPublic, AuditFilter
from backend.audit.service import AuditTrail
from backend.core.dependencies import ServicesDep, SessionDep, require
from backend.core.request_body import LARGEST_NUMBER, RowNumber

router = APIRouter(prefix="/api/v1/audit", tags=["access"])


@router.get("", dependencies=[Depends(require("lead"))])
def audit_events(
    *,
    session: SessionDep,
    services: ServicesDep,
    actor: Annotated[str | None, Query(max_length=320, description="a part of the name")] = None,
    action: Annotated[str | None, Query(max_length=100, examples=["case.decide"])] = None,
    subject: Annotated[str | None, Query(max_length=300, examples=["project:3"])] = None,
    project_id: RowNumber | None = None,
    before: Annotated[
        int | None, Query(ge=1, le=LARGEST_NUMBER, description="the last page's smallest id")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[AuditEventPublic]:
    """Who did what, newest first. The next older ones: `before` the last one's id."""
    wanted = AuditFilter(
        actor=actor, action=action, subject=subject, project_id=project_id, before=before
    )
    return AuditTrail(session, services.clock).page(wanted, limit=limit).items
