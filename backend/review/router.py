"""The review desk over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from backend.core.dependencies import Lead, Reviewer, ServicesDep, SessionDep
from backend.core.request_body import LARGEST_OFFSET
from backend.loop.service import LoopService
from backend.review.bulk import BulkDecisions
from backend.review.decisions import Decisions
from backend.review.requests import FilterDep, ProjectDep
from backend.review.schemas import (
    BulkConfirmation,
    BulkPreview,
    BulkRequest,
    BulkResult,
    CasePage,
    CasePublic,
    DecisionRequest,
    UndoResult,
)
from backend.review.service import ReviewDesk

router = APIRouter(
    prefix="/api/v1/projects/{project_id}/cases",
    tags=["review desk"],
)


@router.get("")
def list_cases(
    *,
    project: ProjectDep,
    wanted: FilterDep,
    session: SessionDep,
    services: ServicesDep,
    _principal: Reviewer,
    offset: Annotated[
        int, Query(ge=0, le=LARGEST_OFFSET, description="the last page's `next_offset`")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> CasePage:
    """List review cases, those first whose decision is worth most."""
    desk = ReviewDesk(session, services.clock)
    return desk.page(project, wanted, offset=offset, limit=limit)


@router.post("/refresh", status_code=202)
def refresh(
    project: ProjectDep, session: SessionDep, services: ServicesDep, _principal: Reviewer
) -> None:
    """Bring consensus labels and cases up to date now; new answers do it by themselves."""
    LoopService(session, services.clock).request_review(project)


@router.get("/{case_id:number}")
def read_case(
    *,
    project: ProjectDep,
    case_id: int,
    wanted: FilterDep,
    session: SessionDep,
    services: ServicesDep,
    _principal: Reviewer,
) -> CasePublic:
    """Read a case: the record, all answers, the classifier's view, precedents, history."""
    return ReviewDesk(session, services.clock).case(project, case_id, wanted)


@router.post("/{case_id:number}/decisions", status_code=201)
def decide(
    *,
    project: ProjectDep,
    case_id: int,
    request: DecisionRequest,
    session: SessionDep,
    services: ServicesDep,
    principal: Reviewer,
) -> CasePublic:
    """Decide a case, send it back, mark it as ambiguous, reopen it, or leave a note."""
    Decisions(session, services.clock).decide(project, case_id, request, author=principal.name)
    return ReviewDesk(session, services.clock).case(project, case_id)


@router.post("/{case_id}/decisions/{decision_id}/undo", status_code=201)
def undo_decision(
    *,
    project: ProjectDep,
    case_id: int,
    decision_id: int,
    session: SessionDep,
    services: ServicesDep,
    principal: Reviewer,
) -> CasePublic:
    """Take a decision back where nothing has come after it; the case is as before."""
    decisions = Decisions(session, services.clock)
    decision = decisions.decision(project, case_id, decision_id)
    decisions.undo(project, decision, author=principal.name)
    return ReviewDesk(session, services.clock).case(project, case_id)


@router.post("/bulk/preview")
def preview_bulk(
    *,
    project: ProjectDep,
    request: BulkRequest,
    session: SessionDep,
    services: ServicesDep,
    _principal: Lead,
) -> BulkPreview:
    """Show what one action on many cases would do; nothing is done."""
    return BulkDecisions(session, services.clock).preview(project, request)


@router.post("/bulk", status_code=201)
def apply_bulk(
    *,
    project: ProjectDep,
    request: BulkConfirmation,
    session: SessionDep,
    services: ServicesDep,
    principal: Lead,
) -> BulkResult:
    """Decide the cases that a preview showed; what was changed since is left alone."""
    return BulkDecisions(session, services.clock).apply(project, request, author=principal.name)


@router.post("/bulk/{bulk_id}/undo")
def undo_bulk(
    *,
    project: ProjectDep,
    bulk_id: str,
    session: SessionDep,
    services: ServicesDep,
    principal: Lead,
) -> UndoResult:
    """Take a bulk action back, except where cases were decided again since."""
    return BulkDecisions(session, services.clock).undo(project, bulk_id, author=principal.name)
