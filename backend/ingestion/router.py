"""Uploads, imports and their reports over HTTP."""

from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from backend.core.dependencies import Engineer, ServicesDep, SessionDep, Viewer
from backend.core.request_body import Flag, RowNumber
from backend.core.responses import file_responses, problem_responses
from backend.core.services import Services
from backend.ingestion.reports import ImportsService, rejects_csv
from backend.ingestion.schemas import IMPORT_JOB, FileFormat, ImportReport, ImportRequest
from backend.ingestion.uploads import UPLOADS, check_upload, store_upload
from backend.jobs import queue

router = APIRouter(prefix="/api/v1/imports", tags=["imports"])


class QueuedImport(BaseModel):
    """The job that imports the upload; its result is the report."""

    job_id: str


@router.post("", status_code=202, responses=problem_responses(507))
def upload(
    session: SessionDep,
    services: ServicesDep,
    principal: Engineer,
    file: Annotated[UploadFile, File(description="CSV, JSONL or Parquet; .gz is fine")],
    dataset: Annotated[str, Form(min_length=1, max_length=200)],
    id_column: Annotated[str | None, Form()] = None,
    kind: Annotated[str | None, Form(max_length=50)] = None,
    kind_column: Annotated[str | None, Form()] = None,
    observed_at_column: Annotated[str | None, Form()] = None,
    format: Annotated[FileFormat | None, Form()] = None,
    encoding: Annotated[str | None, Form()] = None,
    delimiter: Annotated[str | None, Form(max_length=1)] = None,
    columns: Annotated[list[str] | None, Form(description="to keep as fields; none: all")] = None,
    strict: Annotated[Flag, Form()] = False,
) -> QueuedImport:
    """Upload a file; a job imports it. The dataset is created if it is not there.

    A file that is not what it claims to be, or in another encoding, is refused at once; the
    remedy names the likeliest encoding and how the first lines would read in it.
    """
    name = file.filename or "upload"
    path = store_upload(services.settings.data_dir / UPLOADS, name, file.file)
    request = ImportRequest(
        dataset=dataset,
        path=path,
        source=path.name,
        id_column=id_column or None,
        kind=kind or None,
        kind_column=kind_column or None,
        observed_at_column=observed_at_column or None,
        format=format,
        encoding=encoding or None,
        delimiter=delimiter or None,
        columns=columns or None,
        strict=strict,
    )
    check_upload(request)
    args = {"request": request.model_dump(mode="json"), "actor": principal.name}
    return QueuedImport(job_id=queue.enqueue(session, IMPORT_JOB, args=args, now=services.clock()))


@router.get("")
def list_imports(
    session: SessionDep,
    _principal: Viewer,
    dataset_id: RowNumber | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[ImportReport]:
    """List the latest imports, newest first."""
    return ImportsService(session).list_recent(dataset_id=dataset_id, limit=limit)


@router.get("/{import_id}")
def get_report(import_id: int, session: SessionDep, _principal: Viewer) -> ImportReport:
    """Get what became of an import's rows."""
    return ImportsService(session).report(import_id)


@router.get(
    "/{import_id}/rejects",
    response_class=StreamingResponse,
    responses=file_responses(["application/json", "text/csv"]),
)
def get_rejects(
    import_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Viewer,
    format: Annotated[Literal["json", "csv"], Query()] = "json",
) -> StreamingResponse:
    """Download every rejected row with line, field, value and reason."""
    ImportsService(session).report(import_id)
    if format == "csv":
        return StreamingResponse(rejects_csv(services, import_id), media_type="text/csv")
    return StreamingResponse(_rejects_json(services, import_id), media_type="application/json")


def _rejects_json(services: Services, import_id: int) -> Iterator[str]:
    """In a session of its own: the request's is closed before the answer's body is sent."""
    separator = "["
    with services.database.reading() as session:
        for reject in ImportsService(session).rejects(import_id):
            yield separator + reject.model_dump_json()
            separator = ",\n"
    yield "[]" if separator == "[" else "]"
