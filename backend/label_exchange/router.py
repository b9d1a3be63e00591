"""Exports of labels, and imports of Label Studio's own exports, over HTTP."""

import shutil
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, File, Query, UploadFile
from fastapi.responses import FileResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

from backend.core.dependencies import Engineer, ServicesDep, SessionDep
from backend.core.responses import file_responses, problem_responses
from backend.core.services import Services
from backend.label_exchange.files import zip_export
from backend.label_exchange.formats import file_pieces
from backend.label_exchange.schemas import (
    MEDIA_TYPES,
    SUFFIXES,
    ExportRequest,
    QueuedLabelImport,
)
from backend.label_exchange.service import Exports, check_names
from backend.label_exchange.uploads import queue_import
from backend.models import Project
from backend.projects.service import ProjectsService, label_schema_of

router = APIRouter(
    prefix="/api/v1/projects/{project_id}",
    tags=["exchange"],
)


@router.get(
    "/exports",
    response_class=StreamingResponse,
    responses={**file_responses(MEDIA_TYPES.values()), **problem_responses(507)},
)
def export_labels(
    *,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    principal: Engineer,
    request: Annotated[ExportRequest, Query()],
) -> Response:
    """Download labels with their lineage: one file, or a zip of a Hugging Face folder.

    Without `pseudonyms` it tells who answered what and needs the role lead.
    """
    check_names(principal, request)
    project = ProjectsService(session, services.clock).get(project_id)
    Exports(session, services.clock, project).check(request)
    name = f"{request.what}-{project_id}"
    if request.format == "huggingface":
        path = zip_export(services, project, request)
        return FileResponse(
            path,
            media_type=MEDIA_TYPES["zip"],
            filename=f"{name}.zip",
            background=BackgroundTask(shutil.rmtree, path.parent, ignore_errors=True),
        )
    return StreamingResponse(
        _export_pieces(services, project, request),
        media_type=MEDIA_TYPES[request.format],
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{SUFFIXES[request.format]}"'
        },
    )


@router.post("/label-imports", status_code=202, responses=problem_responses(507))
def import_labels(
    *,
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    principal: Engineer,
    file: Annotated[UploadFile, File(description="Label Studio's export of type JSON")],
    mapping: Annotated[
        UploadFile | None, File(description="YAML or JSON: what its questions mean here")
    ] = None,
) -> QueuedLabelImport:
    """Upload another Label Studio project's export; a job takes its labels into this project."""
    project = ProjectsService(session, services.clock).get(project_id)
    return QueuedLabelImport(
        job_id=queue_import(session, services, principal.name, project, file, mapping)
    )


def _export_pieces(services: Services, project: Project, request: ExportRequest) -> Iterator[bytes]:
    """In a session of its own: the request's is closed before the answer's body is sent."""
    with services.database.reading() as session:
        exports = Exports.at_one_moment(session, services.clock, project)
        fields, schema = list(exports.dataset.fields), label_schema_of(project)
        yield from file_pieces(exports.rows(request), request, fields, schema)
