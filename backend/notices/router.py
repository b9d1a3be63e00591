"""Receivers of notices and what they were told, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from backend.core.dependencies import Lead, ServicesDep, SessionDep
from backend.core.request_body import RowNumber
from backend.core.responses import problem_responses
from backend.notices.schemas import AddressCreate, AddressPublic, NewAddress, NoticePublic
from backend.notices.service import NoticesService

router = APIRouter(prefix="/api/v1/notices", tags=["notices"])


@router.get("/addresses")
def list_addresses(
    session: SessionDep, services: ServicesDep, _principal: Lead
) -> list[AddressPublic]:
    """List the receivers, oldest first, without their secrets."""
    return NoticesService(session, services).addresses()


@router.post("/addresses", status_code=201, responses=problem_responses(404))
def add_address(
    request: AddressCreate, session: SessionDep, services: ServicesDep, principal: Lead
) -> NewAddress:
    """Register a receiver; the answer is the only place where its secret is ever shown."""
    return NoticesService(session, services).add_address(request, actor=principal.name)


@router.delete("/addresses/{address_id}", status_code=204)
def delete_address(
    address_id: int, session: SessionDep, services: ServicesDep, principal: Lead
) -> None:
    """Take a receiver away with all that it was told."""
    NoticesService(session, services).delete_address(address_id, actor=principal.name)


@router.post("/addresses/{address_id}/activate")
def activate_address(
    address_id: int, session: SessionDep, services: ServicesDep, principal: Lead
) -> AddressPublic:
    """Tell a receiver again that was deactivated; of what happens from now on."""
    return NoticesService(session, services).activate(address_id, actor=principal.name)


@router.post("/addresses/{address_id}/test", status_code=202)
def send_test(
    address_id: int, session: SessionDep, services: ServicesDep, principal: Lead
) -> NoticePublic:
    """Send a test notice to a receiver."""
    return NoticesService(session, services).send_test(address_id, actor=principal.name)


@router.get("")
def list_notices(
    session: SessionDep,
    services: ServicesDep,
    _principal: Lead,
    address_id: RowNumber | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[NoticePublic]:
    """List the newest notices with their answers, newest first."""
    return NoticesService(session, services).notices(address_id=address_id, limit=limit)


@router.post("/{notice_id}/send-again", status_code=202)
def send_again(
    notice_id: str, session: SessionDep, services: ServicesDep, principal: Lead
) -> NoticePublic:
    """Send a notice once more, whatever came of it."""
    return NoticesService(session, services).send_again(notice_id, actor=principal.name)
