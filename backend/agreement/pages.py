"""The pages on which leads read how far people agree and how each of them works."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from backend.agreement.pictures import interval_picture, pair_matrix
from backend.agreement.questions import MATRIX_PEOPLE
from backend.agreement.schemas import DELETED, QuestionAgreement
from backend.agreement.service import ReportState, WorkReports, with_name
from backend.core.dependencies import Lead, ServicesDep, SessionDep
from backend.core.language import language_of
from backend.models import Project
from backend.projects.service import ProjectsService, label_schema_of
from backend.web.rendering import is_fragment, render
from backend.words import N_

router = APIRouter(include_in_schema=False)

PATTERNS = {
    "always_same": N_("always the same answer"),
    "too_fast": N_("implausibly fast"),
    "copies_suggestion": N_("keeps every suggestion"),
}
QUESTION_GROUPS = {
    "grade": N_("Grade"),
    "issue": N_("Issues"),
    "field": N_("Fields marked as faulty"),
}
PAIRS_SHOWN = 20
"""Chosen: what fits on a screen."""


@router.get("/projects/{project_id}/agreement")
def agreement_page(
    *,
    request: Request,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Lead,
    question: str = "grade",
) -> Response:
    """How far people agree on every question, and on one of them in detail."""
    project = ProjectsService(session, services.clock).get(project_id)
    reports = WorkReports(session, services.clock)
    state = reports.state(project)
    content = state.content
    context = _common(request, project, state, "agreement")
    if content is not None:
        names = reports.names(content)
        chosen = content.question(question) or content.questions[0]
        context |= {
            "names": names,
            "groups": QUESTION_GROUPS,
            "pairs_shown": PAIRS_SHOWN,
            "chosen": chosen,
            **_pictures(chosen, names),
        }
    return render(request, "agreement/agreement.html", context)


@router.get("/projects/{project_id}/annotators")
def annotators_page(
    request: Request,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Lead,
) -> Response:
    """Everybody's work in one table."""
    project = ProjectsService(session, services.clock).get(project_id)
    reports = WorkReports(session, services.clock)
    state = reports.state(project)
    names = reports.names(state.content)
    people = [with_name(each, names) for each in state.content.people] if state.content else []
    context = _common(request, project, state, "annotators")
    context |= {"people": people, "patterns": PATTERNS, "deleted": DELETED}
    return render(request, "agreement/annotators.html", context)


@router.get("/projects/{project_id}/annotators/{annotator_id}")
def annotator_page(
    *,
    request: Request,
    project_id: int,
    annotator_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Lead,
) -> Response:
    """One annotator's work."""
    project = ProjectsService(session, services.clock).get(project_id)
    reports = WorkReports(session, services.clock)
    person = reports.annotator(project, annotator_id)
    windows = person.drift.windows if person.drift else []
    context = _common(request, project, reports.state(project), f"annotators/{annotator_id}")
    context |= {
        "person": person,
        "patterns": PATTERNS,
        "deleted": DELETED,
        "drift": interval_picture(
            [(str(place), window) for place, window in enumerate(windows, 1)], as_percent=True
        )
        if len(windows) > 1
        else None,
    }
    return render(request, "agreement/annotator.html", context)


@router.post("/projects/{project_id}/measuring")
def measure_now(
    *,
    request: Request,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Lead,
    back: str = "agreement",
) -> Response:
    """Measure what was not measured yet; HTMX asks by itself when a page is opened."""
    project = ProjectsService(session, services.clock).get(project_id)
    reports = WorkReports(session, services.clock)
    reports.request(project)
    if is_fragment(request):
        return _status(request, project, reports.state(project), back)
    place = back if back in {"agreement", "annotators"} else "annotators"
    return RedirectResponse(f"/projects/{project_id}/{place}", 303)


@router.get("/projects/{project_id}/measuring")
def measure_progress(
    *,
    request: Request,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Lead,
    back: str = "agreement",
) -> Response:
    """How far the measuring is; HTMX polls it, and the page is loaded anew when it has ended."""
    project = ProjectsService(session, services.clock).get(project_id)
    return _status(request, project, WorkReports(session, services.clock).state(project), back)


def _status(request: Request, project: Project, state: ReportState, back: str) -> Response:
    answer = render(request, "agreement/measuring.html", _common(request, project, state, back))
    if not state.is_measuring:
        answer.headers["HX-Refresh"] = "true"
    return answer


def _common(request: Request, project: Project, state: ReportState, back: str) -> dict[str, Any]:
    return {
        "project": project,
        "titles": label_schema_of(project).titles(language_of(request)),
        "state": state,
        "report": state.content,
        "back": back,
    }


def _pictures(chosen: QuestionAgreement, names: dict[int, str]) -> dict[str, Any]:
    shown = dict(list(names.items())[:MATRIX_PEOPLE])
    return {
        "weeks": interval_picture(
            [(f"{week.first:%Y-%m-%d}", week.alpha) for week in chosen.weeks]
        ),
        "matrix": pair_matrix(chosen.pairs, shown),
    }
