"""A project's guideline: what counts, every version, and what people disagree about."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from backend.core.dependencies import AnyRole, Lead, ServicesDep, SessionDep, Viewer
from backend.core.language import language_of
from backend.guidelines import edit_pages
from backend.guidelines.comparison import compare
from backend.guidelines.rendering import guideline_html
from backend.guidelines.service import Guidelines
from backend.projects.service import ProjectsService, label_schema_of
from backend.web.rendering import render
from backend.words import N_

router = APIRouter(include_in_schema=False)
router.include_router(edit_pages.router)

NOTICES = {
    "saved": N_("The version is saved. Annotators see it when it is published."),
    "published": N_("The version is published. Label Studio shows it as soon as it answers."),
}
SHOWING = {
    "nowhere": N_("The project is not in Label Studio yet; it begins with this version there."),
    "underway": N_("Label Studio does not show this version yet; it will as soon as it answers."),
    "failed": N_("Label Studio could not be told. Publish the version again."),
    "shown": N_("Label Studio shows this version."),
}


@router.get("/projects/{project_id}/guideline")
def guideline_page(
    *,
    principal: AnyRole,
    request: Request,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
) -> Response:
    """The version that counts; for those who may see them, versions and disagreements."""
    project = ProjectsService(session, services.clock).get(project_id)
    guidelines = Guidelines(session, services.clock)
    current = guidelines.current(project)
    showing = guidelines.display(project)
    schema = label_schema_of(project)
    context = {
        "project": project,
        "guideline": current,
        "html": guideline_html(request, current, schema),
        "titles": schema.titles(language_of(request)),
        "showing": showing,
        "showing_words": SHOWING[showing],
        "history": guidelines.history(project) if principal.may("viewer") else [],
        "report": guidelines.disagreements(project) if principal.may("reviewer") else None,
        "notice": NOTICES.get(request.query_params.get("notice", "")),
    }
    return render(request, "guidelines/guideline.html", context)


@router.get("/projects/{project_id}/guideline/versions/{version}")
def version_page(
    *,
    _principal: Viewer,
    request: Request,
    project_id: int,
    version: int,
    session: SessionDep,
    services: ServicesDep,
) -> Response:
    """One version, and what is different from the one before."""
    project = ProjectsService(session, services.clock).get(project_id)
    guidelines = Guidelines(session, services.clock)
    shown = guidelines.version(project, version)
    titles = label_schema_of(project).titles(language_of(request))
    before = guidelines.version(project, version - 1) if version > 1 else None
    context = {
        "project": project,
        "guideline": shown,
        "html": guideline_html(request, shown, label_schema_of(project)),
        "before": before,
        "lines": compare(before, shown, titles) if before else [],
        "notice": NOTICES.get(request.query_params.get("notice", "")),
    }
    return render(request, "guidelines/version.html", context)


@router.post("/projects/{project_id}/guideline/versions/{version}/publish")
def publish_version(
    *,
    principal: Lead,
    project_id: int,
    version: int,
    session: SessionDep,
    services: ServicesDep,
) -> Response:
    """The version counts from now on."""
    project = ProjectsService(session, services.clock).get(project_id)
    Guidelines(session, services.clock).publish(project, version, actor=principal.name)
    query = urlencode({"notice": "published"})
    return RedirectResponse(f"/projects/{project_id}/guideline?{query}", 303)
