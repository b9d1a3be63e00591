"""The pages of the review desk: the queue, a case, an action on many cases."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from backend.core.dependencies import Reviewer, ServicesDep, SessionDep
from backend.core.exceptions import AppError, Conflict, InvalidInput
from backend.core.language import language_of
from backend.core.request_body import LARGEST_OFFSET
from backend.loop.service import LoopService
from backend.models import Project
from backend.projects.service import label_schema_of
from backend.review.bulk import BulkDecisions
from backend.review.decisions import Decisions
from backend.review.page_words import (
    ACTION_NAMES,
    BULK_NAMES,
    METHOD_NAMES,
    NOTICE_OF,
    REASON_NAMES,
    STATES,
    notice_words,
)
from backend.review.requests import (
    DecisionDraft,
    FilterDep,
    FormDep,
    ProjectDep,
    decision_request,
    group_counts,
    query_of,
)
from backend.review.schemas import CaseFilter, LastDecision
from backend.review.service import ReviewDesk
from backend.web.rendering import render
from backend.words import Message
from labeling.label_schema import Titles

router = APIRouter(include_in_schema=False, prefix="/projects/{project_id}/review")

PAGE = 25
"""Cases a page. Chosen: what is decided in one sitting."""


@router.get("")
def queue_page(
    *,
    request: Request,
    project: ProjectDep,
    wanted: FilterDep,
    session: SessionDep,
    services: ServicesDep,
    _principal: Reviewer,
    offset: Annotated[int, Query(ge=0, le=LARGEST_OFFSET)] = 0,
    notice: str = "",
    decision: Annotated[int, Query(ge=0, le=LARGEST_OFFSET)] = 0,
    bulk: str = "",
    done: Annotated[int, Query(ge=0)] = 0,
    left: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """Cases that need a decision, the most valuable first."""
    desk = ReviewDesk(session, services.clock)
    state_counts = desk.state_counts(project)
    bulks = BulkDecisions(session, services.clock).newest(project)
    context = {
        "project": project,
        "page": desk.page(project, wanted, offset=offset, limit=PAGE, state_counts=state_counts),
        "offset": offset,
        "limit": PAGE,
        "wanted": wanted,
        "query": query_of(wanted),
        "states": STATES,
        "state_counts": state_counts,
        "reasons": group_counts(desk.reason_counts(project, wanted.state or "open")),
        "reason_names": REASON_NAMES,
        "titles": label_schema_of(project).titles(language_of(request)),
        "kinds": desk.kinds(project),
        "annotators": desk.annotators(project),
        "bulk_names": BULK_NAMES,
        "action_names": ACTION_NAMES,
        "bulks": bulks,
        "notice": notice_words(notice, done=done, left=left),
        "told": desk.last_decision(project, decision) if decision else None,
        "told_bulk": next((each for each in bulks if each.bulk_id == bulk), None),
    }
    return render(request, "review/queue.html", context, fragment="cases")


@router.post("/refresh")
def refresh(
    project: ProjectDep, session: SessionDep, services: ServicesDep, _principal: Reviewer
) -> Response:
    """Bring cases up to date."""
    LoopService(session, services.clock).request_review(project)
    return RedirectResponse(f"/projects/{project.id}/review?notice=refreshing", 303)


@router.get("/{case_id:number}")
def case_page(
    *,
    request: Request,
    project: ProjectDep,
    case_id: int,
    wanted: FilterDep,
    session: SessionDep,
    services: ServicesDep,
    _principal: Reviewer,
    notice: str = "",
    decision: Annotated[int, Query(ge=0, le=LARGEST_OFFSET)] = 0,
) -> Response:
    """A case with everything that bears on it."""
    desk = ReviewDesk(session, services.clock)
    told = desk.last_decision(project, decision) if decision else None
    words = notice_words(notice, done=0, left=0)
    return _case(request, desk, project, case_id, wanted, notice=words, told=told)


@router.post("/{case_id:number}")
def decide(
    *,
    request: Request,
    project: ProjectDep,
    case_id: int,
    wanted: FilterDep,
    form: FormDep,
    session: SessionDep,
    services: ServicesDep,
    principal: Reviewer,
) -> Response:
    """The decision of the form; then the next case of the queue.

    A conflict or a wrong value shows the case as it is now and what was chosen; nothing is
    stored then.
    """
    desk = ReviewDesk(session, services.clock)
    before = desk.case(project, case_id, wanted)
    try:
        chosen = decision_request(form)
        with session.begin_nested():
            made = Decisions(session, services.clock).decide(
                project, case_id, chosen, author=principal.name
            )
    except (Conflict, InvalidInput) as error:
        return _case(
            request, desk, project, case_id, wanted, error=error, draft=DecisionDraft.of(form)
        )
    place = f"/projects/{project.id}/review"
    if chosen.action in {"note", "reopen"}:
        following = f"{place}/{case_id}"
    else:
        following = f"{place}/{before.next_id}" if before.next_id else place
    told = urlencode({"notice": NOTICE_OF[chosen.action], "decision": made.id})
    return RedirectResponse(f"{following}?{query_of(wanted)}&{told}", 303)


@router.post("/{case_id:number}/undo")
def undo(
    *,
    project: ProjectDep,
    case_id: int,
    decision: Annotated[int, Form(ge=0, le=LARGEST_OFFSET)],
    wanted: FilterDep,
    session: SessionDep,
    services: ServicesDep,
    principal: Reviewer,
) -> Response:
    """Take a decision back; then its case."""
    decisions = Decisions(session, services.clock)
    found = decisions.decision(project, case_id, decision)
    decisions.undo(project, found, author=principal.name)
    place = f"/projects/{project.id}/review/{case_id}"
    return RedirectResponse(f"{place}?{query_of(wanted)}&notice=taken_back", 303)


def _case(
    request: Request,
    desk: ReviewDesk,
    project: Project,
    case_id: int,
    wanted: CaseFilter,
    *,
    notice: Message | None = None,
    told: LastDecision | None = None,
    error: AppError | None = None,
    draft: DecisionDraft | None = None,
) -> Response:
    case, schema = desk.case(project, case_id, wanted), label_schema_of(project)
    titles = schema.titles(language_of(request))
    context: dict[str, Any] = {
        "project": project,
        "case": case,
        "schema": schema,
        "titles": titles,
        "query": query_of(wanted),
        "states": STATES,
        "reason_names": REASON_NAMES,
        "action_names": ACTION_NAMES,
        "method_names": METHOD_NAMES,
        "annotators": desk.annotators(project),
        "rules": desk.rules(project),
        "notice": notice,
        "told": told,
        "error": _in_words(error, titles),
        "draft": draft,
    }
    return render(request, "review/case.html", context, error=error)


def _in_words(error: AppError | None, titles: Titles) -> AppError | None:
    """The error as people read it: nothing was chosen of what stands in the form."""
    if error is None or error.field != "grade" or error.value is not None:
        return error
    grades = titles.grades.values()
    remedy = Message("Choose one of {grades}, or mark it as ambiguous.", grades=grades)
    return InvalidInput(error.message, field=error.field, remedy=remedy)
