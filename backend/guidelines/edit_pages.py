"""The page on which leads write the next version of a guideline."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from backend.core.dependencies import Lead, ServicesDep, SessionDep
from backend.core.exceptions import AppError, Conflict, InvalidInput
from backend.core.language import language_of
from backend.guidelines.comparison import compare
from backend.guidelines.form import GuidelineForm, empty_row
from backend.guidelines.rendering import guideline_html
from backend.guidelines.schemas import GuidelinePublic, GuidelineText
from backend.guidelines.service import Guidelines
from backend.models import Project
from backend.projects.service import ProjectsService, label_schema_of
from backend.web.rendering import render

router = APIRouter(include_in_schema=False)

EDIT = "/projects/{project_id}/guideline/edit"


@router.get(EDIT)
def edit_page(
    *,
    _principal: Lead,
    request: Request,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    about: str | None = None,
) -> Response:
    """The newest version in a form; with ``about`` an empty rule about that."""
    project = ProjectsService(session, services.clock).get(project_id)
    newest = Guidelines(session, services.clock).newest(project)
    rows = [rule.model_dump() for rule in newest.rules]
    if about is not None or not rows:
        rows.append(empty_row(about or ""))
    values = {
        "text": newest.text,
        "text_zh": newest.text_zh,
        "change": "",
        "based_on": newest.version,
        "rows": rows,
    }
    return _page(request, project, newest, values)


@router.post(EDIT)
def edit(
    *,
    principal: Lead,
    request: Request,
    project_id: int,
    services: ServicesDep,
    form: Annotated[GuidelineForm, Depends()],
    action: Annotated[str, Form(pattern="^(save|preview|add)$")] = "save",
) -> Response:
    """Save a new version, or show what it would look like, or add an empty rule."""
    if action != "save":
        return _preview_page(request, services, project_id, form, is_adding=action == "add")
    try:
        with services.database.transaction() as session:
            project = ProjectsService(session, services.clock).get(project_id)
            saved = Guidelines(session, services.clock).save(
                project, form.draft(), author=principal.name
            )
    except (Conflict, InvalidInput) as error:
        return _refusal_page(request, services, project_id, form, error)
    query = urlencode({"notice": "saved"})
    return RedirectResponse(
        f"/projects/{project_id}/guideline/versions/{saved.version}?{query}", 303
    )


def _preview_page(
    request: Request,
    services: ServicesDep,
    project_id: int,
    form: GuidelineForm,
    *,
    is_adding: bool,
) -> Response:
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
        newest = Guidelines(session, services.clock).newest(project)
    values = _values(form)
    if is_adding:
        return _page(request, project, newest, {**values, "rows": [*form.rows, empty_row()]})
    try:
        says = form.says()
    except AppError as error:
        return _page(request, project, newest, values, error=error)
    preview = _preview(request, project, newest, says)
    return _page(request, project, newest, values, preview=preview)


def _refusal_page(
    request: Request, services: ServicesDep, project_id: int, form: GuidelineForm, error: AppError
) -> Response:
    """The form as it was filled in. After a conflict it is based on the version that came between:
    its author has the difference in front of them and saves on purpose."""
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
        newest = Guidelines(session, services.clock).newest(project)
    values, preview = _values(form), None
    if isinstance(error, Conflict):
        values["based_on"] = newest.version
        preview = _preview(request, project, newest, form.says())
    return _page(request, project, newest, values, error=error, preview=preview)


def _preview(
    request: Request, project: Project, newest: GuidelinePublic, says: GuidelineText
) -> dict[str, Any]:
    schema = label_schema_of(project)
    return {
        "html": guideline_html(request, says, schema),
        "lines": compare(newest.says, says, schema.titles(language_of(request))),
    }


def _values(form: GuidelineForm) -> dict[str, Any]:
    return {
        "text": form.text,
        "text_zh": form.text_zh,
        "change": form.change,
        "based_on": form.based_on,
        "rows": form.rows or [empty_row()],
    }


def _page(
    request: Request,
    project: Project,
    newest: GuidelinePublic,
    values: dict[str, Any],
    *,
    error: AppError | None = None,
    preview: dict[str, Any] | None = None,
) -> Response:
    schema = label_schema_of(project)
    context = {
        "project": project,
        "newest": newest,
        "values": values,
        "schema": schema,
        "titles": schema.titles(language_of(request)),
        "error": error,
        "is_conflict": isinstance(error, Conflict),
        "preview": preview,
    }
    return render(request, "guidelines/edit.html", context, fragment="preview", error=error)
