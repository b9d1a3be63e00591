"""One export as the bytes of one file."""

from collections.abc import Iterable, Iterator

from backend.core.tabular import csv_pieces, json_lines, parquet_pieces
from backend.label_exchange.columns import Layout, as_object
from backend.label_exchange.label_studio_json import label_studio_pieces
from backend.label_exchange.schemas import AnnotationRow, ExportRequest, LabelRow
from labeling.label_schema import LabelSchema


def layout_of(request: ExportRequest, fields: list[str]) -> Layout:
    """The columns that the request's rows have."""
    return Layout(AnnotationRow if request.what == "annotations" else LabelRow, fields)


def file_pieces(
    rows: Iterable[LabelRow | AnnotationRow],
    request: ExportRequest,
    fields: list[str],
    schema: LabelSchema,
) -> Iterator[bytes]:
    """The file's bytes, piece by piece, for every format that is one file.

    JSON lines are nested; in CSV and Parquet the record's fields are columns of their own and
    objects are JSON text; so are lists in CSV. No cell of the CSV is run as a formula by a
    spreadsheet (``backend.core.tabular_cells.original_text`` undoes that, as every import does).
    """
    layout = layout_of(request, fields)
    if request.format == "csv":
        header = [column.name for column in layout.columns]
        values = map(layout.values, rows)
        return csv_pieces(header, values, has_mark=request.byte_order_mark)
    if request.format == "parquet":
        return parquet_pieces(layout.arrow_schema(), map(layout.values, rows))
    if request.format == "label_studio":
        return label_studio_pieces(rows, schema)
    assert request.format == "jsonl"
    return json_lines(map(as_object, rows))
