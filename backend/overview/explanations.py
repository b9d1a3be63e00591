"""The page on which leads read why the latest suggestions were made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from backend.core.dependencies import ServicesDep, SessionDep, require
from backend.core.language import language_of
from backend.overview import repository
from backend.overview.service import OverviewService
from backend.projects.service import ProjectsService, label_schema_of
from backend.projects.titles import with_titles
from backend.web.rendering import render
from backend.words import Message
from labeling.label_schema import LabelSchema

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Piece:
    """A part of a value, and what it adds to the grade's log-odds; None: it was not asked."""

    text: str
    contribution: float | None = None


@dataclass(frozen=True)
class FieldEffect:
    """What one field adds to the log-odds of the suggested grade."""

    name: str
    contribution: float
    share: float
    """Of the page's strongest effect, from 0 to 1: the length of its bar."""
    pieces: list[Piece]
    reason: Message


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
    strengths = [
        abs(float(mark["contribution"]))
        for _, _, prediction, _ in rows
        for mark in prediction.explanation
    ]
    strongest = max(strengths, default=0.0) or 1.0
    return [
        ExplainedSuggestion(
            external_id=record.external_id,
            model_version=number,
            grade=prediction.grade,
            confidence=prediction.score,
            effects=[_effect(mark, strongest, schema) for mark in prediction.explanation],
        )
        for task, record, prediction, number in rows
    ]


def _effect(mark: Mapping[str, Any], strongest: float, schema: LabelSchema) -> FieldEffect:
    contribution = float(mark["contribution"])
    return FieldEffect(
        name=mark["field"],
        contribution=contribution,
        share=abs(contribution) / strongest,
        pieces=split_value(mark["value"], mark.get("tokens") or ()),
        reason=with_titles(Message.from_json(mark["reason"]), schema),
    )


def split_value(value: str, tokens: Sequence[Mapping[str, Any]]) -> list[Piece]:
    """The whole value in order, cut where a token with a contribution begins or ends."""
    pieces: list[Piece] = []
    done = 0
    for token in sorted(tokens, key=lambda token: int(token["start"])):
        start, end = max(int(token["start"]), done), min(int(token["end"]), len(value))
        if start >= end:
            continue
        if start > done:
            pieces.append(Piece(value[done:start]))
        pieces.append(Piece(value[start:end], float(token["contribution"])))
        done = end
    if done < len(value):
        pieces.append(Piece(value[done:]))
    return pieces
