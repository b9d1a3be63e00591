"""Rows that came from the server, as the data frame one works with."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from assay_client.exceptions import PackageMissing

if TYPE_CHECKING:
    import datasets
    import pandas
    import polars

RECORD_FIELDS = "fields"


class Table(Sequence[dict[str, Any]]):
    """Rows in their order. A row is a dictionary, nested as the server sent it.

    As a data frame the record's fields are columns of their own; one that is called like another
    column is ``field.NAME``.

    >>> table = Table([{"external_id": "1", "grade": "good", "fields": {"title": "Mug"}}])
    >>> table[0]["fields"]["title"], len(table)
    ('Mug', 1)
    >>> table.flat()
    [{'external_id': '1', 'grade': 'good', 'title': 'Mug'}]
    """

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self._rows = list(rows)

    @classmethod
    def of_json_lines(cls, content: bytes) -> "Table":
        """The table that an export as JSON lines holds."""
        return cls([json.loads(line) for line in content.splitlines() if line.strip()])

    def flat(self) -> list[dict[str, Any]]:
        """The rows with the record's fields beside the other columns; all have the same names."""
        own, fields = dict[str, None](), dict[str, None]()
        for row in self._rows:
            own |= dict.fromkeys(name for name in row if not _is_record(row, name))
            fields |= dict.fromkeys(_record(row))
        named = {name: f"field.{name}" if name in own else name for name in fields}
        return [
            {name: row.get(name) for name in own}
            | {column: _record(row).get(name) for name, column in named.items()}
            for row in self._rows
        ]

    def to_pandas(self) -> "pandas.DataFrame":
        """A ``pandas.DataFrame``; columns called ``…_at`` are times in UTC.

        Raises:
            PackageMissing: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise PackageMissing("pandas") from error
        frame = pd.DataFrame(self.flat())
        for name in frame.columns:
            if name.endswith("_at") and not frame[name].isna().all():
                frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")
        return frame

    def to_polars(self) -> "polars.DataFrame":
        """A ``polars.DataFrame``; times are text, objects are JSON.

        Raises:
            PackageMissing: polars is not installed.
        """
        try:
            import polars as pl
        except ImportError as error:
            raise PackageMissing("polars") from error
        return pl.DataFrame(_plain(self.flat()), infer_schema_length=None, strict=False)

    def to_datasets(self) -> "datasets.Dataset":
        """A Hugging Face ``datasets.Dataset``; times are text, objects are JSON.

        Raises:
            PackageMissing: datasets is not installed.
        """
        try:
            import datasets as hf
        except ImportError as error:
            raise PackageMissing("datasets") from error
        return hf.Dataset.from_list(_plain(self.flat()))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: Any) -> Any:
        return self._rows[place]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._rows)

    def __repr__(self) -> str:
        names = ", ".join(self._rows[0]) if self._rows else "no columns"
        return f"<Table of {len(self)} rows: {names}>"


def _is_record(row: dict[str, Any], name: str) -> bool:
    return name == RECORD_FIELDS and isinstance(row.get(name), dict)


def _record(row: dict[str, Any]) -> dict[str, Any]:
    return row[RECORD_FIELDS] if _is_record(row, RECORD_FIELDS) else {}


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Objects as JSON: their names differ from row to row, and a column has one type."""
    return [{name: _text_of_object(value) for name, value in row.items()} for row in rows]


def _text_of_object(value: Any) -> Any:
    is_object = isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(each, dict | list) for each in value)
    )
    return json.dumps(value, ensure_ascii=False) if is_object else value
