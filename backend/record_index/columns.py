"""All columns of a dataset's current records, as they were at one generation."""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.core.exceptions import InvalidInput
from backend.record_index.column import ColumnFiles, Mask, RecordColumn, ValueCounts, array_on_disk
from backend.record_index.value_spool import EXTERNAL_ID, KIND, column_of_field
from backend.words import Message

LIST, IDS, IMPORTS, CREATED = "columns.json", "ids.i64", "imports.i64", "created.i64"


@dataclass(frozen=True)
class ColumnsList:
    """What lies in a folder of columns."""

    generation: int
    fields: list[str]
    numbers: list[str]
    columns: list[ColumnFiles]

    def write(self, folder: Path) -> None:
        """It is in the folder, which is whole now."""
        (folder / LIST).write_text(json.dumps(asdict(self), ensure_ascii=False), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> "ColumnsList":
        """Of that folder.

        Raises:
            FileNotFoundError: it is gone.
        """
        held = json.loads((folder / LIST).read_text("utf-8"))
        columns = [ColumnFiles(**column) for column in held["columns"]]
        return cls(held["generation"], held["fields"], held["numbers"], columns)


class RecordColumns:
    """The current records of a dataset by ascending id, a row each, read by memory map.

    It stays as it is when its folder is replaced or deleted. Rows and masks of one are of no use
    with another.

    Attributes:
        generation: of the dataset, that it was made of.
        fields: that can be asked for.
        ids: (n,) record ids, ascending.
        import_ids: (n,) the import that brought this version, -1 where none did.
        created_at: (n,) when this version came, in microseconds since 1970.
        kinds: what kind of record.
        external_ids: the records' own names.

    Raises:
        FileNotFoundError: the folder is gone.
    """

    def __init__(self, folder: Path) -> None:
        held = ColumnsList.read(folder)
        self.generation, self.fields = held.generation, tuple(held.fields)
        self.ids: NDArray[np.int64] = array_on_disk(folder / IDS, "<i8")
        self.import_ids: NDArray[np.int64] = array_on_disk(folder / IMPORTS, "<i8")
        self.created_at: NDArray[np.int64] = array_on_disk(folder / CREATED, "<i8")
        self._columns = {files.name: RecordColumn(folder, files) for files in held.columns}
        self.kinds = self._columns[KIND]
        self.external_ids = self._columns[EXTERNAL_ID]

    def __len__(self) -> int:
        return len(self.ids)

    def column(self, field: str) -> RecordColumn:
        """The field's.

        Raises:
            InvalidInput: there is no such field.
        """
        found = self._columns.get(column_of_field(field))
        if found is None:
            raise InvalidInput(
                Message("These records have no field {field!r}.", field=field),
                field="field",
                value=field,
                remedy=Message("Their fields are: {fields}.", fields=list(self.fields)),
            )
        return found

    def rows(self, record_ids: NDArray[np.int64]) -> NDArray[np.intp]:
        """(m,) rows of these records, -1 where they are not among them."""
        if not len(self.ids):
            return np.full(len(record_ids), -1, dtype=np.intp)
        places = np.minimum(np.searchsorted(self.ids, record_ids), len(self.ids) - 1)
        return np.where(self.ids[places] == record_ids, places, -1)

    def mask(self, record_ids: NDArray[np.int64]) -> Mask:
        """(n,) True for these records; others are passed over."""
        rows = self.rows(record_ids)
        mask = np.zeros(len(self), dtype=bool)
        mask[rows[rows >= 0]] = True
        return mask

    def equal(self, field: str, value: str | float) -> Mask:
        """Records with that value; :class:`RecordColumn` says more, also of the others."""
        return self._comparable(field).equal(value)

    def one_of(self, field: str, values: Collection[str | float]) -> Mask:
        """Records with one of these values."""
        return self._comparable(field).one_of(values)

    def between(self, field: str, low: str | float | None, high: str | float | None) -> Mask:
        """Records whose value is neither less than ``low`` nor more than ``high``."""
        return self._comparable(field).between(low, high)

    def _comparable(self, field: str) -> RecordColumn:
        column = self.column(field)
        if column.form == "long":
            raise InvalidInput(
                Message(
                    "The field {field!r} has long texts, which cannot be compared.", field=field
                ),
                field="field",
                value=field,
                remedy=Message("Search their words."),
            )
        return column

    def without_value(self, field: str) -> Mask:
        """Records without a value."""
        return self.column(field).without_value()

    def order(self, field: str, *, descending: bool = False) -> NDArray[np.intp]:
        """(n,) rows by value, those without one last."""
        return self.column(field).order(descending=descending)

    def newest(self) -> NDArray[np.intp]:
        """(n,) rows, those whose version came last first."""
        order: NDArray[np.intp] = np.lexsort((self.ids, self.created_at))[::-1]
        return order

    def counts(self, field: str, mask: Mask | None = None, top: int = 20) -> ValueCounts:
        """How often the field's values occur among these records, or all."""
        return self.column(field).counts(mask, top)

    def histogram(
        self, field: str, mask: Mask | None = None, bins: int = 20
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """(bins + 1,) edges, (bins,) records between them."""
        return self.column(field).histogram(mask, bins)
