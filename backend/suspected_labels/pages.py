"""The page on which leads read which labels to look at again."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from backend.core.dependencies import Lead, ServicesDep, SessionDep
from backend.core.language import language_of
from backend.core.request_body import LARGEST_OFFSET
from backend.projects.service import ProjectsService, label_schema_of
from backend.suspected_labels.picture import suspicion_picture
from backend.suspected_labels.schemas import FindingKind
from backend.suspected_labels.service import LabelFindings
from backend.web.rendering import render
from backend.words import N_

router = APIRouter(include_in_schema=False)

TABS: tuple[tuple[FindingKind, str], ...] = (
    ("suspects", N_("Suspected errors")),
    ("relabel", N_("Deserves one more annotator")),
    ("harmful", N_("Harmful")),
    ("redundant", N_("Redundant")),
    ("important", N_("Important")),
)
EXPLAINED: dict[FindingKind, str] = {
    "suspects": N_(
        "Labels that a classifier which did not see them contradicts, the most "
        "suspicious first. A suspicion is no proof: look at the record before changing a label."
    ),
    "relabel": N_("Records with a label where one more answer would tell most, best first."),
    "harmful": N_(
        "Suspected labels among those the classifier learns from; how much each harms was "
        "not measured."
    ),
    "redundant": N_(
        "Labels that are least in doubt; leaving this share out was measured to cost "
        "no more than the tolerance below."
    ),
    "important": N_("Labels whose removal was not shown to be free, the least certain first."),
    "all": "",
}
SHOWN_FIELDS = 4
"""Chosen: what fits beside a label in one row."""


@router.get("/projects/{project_id}/labels")
def labels_page(
    *,
    request: Request,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Lead,
    kind: FindingKind = "suspects",
    offset: Annotated[int, Query(ge=0, le=LARGEST_OFFSET)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 25,
) -> Response:
    """Suspected labels, what labels are worth, and where one more answer would help."""
    project = ProjectsService(session, services.clock).get(project_id)
    findings = LabelFindings(session, services.clock)
    schema = label_schema_of(project)
    titles = schema.titles(language_of(request))
    context = {
        "project": project,
        "titles": titles,
        "tabs": [
            # Every label could be asked about once more: a count would say nothing.
            (name, caption, None if name == "relabel" else findings.count(project_id, name))
            for name, caption in TABS
        ],
        "kind": kind,
        "explained": EXPLAINED[kind],
        "page": findings.page(project, kind, offset=offset, limit=limit),
        "offset": offset,
        "limit": limit,
        "shown_fields": SHOWN_FIELDS,
        "picture": suspicion_picture(findings.suspicions(project_id), schema.grades, titles),
    }
    return render(request, "findings/labels.html", context)


@router.post("/projects/{project_id}/labels")
def assess_now(
    project_id: int, session: SessionDep, services: ServicesDep, principal: Lead
) -> Response:
    """Judge the labels of the newest model version."""
    project = ProjectsService(session, services.clock).get(project_id)
    findings = LabelFindings(session, services.clock)
    findings.request(project, actor=principal.name)
    return RedirectResponse(f"/projects/{project_id}/labels", 303)
