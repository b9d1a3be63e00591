"""Datasets and records over HTTP."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from backend.core.dependencies import Engineer, ServicesDep, SessionDep, Viewer
from backend.core.request_body import LARGEST_NUMBER
from backend.core.responses import file_responses
from backend.core.services import Services
from backend.models import Record
from backend.records.export import MEDIA_TYPES, ExportFormat, export
from backend.records.schemas import DatasetCreate, DatasetPublic, RecordPage, RecordPublic
from backend.records.service import RecordsService, to_public

router = APIRouter(prefix="/api/v1/datasets", tags=["records"])


@router.post("", status_code=201)
def create_dataset(
    request: DatasetCreate, session: SessionDep, services: ServicesDep, principal: Engineer
) -> DatasetPublic:
    """Create an empty dataset; an import creates its dataset by itself."""
    dataset = RecordsService(session, services.clock).create_dataset(request, actor=principal.name)
    return to_public(dataset, 0)


@router.get("")
def list_datasets(
    session: SessionDep, services: ServicesDep, _principal: Viewer
) -> list[DatasetPublic]:
    """List the datasets, oldest first."""
    return RecordsService(session, services.clock).list_datasets()


@router.get("/{dataset_id}")
def get_dataset(
    dataset_id: int, session: SessionDep, services: ServicesDep, _principal: Viewer
) -> DatasetPublic:
    """Get one dataset."""
    service = RecordsService(session, services.clock)
    dataset = service.get_dataset(dataset_id)
    return to_public(dataset, service.count(dataset))


@router.get("/{dataset_id}/records")
def list_records(
    dataset_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Viewer,
    after: Annotated[
        int, Query(ge=0, le=LARGEST_NUMBER, description="the previous page's `after`")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    history: Annotated[bool, Query(description="earlier versions too")] = False,
) -> RecordPage:
    """List records in id order, a page at a time."""
    service = RecordsService(session, services.clock)
    service.get_dataset(dataset_id)
    rows = service.page(dataset_id, after=after, limit=limit, with_history=history)
    is_last = len(rows) < limit
    return RecordPage(
        records=[_public(row) for row in rows], after=None if is_last else rows[-1].id
    )


@router.get("/{dataset_id}/versions")
def list_versions(
    dataset_id: int,
    external_id: str,
    session: SessionDep,
    services: ServicesDep,
    _principal: Viewer,
) -> list[RecordPublic]:
    """List every version of one record, oldest first."""
    versions = RecordsService(session, services.clock).history(dataset_id, external_id)
    return [_public(row) for row in versions]


@router.get(
    "/{dataset_id}/export",
    response_class=StreamingResponse,
    responses=file_responses(MEDIA_TYPES.values()),
)
def export_records(
    dataset_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Viewer,
    format: Annotated[ExportFormat, Query()] = "csv",
    history: Annotated[bool, Query(description="earlier versions too")] = False,
) -> StreamingResponse:
    """Download the records as CSV, JSONL or Parquet."""
    dataset = RecordsService(session, services.clock).get_dataset(dataset_id)
    return StreamingResponse(
        _export_pieces(services, dataset_id, dataset.fields, format, history),
        media_type=MEDIA_TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="dataset-{dataset_id}.{format}"'},
    )


def _export_pieces(
    services: Services,
    dataset_id: int,
    fields: list[str],
    export_format: ExportFormat,
    with_history: bool,
) -> Iterator[bytes]:
    """In a session of its own: the request's is closed before the answer's body is sent."""
    with services.database.reading() as session:
        records: Iterator[Record] = RecordsService(session, services.clock).stream(
            dataset_id, with_history=with_history
        )
        yield from export(records, fields, export_format)


def _public(row: Record) -> RecordPublic:
    return RecordPublic.model_validate(row, from_attributes=True)
