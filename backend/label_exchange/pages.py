"""The page on which leads take labels out, and bring labels of other projects in."""

from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from backend.core.dependencies import Lead, ServicesDep, SessionDep
from backend.core.language import language_of
from backend.ingestion.reports import ImportsService
from backend.jobs.queue import list_recent
from backend.label_exchange.label_import import FORMAT
from backend.label_exchange.schemas import IMPORT_LABELS, ExportFormat, What
from backend.label_exchange.service import Exports
from backend.label_exchange.uploads import queue_import
from backend.projects.service import ProjectsService, label_schema_of
from backend.web.rendering import render
from backend.words import N_

router = APIRouter(include_in_schema=False)

CHOICES: tuple[tuple[What, str], ...] = (
    ("best", N_("Best: gold, else consensus")),
    ("gold", N_("Gold: decided on the review desk")),
    ("consensus", N_("Consensus of the answers")),
    ("annotations", N_("Every answer by itself")),
)
FORMATS: tuple[tuple[ExportFormat, str], ...] = (
    ("jsonl", N_("JSON lines")),
    ("csv", N_("CSV (for Excel too)")),
    ("parquet", N_("Parquet")),
    ("huggingface", N_("Hugging Face dataset (zip)")),
    ("label_studio", N_("Label Studio JSON")),
)
QUEUED = N_("The file is being imported. Its report appears below when it is done.")
SHOWN_IMPORTS = 10
"""Chosen: the latest."""
SHOWN_JOBS = 5
"""Chosen: the latest."""
OPEN_STATUSES = ("queued", "running", "waiting")


@router.get("/projects/{project_id}/exports")
def exports_page(
    *,
    request: Request,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Lead,
    queued: bool = False,
) -> Response:
    """What can be exported, and what became of the latest imports of labels."""
    project = ProjectsService(session, services.clock).get(project_id)
    exports = Exports(session, services.clock, project)
    recent = ImportsService(session).list_recent(dataset_id=project.dataset_id)
    # What an import says of itself is a row once the file could be read; before, it is a job.
    jobs = list_recent(session, project_id=project_id, name=IMPORT_LABELS, limit=SHOWN_JOBS)
    context = {
        "project": project,
        "jobs": [
            each
            for place, each in enumerate(jobs)
            if each.status in OPEN_STATUSES or (place == 0 and each.status == "failed")
        ],
        "is_importing": any(each.status in OPEN_STATUSES for each in jobs),
        "counts": exports.counts(),
        "kinds": exports.kinds(),
        "titles": label_schema_of(project).titles(language_of(request)),
        "choices": CHOICES,
        "formats": FORMATS,
        "imports": [each for each in recent if each.format == FORMAT][:SHOWN_IMPORTS],
        "notice": QUEUED if queued else None,
    }
    return render(request, "exchange/exports.html", context, fragment="imports")


@router.post("/projects/{project_id}/exports")
def upload_labels(
    *,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    principal: Lead,
    file: Annotated[UploadFile, File()],
    mapping: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Queue the import of an uploaded Label Studio export."""
    project = ProjectsService(session, services.clock).get(project_id)
    queue_import(session, services, principal.name, project, file, mapping)
    return RedirectResponse(f"/projects/{project_id}/exports?queued=true", 303)
