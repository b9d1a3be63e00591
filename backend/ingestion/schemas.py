"""What to import and how, and what came of it."""

from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from backend.core.exceptions import InvalidInput
from backend.records.content import ValueType
from backend.words import Message, Said

FileFormat = Literal["csv", "jsonl", "parquet"]
SourceFormat = FileFormat | Literal["sql"]
MAX_SHOWN = 200
"""Characters of a rejected value. Chosen: it stays readable."""
IMPORT_JOB = "ingestion.import"


class ImportRequest(BaseModel):
    """One source, and which of its columns mean what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = Field(min_length=1, max_length=200, description="created if it is not there")
    path: Path | None = Field(None, description="CSV, JSONL or Parquet file; .gz is fine")
    url: str | None = Field(None, repr=False, description="SQLAlchemy URL of a database")
    table: str | None = Field(None, description="its table, or SCHEMA.TABLE")
    format: SourceFormat | None = Field(None, description="none: by suffix and content")
    encoding: str | None = Field(None, description="none: UTF-8")
    delimiter: str | None = Field(None, max_length=1, description="none: by the header line")
    id_column: str | None = Field(None, description="external id; none: the line number is it")
    kind_column: str | None = None
    kind: str | None = Field(None, max_length=50, description="of rows without a kind column")
    observed_at_column: str | None = None
    source: str | None = Field(
        None, max_length=1000, description="none: the file's or table's name"
    )
    renames: dict[str, str] = Field(default_factory=dict, description="column to field name")
    columns: list[str] | None = Field(None, description="columns to keep as fields; none: all")
    strict: bool = Field(False, description="keep nothing if any row is rejected")

    @model_validator(mode="after")
    def one_source(self) -> Self:
        if (self.path is None) == (self.url is None) or (self.url is None) != (self.table is None):
            raise InvalidInput(
                Message("Name either a file, or a database URL and a table."),
                field="path",
                value=str(self.path) if self.path else None,
                remedy=Message("Give FILE, or --url URL --table TABLE."),
            )
        return self


class Reject(BaseModel):
    """One row that an import refused, and why; ``line`` counts from 1, the header included."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    line: int
    field: str | None
    value: str | None
    reason: Said


class Understood(BaseModel):
    """How the source was read, so that nothing happens to it in silence."""

    encoding: str | None = Field(None, description="of a text file")
    delimiter: str | None = Field(None, description="of CSV")
    types: dict[str, ValueType] = Field(
        default_factory=dict, description="columns that the source calls numbers, times, booleans"
    )
    left_out: list[str] = Field(
        default_factory=list, description="columns that became no part of the records unasked"
    )
    is_own_export: bool = Field(False, description="a dataset's own export, whose columns we know")
    ids_from_floats: int = Field(0, description="ids such as 1001.0 that were taken as 1001")
    ids_as_before: int = Field(
        0, description="of these, ids that stay 1001.0 because the dataset has them so"
    )
    restored_cells: int = Field(
        0, description="cells without the apostrophe that kept spreadsheets from running them"
    )

    def sentences(self) -> list[str]:
        """What a person should know of it, a sentence each."""
        named = [f"{name} ({kind})" for name, kind in self.types.items()]
        sentences: list[tuple[object, str]] = [
            (self.encoding, self._text_form()),
            (named, Message("Typed by the source: {columns}.", columns=named)),
            (
                self.is_own_export,
                Message("It is an export of a dataset: ids, kinds and times are taken from it."),
            ),
            (
                self.left_out,
                Message(
                    "Left out: {columns}; name them as columns to keep them.",
                    columns=self.left_out,
                ),
            ),
            (
                self.ids_from_floats,
                Message.ngettext(
                    "{n:,} id was a float (1001.0) and became the whole number (1001).",
                    "{n:,} ids were floats (1001.0) and became the whole number (1001).",
                    n=self.ids_from_floats,
                ),
            ),
            (
                self.ids_as_before,
                Message.ngettext(
                    "{n:,} of them stays as the dataset has it (1001.0).",
                    "{n:,} of them stay as the dataset has them (1001.0).",
                    n=self.ids_as_before,
                ),
            ),
            (
                self.restored_cells,
                Message.ngettext(
                    "{n:,} cell had an apostrophe before what a spreadsheet would run; it was "
                    "taken away.",
                    "{n:,} cells had an apostrophe before what a spreadsheet would run; it was "
                    "taken away.",
                    n=self.restored_cells,
                ),
            ),
        ]
        return [sentence for is_so, sentence in sentences if is_so]

    def _text_form(self) -> Message:
        if self.delimiter is None:
            return Message("Read as {encoding}.", encoding=self.encoding)
        return Message(
            "Read as {encoding}, cells separated by {delimiter!r}.",
            encoding=self.encoding,
            delimiter=self.delimiter,
        )


class ImportReport(BaseModel):
    """What became of every row; the rejected ones are listed by themselves."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    dataset_id: int
    source: str
    format: str
    status: str = Field(description="running, done or failed")
    rows_read: int
    rows_new: int
    rows_changed: int
    rows_unchanged: int
    rows_rejected: int
    error: Said | None
    understood: Understood | None = Field(description="how the source was read")
    started_at: datetime
    finished_at: datetime | None


def short_value(value: object) -> str | None:
    """``value`` as a reject shows it: short, and storable in any database."""
    if value is None:
        return None
    text = str(value)
    text = text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")
