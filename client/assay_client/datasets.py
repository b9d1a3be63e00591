"""Datasets and their records."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from assay_client.exceptions import RowsUnreadable
from assay_client.models import (
    AddedRecords,
    Dataset,
    ImportReport,
    Job,
    Queued,
    Record,
    RecordPage,
    Reject,
)
from assay_client.operation import Flow, Room, Way, operation
from assay_client.reading import read, read_list
from assay_client.references import (
    DATASETS,
    DatasetRef,
    ProjectRef,
    dataset_name,
    dataset_path,
    find_dataset,
    find_project,
)
from assay_client.rows import Rows, json_lines, rows_of
from assay_client.table import Table

FileFormat = Literal["csv", "jsonl", "parquet"]
IMPORTS = "/api/v1/imports"
Versions = list[Record]
Rejects = list[Reject]
MOST_AT_ONCE = 1_000
"""Records that one request takes; more of them are an import."""


class Datasets(Room[Way]):
    """``assay.datasets``. A dataset is named by its object, its id or its name."""

    @operation
    def create(
        self, name: str, *, kind: str = "record", fields: Sequence[str] = ()
    ) -> Flow[Dataset]:
        """A new, empty dataset; ``add`` makes its dataset by itself.

        Example::

            assay.datasets.create("shop", kind="product", fields=["title", "price"])

        Raises:
            Conflict: the name is taken.
        """
        body = {"name": name, "kind": kind, "fields": list(fields)}
        return read(Dataset, (yield from self._fetch("POST", DATASETS, json=body)))

    @operation
    def list(self) -> Flow[list[Dataset]]:
        """All datasets, oldest first."""
        return read_list(Dataset, (yield from self._fetch("GET", DATASETS)))

    @operation
    def get(self, dataset: DatasetRef) -> Flow[Dataset]:
        """The dataset as it is now.

        Raises:
            NotFound: there is none.
        """
        return (yield from find_dataset(dataset, self._runner.tries))

    @operation
    def add(
        self,
        dataset: DatasetRef,
        rows: Rows,
        *,
        id_column: str,
        kind: str | None = None,
        kind_column: str | None = None,
        observed_at_column: str | None = None,
        columns: Sequence[str] | None = None,
        strict: bool = False,
        source: str = "assay-client",
    ) -> Flow[Job]:
        """Any number of records, by import: a job takes them in.

        What the dataset has already is changed where it differs; adding the same again changes
        nothing. Wait for the job with ``jobs.wait``, then ask ``report`` what became of the rows.

        Example::

            job = assay.jobs.wait(assay.datasets.add("shop", frame, id_column="sku"))
            print(assay.datasets.report(job).rows_new)

        Args:
            dataset: made if nothing is called so.
            rows: a pandas or polars data frame, a Hugging Face dataset, or dictionaries.
            id_column: holds what a record is known by outside.
            kind: of all rows, such as ``product``.
            kind_column: holds each row's kind.
            observed_at_column: holds when the row was true.
            columns: to keep as fields; None: all.
            strict: keep nothing if any row is refused.
            source: what the records say about where they come from.

        Raises:
            RowsUnreadable: there are no rows.
            InvalidInput: a column is not there.
        """
        form = {
            "dataset": (yield from dataset_name(dataset, self._runner.tries)),
            "id_column": id_column,
            "kind": kind,
            "kind_column": kind_column,
            "observed_at_column": observed_at_column,
            "columns": None if columns is None else list(columns),
            "strict": "true" if strict else "false",
            "format": "jsonl",
        }
        with json_lines(rows) as file:
            name = f"{source}.jsonl.gz"
            answer = yield from self._fetch("POST", IMPORTS, data=form, file=(name, file))
        path = f"/api/v1/jobs/{read(Queued, answer).job_id}"
        return read(Job, (yield from self._fetch("GET", path)))

    @operation
    def add_records(
        self,
        dataset: DatasetRef,
        rows: Rows,
        *,
        id_column: str,
        score_by: ProjectRef | None = None,
    ) -> Flow[AddedRecords]:
        """At most 1,000 records, at once; with ``score_by`` a project's verdicts on them, too.

        Example::

            added = assay.datasets.add_records("shop", [{"sku": "17", "title": "Mug"}],
                                               id_column="sku", score_by="Shop catalogue")

        Raises:
            RowsUnreadable: there are no rows, too many, or one without an id.
            NotFound: there is no such dataset or project.
        """
        body = {"records": _with_ids(rows, id_column)}
        params: dict[str, Any] = {}
        if score_by is not None:
            project = yield from find_project(score_by, self._runner.tries)
            params = {"score": "true", "project": project.id}
        path = yield from dataset_path(dataset, self._runner.tries)
        answer = yield from self._fetch("POST", f"{path}/records", json=body, params=params)
        return read(AddedRecords, answer)

    @operation
    def records(
        self, dataset: DatasetRef, *, after: int = 0, limit: int = 100, history: bool = False
    ) -> Flow[RecordPage]:
        """A page of records in the order of their ids; ``after`` is the last page's.

        Args:
            history: earlier versions, too.
        """
        path = yield from dataset_path(dataset, self._runner.tries)
        params = {"after": after, "limit": limit, "history": str(history).lower()}
        return read(RecordPage, (yield from self._fetch("GET", f"{path}/records", params=params)))

    @operation
    def versions(self, dataset: DatasetRef, external_id: str) -> Flow[Versions]:
        """Every version of one record, oldest first."""
        path = yield from dataset_path(dataset, self._runner.tries)
        params = {"external_id": external_id}
        answer = yield from self._fetch("GET", f"{path}/versions", params=params)
        return read_list(Record, answer)

    @operation
    def table(self, dataset: DatasetRef, *, history: bool = False) -> Flow[Table]:
        """All records, to be made a data frame.

        Example::

            frame = assay.datasets.table("shop").to_pandas()
        """
        path = yield from dataset_path(dataset, self._runner.tries)
        params = {"format": "jsonl", "history": str(history).lower()}
        answer = yield from self._fetch("GET", f"{path}/export", params=params)
        return Table.of_json_lines(answer.content)

    @operation
    def download(
        self,
        dataset: DatasetRef,
        file: Path | str,
        *,
        format: FileFormat = "parquet",
        history: bool = False,
    ) -> Flow[Path]:
        """All records in a file, which is whole or not there; its path."""
        path = yield from dataset_path(dataset, self._runner.tries)
        params = {"format": format, "history": str(history).lower()}
        target = Path(file)
        yield from self._fetch("GET", f"{path}/export", params=params, save_to=target)
        return target

    @operation
    def report(self, job: Job) -> Flow[ImportReport]:
        """What became of the rows of an import whose job is done.

        Raises:
            RowsUnreadable: the job is no import, or not done.
        """
        number = _import_of(job)
        return read(ImportReport, (yield from self._fetch("GET", f"{IMPORTS}/{number}")))

    @operation
    def rejects(self, job: Job) -> Flow[Rejects]:
        """The rows that an import refused, each with its reason.

        Raises:
            RowsUnreadable: the job is no import, or not done.
        """
        number = _import_of(job)
        return read_list(Reject, (yield from self._fetch("GET", f"{IMPORTS}/{number}/rejects")))


def _import_of(job: Job) -> int:
    number = (job.result or {}).get("id")
    if job.name != "ingestion.import" or not isinstance(number, int):
        raise RowsUnreadable(f"Job {job.id} ({job.name}, {job.status}) has no report of an import.")
    return number


def _with_ids(rows: Rows, id_column: str) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    for row in rows_of(rows):
        if row.get(id_column) is None:
            raise RowsUnreadable(
                f"Row {len(records) + 1} has no {id_column!r}; every row needs one."
            )
        records.append({"external_id": _id_text(row.pop(id_column)), "fields": row})
        if len(records) > MOST_AT_ONCE:
            raise RowsUnreadable(f"More than {MOST_AT_ONCE:,} rows; send them with datasets.add.")
    if not records:
        raise RowsUnreadable("There are no rows to send.")
    return records


def _id_text(value: Any) -> str:
    """1001.0 is 1001: a column of whole numbers in which one is missing holds floats."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)
