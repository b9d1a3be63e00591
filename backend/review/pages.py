"""The pages of the review desk: the queue, a case, an action on many cases."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from backend.core.dependencies import Lead, Reviewer, ServicesDep, SessionDep
from backend.core.exceptions import AppError, Conflict, InvalidInput
from backend.loop.service import LoopService
from backend.models import Project
from backend.projects.service import label_schema_of
from backend.review.bulk import BulkDecisions
from backend.review.decisions import Decisions
from backend.review.requests import (
    DecisionDraft,
    FilterDep,
    FormDep,
    ProjectDep,
    bulk_request,
    decision_request,
    group_counts,
    query_of,
)
from backend.review.schemas import CaseFilter
from backend.review.service import ReviewDesk
from backend.web.language import language_of
from backend.web.rendering import render
from backend.words import N_
from labeling.label_schema import Titles

router = APIRouter(include_in_schema=False, prefix="/projects/{project_id}/review")

PAGE = 25
"""Cases a page. Chosen: what is decided in one sitting."""
MOST = 2**31 - 1
"""The largest integer that PostgreSQL takes as 32 bits."""
STATES = {
    "open": N_("Open"),
    "sent_back": N_("Sent back"),
    "ambiguous": N_("Ambiguous"),
    "decided": N_("Decided"),
    "settled": N_("Settled"),
}
REASON_NAMES = {
    "tie": N_("Tie"),
    "low_confidence": N_("Low confidence"),
    "model_conflict": N_("Classifier disagrees"),
    "suspected_error": N_("Suspected error"),
    "record_changed": N_("Record changed"),
    "withdrawn_label": N_("Label not in the schema"),
    "answers_deleted": N_("Answers deleted"),
    "issue:": N_("Issues differ"),
    "field:": N_("Marked fields differ"),
}
BULK_NAMES = {
    "accept_consensus": N_("Accept the consensus"),
    "accept_model": N_("Accept the classifier's answer"),
    "send_back": N_("Ask one more annotator"),
    "ambiguous": N_("Mark as genuinely ambiguous"),
}
ACTION_NAMES = {
    "decide": N_("Decided"),
    "ambiguous": N_("Kept as ambiguous"),
    "send_back": N_("Sent back"),
    "reopen": N_("Reopened"),
    "undo": N_("Taken back"),
    "note": N_("Note"),
}
METHOD_NAMES = {
    "unchecked": N_("the only answer"),
    "few_labels": N_("majority vote, as too few records have several answers to weigh people"),
    "majority": N_("majority vote"),
    "weighted_majority": N_("weighted majority vote"),
    "dawid_skene": N_("Dawid-Skene"),
    "classifier_prior": N_("answers and the classifier's opinion"),
}
NOTICES = {
    "decided": N_("The case is decided."),
    "ambiguous": N_("The case is kept as ambiguous, with its soft label."),
    "sent_back": N_("The record goes back to be labelled again."),
    "open": N_("The case is open again."),
    "noted": N_("The note is kept."),
    "bulk": N_(
        "Done for {done} cases; it can be undone below. Changed by others meanwhile and left "
        "alone: {left}."
    ),
    "undone": N_("Taken back for {done} cases. Changed since and left alone: {left}."),
    "refreshing": N_("Cases are being brought up to date."),
}


@router.get("")
def queue_page(
    *,
    request: Request,
    project: ProjectDep,
    wanted: FilterDep,
    session: SessionDep,
    services: ServicesDep,
    _principal: Reviewer,
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    notice: str = "",
    done: Annotated[int, Query(ge=0)] = 0,
    left: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """Cases that need a decision, the most valuable first."""
    desk = ReviewDesk(session, services.clock, services.settings)
    state_counts = desk.state_counts(project)
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
        "bulks": BulkDecisions(session, services.clock).newest(project),
        "notice": NOTICES.get(notice, ""),
        "counts": {"done": done, "left": left},
    }
    return render(request, "review/queue.html", context, fragment="cases")


@router.post("/refresh")
def refresh(
    project: ProjectDep, session: SessionDep, services: ServicesDep, _principal: Reviewer
) -> Response:
    """Bring cases up to date."""
    LoopService(session, services.clock).request_review(project)
    return RedirectResponse(f"/projects/{project.id}/review?notice=refreshing", 303)


@router.post("/bulk/preview")
def preview_bulk(
    *,
    request: Request,
    project: ProjectDep,
    form: FormDep,
    session: SessionDep,
    services: ServicesDep,
    _principal: Lead,
) -> Response:
    """What the action would do to the cases of the filter."""
    wanted = bulk_request(form)
    context = {
        "project": project,
        "request_": wanted,
        "preview": BulkDecisions(session, services.clock).preview(project, wanted),
        "bulk_names": BULK_NAMES,
        "reason_names": REASON_NAMES,
        "action_names": ACTION_NAMES,
        "titles": label_schema_of(project).titles(language_of(request)),
        "query": query_of(wanted.filter),
    }
    return render(request, "review/bulk.html", context)


@router.get("/bulk/preview")
def no_preview(request: Request, project: ProjectDep, _principal: Lead) -> Response:
    """A preview is asked for with a form; whoever reloads its address starts from the queue."""
    return RedirectResponse(f"/projects/{project.id}/review?{request.url.query}", 303)


@router.post("/bulk")
def apply_bulk(
    *,
    project: ProjectDep,
    form: FormDep,
    session: SessionDep,
    services: ServicesDep,
    principal: Lead,
) -> Response:
    """Do it to the cases that were shown."""
    wanted = bulk_request(form)
    done = BulkDecisions(session, services.clock).apply(project, wanted, author=principal.name)
    result = urlencode({"done": done.decided, "left": len(done.conflicts)})
    query = f"{query_of(wanted.filter)}&notice=bulk&{result}"
    return RedirectResponse(f"/projects/{project.id}/review?{query}", 303)


@router.post("/bulk/{bulk_id}/undo")
def undo_bulk(
    *,
    project: ProjectDep,
    bulk_id: str,
    session: SessionDep,
    services: ServicesDep,
    principal: Lead,
) -> Response:
    """Take a bulk action back."""
    done = BulkDecisions(session, services.clock).undo(project, bulk_id, author=principal.name)
    result = urlencode({"done": done.undone, "left": len(done.conflicts)})
    return RedirectResponse(f"/projects/{project.id}/review?notice=undone&{result}", 303)


@router.get("/{case_id}")
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
) -> Response:
    """A case with everything that bears on it."""
    desk = ReviewDesk(session, services.clock, services.settings)
    return _case(request, desk, project, case_id, wanted, notice=NOTICES.get(notice, ""))


@router.post("/{case_id}")
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
    desk = ReviewDesk(session, services.clock, services.settings)
    before = desk.case(project, case_id, wanted)
    try:
        chosen = decision_request(form)
        with session.begin_nested():
            Decisions(session, services.clock).decide(
                project, case_id, chosen, author=principal.name
            )
    except (Conflict, InvalidInput) as error:
        return _case(
            request, desk, project, case_id, wanted, error=error, draft=DecisionDraft.of(form)
        )
    query, place = query_of(wanted), f"/projects/{project.id}/review"
    if chosen.action in {"note", "reopen"}:
        notice = "noted" if chosen.action == "note" else "open"
        return RedirectResponse(f"{place}/{case_id}?{query}&notice={notice}", 303)
    notice = {"decide": "decided", "send_back": "sent_back"}.get(chosen.action, chosen.action)
    following = f"{place}/{before.next_id}" if before.next_id else place
    return RedirectResponse(f"{following}?{query}&notice={notice}", 303)


def _case(
    request: Request,
    desk: ReviewDesk,
    project: Project,
    case_id: int,
    wanted: CaseFilter,
    *,
    notice: str = "",
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
        "error": _in_words(error, titles),
        "draft": draft,
    }
    status_code = error.status_code if error else 200
    return render(request, "review/case.html", context, status_code=status_code)


def _in_words(error: AppError | None, titles: Titles) -> AppError | None:
    """The error as people read it: nothing was chosen of what stands in the form."""
    if error is None or error.field != "grade" or error.value is not None:
        return error
    choices = ", ".join(titles.grades.values())
    remedy = f"Choose one of {choices}, or mark it as ambiguous."
    return InvalidInput(error.message, field=error.field, remedy=remedy)
