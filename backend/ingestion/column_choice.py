"""Which columns of a source an import takes, and as what."""

from typing import NamedTuple

from backend.ingestion.schemas import ImportRequest
from backend.records.content import is_index_column
from backend.records.export_columns import field_names, is_own_export

EXTERNAL_ID, KIND, OBSERVED_AT = "external_id", "kind", "observed_at"
IS_CURRENT = "is_current"


class ColumnChoice(NamedTuple):
    """A request whose columns are all decided.

    ``fields`` are (column, name of the field); ``left_out`` the columns that become nothing
    although nobody said so; ``current_column`` says whether a row is a record's current version.
    """

    request: ImportRequest
    fields: list[tuple[str, str]]
    left_out: tuple[str, ...]
    current_column: str | None


def choose_columns(request: ImportRequest, columns: tuple[str, ...]) -> ColumnChoice:
    """What the request asks for, and where it is silent what is usual.

    The columns of id, kind and observed time are no fields, nor are index columns that pandas
    made. A dataset's own export is taken for what it is, unless the request names another id or
    the columns to keep.
    """
    is_own = (
        is_own_export(columns)
        and request.columns is None
        and request.id_column in (None, EXTERNAL_ID)
    )
    renames = request.renames
    if is_own:
        renames = {**field_names(columns), **renames}
        request = request.model_copy(
            update={
                "id_column": EXTERNAL_ID,
                "kind_column": request.kind_column or KIND,
                "observed_at_column": request.observed_at_column or OBSERVED_AT,
            }
        )
    parts = {request.id_column, request.kind_column, request.observed_at_column}
    if request.columns is not None:
        kept, left_out = list(dict.fromkeys(request.columns)), []
    else:
        rest = [name for name in columns if name not in parts]
        left_out = [
            name
            for name in rest
            if (name not in renames if is_own else is_index_column(name))
            and name not in request.renames
        ]
        kept = [name for name in rest if name not in left_out]
    return ColumnChoice(
        request=request,
        fields=[(name, renames.get(name, name)) for name in kept],
        left_out=tuple(left_out),
        current_column=IS_CURRENT if is_own else None,
    )
