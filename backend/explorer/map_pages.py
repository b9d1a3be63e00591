"""The page with the map of a project's records."""

from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from backend.core.dependencies import ServicesDep, SessionDep, Viewer
from backend.core.exceptions import InvalidInput
from backend.core.language import language_of
from backend.explorer.map_service import MOST, RecordMap
from backend.explorer.record_service import RecordExplorer
from backend.explorer.record_words import SOURCE_NAMES
from backend.projects.service import ProjectsService, label_schema_of
from backend.scoring.service import Verdicts
from backend.web.rendering import percent, render
from backend.words import Message, translator

router = APIRouter(include_in_schema=False, prefix="/projects/{project_id}/map")

WORDS_SHOWN = 3
"""Fields of a record beside its point. Chosen: a few words."""
VALUE_SHOWN = 60
"""Characters of a value there."""


@router.get("")
def map_page(
    request: Request,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Viewer,
) -> Response:
    """The map, and the same in a table."""
    project = ProjectsService(session, services.clock).get(project_id)
    context = {
        "project": project,
        "summary": RecordMap(session, services).summary(project),
        "state": Verdicts(session, services).state(project),
        "titles": label_schema_of(project).titles(language_of(request)),
        "most": MOST,
    }
    return render(request, "explorer/map.html", context)


@router.get("/points")
def map_points(
    request: Request,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Viewer,
) -> JSONResponse:
    """Where the points are and what they are coloured by."""
    project = ProjectsService(session, services.clock).get(project_id)
    drawn = RecordMap(session, services)
    titles = label_schema_of(project).titles(language_of(request))
    names = [titles.grade(grade) for grade in drawn.grades(project)]
    return JSONResponse({**asdict(drawn.points(project)), "titles": names})


@router.get("/points/{record_id:number}")
def point_words(
    request: Request,
    project_id: int,
    record_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Viewer,
) -> JSONResponse:
    """The record of a point in a few words."""
    project = ProjectsService(session, services.clock).get(project_id)
    record = RecordExplorer(session, services).record(project, record_id)
    schema = label_schema_of(project)
    verdict = Verdicts(session, services).of_records(project, [record_id]).get(record_id)
    lines: list[str] = []
    if verdict is not None:
        language = language_of(request)
        titles, say = schema.titles(language), translator(language)
        lines.append(f"{titles.grade(verdict.grade)} {percent(verdict.confidence, 0)}")
        if verdict.label is not None:
            counts = say(Message(SOURCE_NAMES[verdict.source]))
            lines.append(f"{counts}: {titles.grade(verdict.label)}")
    lines += _values(record.fields, schema.fields)
    return JSONResponse({"title": record.external_id, "lines": lines})


@router.post("/selection")
def select_points(
    project_id: int,
    ids: Annotated[str, Form()],
    session: SessionDep,
    services: ServicesDep,
    _principal: Viewer,
) -> Response:
    """The list of the records whose points were chosen."""
    project = ProjectsService(session, services.clock).get(project_id)
    query = RecordMap(session, services).select(project, _numbers(ids))
    return RedirectResponse(f"/projects/{project_id}/records?{urlencode(query)}", 303)


def _values(fields: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    shown = [str(fields[name]) for name in names if fields.get(name) not in (None, "")]
    return [
        value if len(value) <= VALUE_SHOWN else f"{value[: VALUE_SHOWN - 1]}…"
        for value in shown[:WORDS_SHOWN]
    ]


def _numbers(text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and len(part) < 16 for part in parts):
        raise InvalidInput(
            Message("The numbers of the chosen records cannot be read."),
            field="ids",
            value=text[:100],
            remedy=Message("Draw around the points again."),
        )
    return [int(part) for part in parts]
