"""The columns of a dataset's own export: ours, then its fields."""

from collections.abc import Sequence

OWN_COLUMNS = ("external_id", "kind", "source", "observed_at", "is_current", "content_hash")
_FIELD = "field."


def column_names(fields: Sequence[str]) -> list[str]:
    """The exported columns in order; a field called like one of ours is ``field.NAME``."""
    return [*OWN_COLUMNS, *(f"{_FIELD}{name}" if name in OWN_COLUMNS else name for name in fields)]


def is_own_export(columns: Sequence[str]) -> bool:
    """True if a table with these columns was exported from a dataset."""
    return tuple(columns[: len(OWN_COLUMNS)]) == OWN_COLUMNS


def field_names(columns: Sequence[str]) -> dict[str, str]:
    """Column to field, for the columns of an own export that are fields."""
    names = columns[len(OWN_COLUMNS) :]
    fields = {name: name.removeprefix(_FIELD) for name in names}
    return {name: field if field in OWN_COLUMNS else name for name, field in fields.items()}
