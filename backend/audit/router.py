"""Read the audit events."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from backend.audit.schemas import AuditEventPublic
from backend.audit.service import AuditTrail
from backend.core.dependencies import ServicesDep, SessionDep, require

router = APIRouter(prefix="/api/v1/audit", tags=["access"])


@router.get("", dependencies=[Depends(require("lead"))])
def audit_events(
    session: SessionDep,
    services: ServicesDep,
    subject: Annotated[str | None, Query(examples=["project:3"])] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[AuditEventPublic]:
    """Who did what, newest first; of one subject if named."""
    events = AuditTrail(session, services.clock).latest(subject=subject, limit=limit)
    return [AuditEventPublic.model_validate(event, from_attributes=True) for event in events]
