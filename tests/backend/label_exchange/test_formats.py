"""Exports as files and over HTTP, in every format."""

import csv
import hashlib
import io
import json
import os
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from sqlmodel import select

from backend.core.database import Database
from backend.core.exceptions import InvalidInput
from backend.label_exchange.files import write_export
from backend.label_exchange.schemas import ExportRequest, LabelRow
from backend.models import Record
from tests.backend.conftest import ClientAs
from tests.backend.label_exchange.conftest import ADA, exported, rows
from tests.backend.review.conftest import Desk


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """What the store's queries say on both databases, test_export.py asks."""
    return sqlite_database


def test_csv_is_safe_for_spreadsheets(labelled: Desk) -> None:
    change_title(labelled, "=HYPERLINK(1)")
    data = exported(labelled, format="csv", what="gold")
    assert data.startswith(b"\xef\xbb\xbf")
    assert not exported(labelled, format="csv", byte_order_mark=False).startswith(b"\xef\xbb\xbf")
    (row,) = [
        each
        for each in csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
        if each["external_id"] == "r6"
    ]
    assert row["title"] == "'=HYPERLINK(1)"
    assert json.loads(row["issues"]) == ["duplicate"]
    assert json.loads(row["answers"])[0]["annotator"] == ADA


def change_title(desk: Desk, title: str) -> None:
    with desk.services.database.transaction() as session:
        for record in session.exec(select(Record)):
            record.fields = {**record.fields, "title": title}
            session.add(record)


def test_parquet_has_types(labelled: Desk) -> None:
    table = pq.read_table(io.BytesIO(exported(labelled, format="parquet")))
    assert table.num_rows == 9
    assert str(table.schema.field("issues").type).startswith("list<")
    assert str(table.schema.field("decided_at").type) == "timestamp[us, tz=UTC]"
    assert json.loads(table.column("soft_label")[0].as_py())["poor"] > 0.5
    assert table.column("price")[0].as_py() == "1"


@pytest.mark.parametrize("what", ["best", "annotations"])
def test_hugging_face_folder(labelled: Desk, tmp_path: Path, what: str) -> None:
    path = tmp_path / "labels"
    request = ExportRequest(what=what, format="huggingface")
    manifest = write_export(labelled.services, labelled.project, request, path)
    card = yaml.safe_load((path / "README.md").read_text(encoding="utf-8").split("---")[1])
    names = {each["name"]: each for each in card["dataset_info"]["features"]}
    assert names["label"]["dtype"]["class_label"]["names"] == {
        "0": "good",
        "1": "fair",
        "2": "poor",
    }
    files = {each["split"]: each["path"] for each in card["configs"][0]["data_files"]}
    tables = {split: pq.read_table(path / file) for split, file in files.items()}
    assert sum(table.num_rows for table in tables.values()) == manifest.rows
    assert all(tables["test"].column("is_audit").to_pylist())
    assert not any(tables["train"].column("is_audit").to_pylist())
    grades = tables["train"].column("grade").to_pylist()
    labels = tables["train"].column("label").to_pylist()
    assert [None if x is None else ("good", "fair", "poor")[x] for x in labels] == grades
    assert tables["train"].column_names == list(names)
    for file in manifest.files:
        content = (path / file.name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file.sha256
    again = write_export(labelled.services, labelled.project, request, path)
    assert again.rows == manifest.rows
    assert sorted(each.name for each in tmp_path.iterdir() if "labels" in each.name) == ["labels"]


def test_hugging_face_reads_its_folder(labelled: Desk, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    request = ExportRequest(format="huggingface")
    write_export(labelled.services, labelled.project, request, tmp_path / "labels")
    loaded = datasets.load_dataset(str(tmp_path / "labels"), cache_dir=str(tmp_path / "cache"))
    assert loaded["train"].features["label"].names == ["good", "fair", "poor"]


def test_the_same_store_gives_the_same_bytes(labelled: Desk, tmp_path: Path) -> None:
    for form in ("jsonl", "csv", "parquet", "label_studio"):
        assert exported(labelled, format=form) == exported(labelled, format=form)
    path = tmp_path / "best.jsonl"
    manifest = write_export(labelled.services, labelled.project, ExportRequest(), path)
    assert manifest.counts == {"ambiguous": 1, "consensus": 7, "gold": 1}
    assert manifest.grades == {"": 3, "fair": 2, "poor": 4}
    kept = json.loads((tmp_path / "best.jsonl.manifest.json").read_text(encoding="utf-8"))
    assert kept["files"][0]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert len(path.read_text(encoding="utf-8").splitlines()) == manifest.rows


def test_what_is_no_export_is_not_replaced(labelled: Desk, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    request = ExportRequest(format="huggingface")
    with pytest.raises(InvalidInput, match="no export of ours"):
        write_export(labelled.services, labelled.project, request, tmp_path / "mine")
    nowhere = tmp_path / "mine" / "thesis.txt" / "x.csv"
    with pytest.raises(InvalidInput, match="cannot be written"):
        write_export(labelled.services, labelled.project, ExportRequest(), nowhere)
    assert [each.name for each in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "huggingface", "label_studio"])
def test_an_empty_project(desk: Desk, tmp_path: Path, form: str) -> None:
    request = ExportRequest(format=form)
    manifest = write_export(desk.services, desk.project, request, tmp_path / "out")
    assert (manifest.rows, manifest.counts) == (0, {})
    if form == "huggingface":
        table = pq.read_table(tmp_path / "out" / "data" / "train.parquet")
        assert (table.num_rows, "label" in table.column_names) == (0, True)
    if form == "label_studio":
        assert json.loads((tmp_path / "out").read_text()) == []


def test_over_http(labelled: Desk, client_as: ClientAs) -> None:
    base = f"/api/v1/projects/{labelled.project_id}/exports"
    lead, engineer = client_as("lead"), client_as("engineer")
    answer = lead.get(base, params={"what": "gold", "since": "", "grade": "", "kind": ""})
    assert answer.status_code == 200
    assert [json.loads(line)["external_id"] for line in answer.text.splitlines()] == ["r6", "r7"]
    assert 'filename="gold-' in answer.headers["content-disposition"]
    assert engineer.get(base).status_code == 403
    named = engineer.get(base, params={"pseudonyms": "true"})
    assert named.status_code == 200
    assert "example.org" not in named.text
    assert client_as("viewer").get(base, params={"pseudonyms": "true"}).status_code == 403
    assert lead.get(base, params={"grade": "superb"}).status_code == 422
    assert lead.get(base, params={"format": "xml"}).status_code == 422
    assert lead.get("/api/v1/projects/99/exports").status_code == 404
    left = labelled.services.settings.data_dir / "exports" / "of a killed server"
    left.mkdir(parents=True)
    os.utime(left, (0, 0))
    folder = lead.get(base, params={"format": "huggingface"})
    with zipfile.ZipFile(io.BytesIO(folder.content)) as archive:
        assert set(archive.namelist()) == {
            "data/train.parquet",
            "data/test.parquet",
            "README.md",
            "manifest.json",
        }
    assert list((labelled.services.settings.data_dir / "exports").iterdir()) == []


def test_every_column_says_something(labelled: Desk) -> None:
    (row, *_) = rows(labelled).values()
    assert list(row) == list(LabelRow.__dataclass_fields__)
