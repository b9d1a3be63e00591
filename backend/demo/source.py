"""Where the demo's records come from, and what is true of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from backend.core.exceptions import InvalidInput, UnreadableSource
from backend.core.tabular import csv_pieces
from backend.demo.files import read_truth, write_csv
from backend.demo.records import generate
from backend.demo.reference import RuleReference
from backend.demo.retail import PairedTablesError, label_schema, read_pairs
from backend.demo.truth import DemoRecord, Truth
from backend.ingestion.mapping import RowMapper
from backend.ingestion.readers import open_reader
from backend.ingestion.schemas import ImportRequest
from backend.models import Record
from backend.projects.schemas import LONGEST_NAME, SHORTEST_NAME
from backend.words import Message
from labeling.exceptions import LabelSchemaInvalid
from labeling.label_schema import LabelSchema

SCHEMA_FILE = Path(__file__).with_name("label_schema.yaml")
ID_NAMES = ("record_id", "external_id", "id", "uuid", "key", "sku", "code", "asin")
LOOKED_AT = 10_000


@dataclass(frozen=True)
class SimulatedTruth:
    """What simulated annotators are near to, and where it comes from."""

    of: Callable[[Record], Truth]
    comes_from: str


@dataclass(frozen=True)
class DemoSource:
    """One file of records and how to read it; ``truth`` only where annotators are simulated."""

    dataset: str
    project: str
    file: Path
    id_column: str | None
    kind: str
    kind_column: str | None
    schema: LabelSchema
    truth: SimulatedTruth | None
    encoding: str | None = None


def generate_source(folder: Path, records: int, seed: int) -> DemoSource:
    """Generated e-commerce records in English and Chinese, errors injected, truth known."""
    file, truth_file = (
        folder / f"demo-{records}-{seed}.csv",
        folder / f"demo-{records}-{seed}.truth",
    )
    if not truth_file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = truth_file.with_suffix(".part")
        write_csv(file, generate(records, seed), unfinished)
        unfinished.rename(truth_file)
    truths = read_truth(truth_file)
    return DemoSource(
        dataset="demo-shop",
        project="Demo shop",
        file=file,
        id_column="record_id",
        kind="product",
        kind_column="kind",
        schema=LabelSchema.from_file(SCHEMA_FILE),
        truth=SimulatedTruth(
            lambda record: truths[record.external_id],
            "the generator's own record of the errors it injected",
        ),
    )


def paired_tables(data: Path, folder: Path, *, is_simulated: bool) -> DemoSource:
    """A folder with a dirty table and its clean twin.

    Raises:
        UnreadableSource: a table is missing or they do not match.
    """
    try:
        rows = list(read_pairs(data))
    except PairedTablesError as error:
        raise UnreadableSource(Message.of_error(error), field="--data", value=str(data)) from error
    truths = {row.record_id: row.truth for row in rows}
    fields = tuple(rows[0].fields)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{data.name}.csv"
    _write_pairs(file, rows, fields)
    return DemoSource(
        dataset=data.name,
        project=_project_name(data.name, is_simulated=is_simulated),
        file=file,
        id_column="record_id",
        kind="inventory",
        kind_column=None,
        schema=LabelSchema.model_validate(label_schema(fields)),
        truth=SimulatedTruth(
            lambda record: truths[record.external_id], "the clean table beside the dirty one"
        )
        if is_simulated
        else None,
    )


def own_file(
    data: Path,
    schema_file: Path | None,
    id_column: str | None,
    encoding: str | None = None,
    *,
    is_simulated: bool,
) -> DemoSource:
    """A user's CSV, Parquet or JSONL file; simulated people go by its grade column, or by rules.

    Raises:
        UnreadableSource: the file cannot be read.
        InvalidInput: there is no such id column, no column is left to label, or the label schema
            cannot be used or names columns that are not there.
    """
    with open_reader(data, encoding=encoding) as reader:
        columns = list(reader.columns)
        first = [row for _, row in islice(reader.rows(), LOOKED_AT)]
    if not first:
        raise UnreadableSource(
            Message("{data} holds no rows.", data=data), field="--data", value=str(data)
        )
    id_column = id_column or find_id_column(columns, first)
    request = ImportRequest(dataset=data.stem[:200], path=data, id_column=id_column)
    fields = RowMapper(request, tuple(columns), "record").fields
    if not fields:
        raise _nothing_to_label(data, columns)
    try:
        schema = (
            LabelSchema.from_file(schema_file, fields=fields)
            if schema_file
            else LabelSchema.default(fields)
        )
    except LabelSchemaInvalid as error:
        raise InvalidInput(
            Message.of_error(error), field="--label-schema", value=str(schema_file)
        ) from error
    unknown = [name for name in schema.fields if name not in fields]
    if unknown:
        raise InvalidInput(
            Message(
                "{schema_file} names fields that {data} does not have: {unknown}.",
                schema_file=schema_file,
                data=data,
                unknown=unknown,
            ),
            field="fields",
            value=unknown,
            remedy=Message("Its columns beside the id are: {fields}.", fields=fields),
        )
    has_grades = schema.grade.name in columns
    if has_grades:
        shown = tuple(name for name in schema.fields if name != schema.grade.name)
        if not shown:
            raise _nothing_to_label(data, columns)
        schema = schema.model_copy(update={"fields": shown})
    return DemoSource(
        dataset=data.stem[:200],
        project=_project_name(data.stem, is_simulated=is_simulated),
        file=data,
        id_column=id_column,
        kind="record",
        kind_column=None,
        schema=schema,
        truth=_reference(data, schema, encoding, has_grades=has_grades) if is_simulated else None,
        encoding=encoding,
    )


def _reference(
    data: Path, schema: LabelSchema, encoding: str | None, *, has_grades: bool
) -> SimulatedTruth:
    rules = RuleReference(_all_rows(data, encoding), schema)
    return SimulatedTruth(
        lambda record: rules.truth(record.external_id, record.fields),
        f"its column {schema.grade.name!r}"
        if has_grades
        else "rules: missing, oddly written and far-off values",
    )


def _project_name(records: str, *, is_simulated: bool) -> str:
    """Simulated answers are in a project of their own, apart from people's."""
    if is_simulated:
        return f"Demo {records}"[:LONGEST_NAME].rstrip()
    return (
        records[:LONGEST_NAME].rstrip() if len(records) >= SHORTEST_NAME else f"{records} records"
    )


def _nothing_to_label(data: Path, columns: list[str]) -> InvalidInput:
    return InvalidInput(
        Message(
            "{data} has no column to label beside the id and the grade: {columns}.",
            data=data,
            columns=columns,
        ),
        field="--data",
        value=str(data),
        remedy=Message("Give a file with at least one more column."),
    )


def find_id_column(columns: list[str], rows: Iterable[Mapping[str, Any]]) -> str | None:
    """The column that names each row: usual name, every value there and unlike the others."""
    sample = list(rows)
    by_name = {name.lower(): name for name in columns}
    for candidate in ID_NAMES:
        name = by_name.get(candidate)
        if name is None:
            continue
        values = [str(row.get(name) or "") for row in sample]
        if all(values) and len(set(values)) == len(values):
            return name
    return None


def _all_rows(data: Path, encoding: str | None) -> Iterable[Mapping[str, Any]]:
    with open_reader(data, encoding=encoding) as reader:
        for _, row in reader.rows():
            yield row


def _write_pairs(file: Path, rows: list[DemoRecord], fields: tuple[str, ...]) -> None:
    table = ([row.record_id, *(row.fields[name] for name in fields)] for row in rows)
    with file.open("wb") as out:
        out.writelines(csv_pieces(["record_id", *fields], table, has_mark=False))
