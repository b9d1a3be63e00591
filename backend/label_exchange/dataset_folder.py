"""A Hugging Face ``datasets`` folder: Parquet files by split and the card that describes them.

``load_dataset("FOLDER")`` reads it: ``label`` is a ClassLabel of the grades, empty where there is
none. Audit records, drawn at random, are the split ``test``; the others are ``train``.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import yaml

from backend.core.tabular import ROWS_PER_GROUP, as_json
from backend.label_exchange.columns import Column, Layout, arrow_type
from backend.label_exchange.schemas import AnnotationRow, ExportRequest, LabelRow

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

LABEL = "label"
TRAIN, TEST = "train", "test"
DTYPES = {
    "text": "string",
    "json": "string",
    "whole": "int64",
    "number": "float64",
    "yes_no": "bool",
    "time": "timestamp[us, tz=UTC]",
    "texts": "string",
    "wholes": "int64",
    "numbers": "float64",
}
LISTS = {"texts", "wholes", "numbers"}


def write_dataset_folder(
    rows: Iterable[LabelRow | AnnotationRow],
    folder: Path,
    layout: Layout,
    grades: Sequence[str],
    *,
    title: str,
    request: ExportRequest,
) -> list[Path]:
    """``data/*.parquet`` and ``README.md`` are below ``folder``; the files written.

    A soft label is a list of probabilities in the order of the label's names.
    """
    columns = _columns(layout)
    schema = _arrow_schema(columns, grades)
    (folder / "data").mkdir(parents=True)
    splits = {name: _Split(folder / "data" / f"{name}.parquet", schema) for name in (TRAIN, TEST)}
    with splits[TRAIN], splits[TEST]:
        for row in rows:
            splits[TEST if row.is_audit else TRAIN].add(_values(row, layout, columns, grades))
        if not splits[TEST].rows:
            splits[TRAIN].open()  # a dataset without rows still has its columns
    written = {name: split for name, split in splits.items() if split.path.exists()}
    card = folder / "README.md"
    card.write_text(_card(columns, grades, written, title, request), encoding="utf-8")
    return [*(split.path for split in written.values()), card]


class _Split:
    """One split's file; not there unless it is opened."""

    def __init__(self, path: Path, schema: "pa.Schema") -> None:
        self.path = path
        self.rows = 0
        self._schema = schema
        self._held: list[list[Any]] = []
        self._writer: pq.ParquetWriter | None = None

    def add(self, values: list[Any]) -> None:
        self.rows += 1
        self._held.append(values)
        if len(self._held) == ROWS_PER_GROUP:
            self._write()

    def open(self) -> "pq.ParquetWriter":
        import pyarrow.parquet as pq

        if self._writer is None:
            self._writer = pq.ParquetWriter(self.path, self._schema)
        return self._writer

    def _write(self) -> None:
        import pyarrow as pa

        arrays = [
            pa.array(column, type=field.type)
            for column, field in zip(zip(*self._held, strict=True), self._schema, strict=True)
        ]
        self.open().write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._held.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if error is None and self._held:
            self._write()
        if self._writer is not None:
            self._writer.close()


def _columns(layout: Layout) -> list[Column]:
    """The layout's columns, the label after the grade, soft labels as numbers."""
    found = []
    for column in layout.columns:
        found.append(Column(column.name, "numbers") if column.name == "soft_label" else column)
        if column.name == "grade":
            found.append(Column(LABEL, "whole"))
    return found


def _values(
    row: LabelRow | AnnotationRow, layout: Layout, columns: Sequence[Column], grades: Sequence[str]
) -> list[Any]:
    values = iter(layout.values(row))
    found: list[Any] = []
    for column in columns:
        if column.name == LABEL and column.kind == "whole":
            found.append(grades.index(row.grade) if row.grade in grades else None)
            continue
        value = next(values)
        if column.name == "soft_label" and isinstance(row, LabelRow):
            value = [row.soft_label.get(name, 0.0) for name in grades] if row.soft_label else []
        found.append(value)
    return found


def _arrow_schema(columns: Sequence[Column], grades: Sequence[str]) -> "pa.Schema":
    import pyarrow as pa

    features = {column.name: _feature(column, grades) for column in columns}
    return pa.schema(
        [(column.name, arrow_type(column.kind)) for column in columns],
        metadata={"huggingface": as_json({"info": {"features": features}})},
    )


def _feature(column: Column, grades: Sequence[str]) -> dict[str, Any]:
    """The column as ``datasets`` writes it into Parquet files."""
    if column.name == LABEL and column.kind == "whole":
        return {"names": list(grades), "_type": "ClassLabel"}
    value = {"dtype": DTYPES[column.kind], "_type": "Value"}
    return {"feature": value, "_type": "Sequence"} if column.kind in LISTS else value


def _card_feature(column: Column, grades: Sequence[str]) -> dict[str, Any]:
    if column.name == LABEL and column.kind == "whole":
        names = {str(place): name for place, name in enumerate(grades)}
        return {"name": LABEL, "dtype": {"class_label": {"names": names}}}
    if column.kind in LISTS:
        return {"name": column.name, "sequence": DTYPES[column.kind]}
    return {"name": column.name, "dtype": DTYPES[column.kind]}


def _card(
    columns: Sequence[Column],
    grades: Sequence[str],
    splits: dict[str, _Split],
    title: str,
    request: ExportRequest,
) -> str:
    sizes = {name: split.path.stat().st_size for name, split in splits.items()}
    described = {
        "pretty_name": title,
        "task_categories": ["text-classification", "tabular-classification"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": name, "path": f"data/{name}.parquet"} for name in splits],
            }
        ],
        "dataset_info": {
            "features": [_card_feature(column, grades) for column in columns],
            "splits": [
                {"name": name, "num_bytes": sizes[name], "num_examples": split.rows}
                for name, split in splits.items()
            ],
            "download_size": sum(sizes.values()),
            "dataset_size": sum(sizes.values()),
        },
    }
    front = yaml.safe_dump(described, allow_unicode=True, sort_keys=False)
    return "\n".join(["---", front.strip(), "---", *_text(columns, grades, splits, title, request)])


def _text(
    columns: Sequence[Column],
    grades: Sequence[str],
    splits: dict[str, _Split],
    title: str,
    request: ExportRequest,
) -> Iterator[str]:
    filters = request.model_dump(mode="json", exclude_defaults=True, exclude={"format", "what"})
    yield f"# {' '.join(title.split())}"
    yield ""
    yield f"Labels exported from Assay: `{request.what}`. Filters: `{as_json(filters)}`."
    yield ""
    for name, split in splits.items():
        yield f"- `{name}`: {split.rows:,} rows"
    yield ""
    yield f"`{LABEL}` is one of {', '.join(f'`{grade}`' for grade in grades)}; empty: no grade."
    yield "The split `test` holds the audit records, which were drawn at random: measure on them."
    yield "`soft_label` lists the probability of each grade, in the order of the label's names."
    yield "Columns that hold objects are JSON text; the record's own fields come last."
    yield "`manifest.json` holds counts, filters and the SHA-256 of each file."
    yield ""
    yield "| column | type |"
    yield "|---|---|"
    for column in columns:
        kind = f"list of {DTYPES[column.kind]}" if column.kind in LISTS else DTYPES[column.kind]
        shown = column.name.replace("|", "\\|").replace("`", "'")
        yield f"| `{shown}` | {'class label' if column.name == LABEL else kind} |"
    yield ""
