"""Files: the same rows in every format, the truth beside them, in constant memory."""

import csv
import json
import tracemalloc
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from backend.demo.files import WRITERS, read_truth, write_csv
from backend.demo.records import flat_row, generate
from labeling.label_schema import LabelSchema


def _read(path: Path) -> list[dict[str, str]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows: list[dict[str, str]] = pq.read_table(path).to_pylist()
    return rows


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_holds_the_same_rows(tmp_path: Path, suffix: str) -> None:
    path, truth_path = tmp_path / f"demo{suffix}", tmp_path / "truth.jsonl"
    assert WRITERS[suffix](path, generate(250, seed=3), truth_path) == 250
    expected = list(generate(250, seed=3))
    assert _read(path) == [flat_row(record) for record in expected]
    assert read_truth(truth_path) == {record.record_id: record.truth for record in expected}


def test_memory_does_not_grow_with_the_number_of_rows(tmp_path: Path) -> None:
    def peak(n: int) -> int:
        tracemalloc.start()
        write_csv(tmp_path / "demo.csv", generate(n, seed=1))
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(2_000)  # vocabulary and the window of recent records
    assert peak(6_000) < peak(2_000) * 1.5 + 200_000


def test_the_demo_label_schema_knows_every_field_and_issue() -> None:
    from backend.demo.catalogue import FIELDS
    from backend.demo.truth import DIMENSIONS, GRADES

    path = Path(__file__).parents[3] / "backend/demo/label_schema.yaml"
    schema = LabelSchema.from_file(path)
    assert schema.fields == FIELDS
    assert schema.grades == GRADES
    assert {issue.value: issue.dimension for issue in schema.issues} == DIMENSIONS
    by_value = {issue.value: issue for issue in schema.issues}
    for record in generate(3_000, seed=9):
        if len(record.truth.issues) == 1:
            allowed = by_value[record.truth.issues[0]].fields
            assert allowed is None or set(record.truth.faulty_fields) <= set(allowed)
