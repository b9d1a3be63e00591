"""The page on which leads read why the latest suggestions were made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from backend.core.dependencies import ServicesDep, SessionDep, require
from backend.core.language import language_of
from backend.overview import repository
from backend.overview.service import OverviewService
from backend.projects.field_effects import FieldEffect, strongest_of
from backend.projects.service import ProjectsService, label_schema_of
from backend.web.rendering import render
from labeling.label_schema import LabelSchema

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class ExplainedSuggestion:
    """One record's suggestion with the effects that annotators see, strongest first."""

    external_id: str
    model_version: int
    grade: str
    confidence: float
    effects: list[FieldEffect]
    """Empty where annotators see the suggestion alone."""


@router.get("/projects/{project_id}/explanations", dependencies=[Depends(require("viewer"))])
def explanations_page(
    request: Request,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> Response:
    """The latest suggestions, each with what spoke for and against it."""
    project = OverviewService(session, services.clock, services.settings).summary(project_id)
    schema = label_schema_of(ProjectsService(session, services.clock).get(project_id))
    rows = repository.latest_suggestions(session, project_id, limit)
    suggestions = read_suggestions(rows, schema)
    titles = schema.titles(language_of(request))
    context = {"project": project, "suggestions": suggestions, "titles": titles}
    return render(request, "overview/explanations.html", context)


def read_suggestions(
    rows: Sequence[tuple[Any, Any, Any, int]], schema: LabelSchema
) -> list[ExplainedSuggestion]:
    """Rows of (task, record, prediction, number of the model version) as the page shows them."""
    strongest = strongest_of(
        [mark for _, _, prediction, _ in rows for mark in prediction.explanation]
    )
    return [
        ExplainedSuggestion(
            external_id=record.external_id,
            model_version=number,
            grade=prediction.grade,
            confidence=prediction.score,
            effects=[
                FieldEffect.of_mark(mark, strongest, schema) for mark in prediction.explanation
            ],
        )
        for task, record, prediction, number in rows
    ]
