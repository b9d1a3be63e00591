"""Upload, job, report, rejects and export over HTTP, by the real application."""

import csv
import io
from pathlib import Path
from typing import Any

from backend.core.clock import utc_now
from backend.core.services import Services
from backend.ingestion.jobs import handlers
from backend.ingestion.uploads import safe_name
from backend.jobs import queue
from backend.jobs.inline import InlineRunner
from backend.jobs.registry import Registry
from tests.backend.conftest import ClientAs

CSV = "sku,title\n1,马克杯\n,no id\n1,twice\n2,mug\n".encode()


def work(services: Services) -> None:
    registry = Registry()
    registry.add_all(handlers(services), queue="heavy")
    InlineRunner(services.database, registry, utc_now).run_pending()


def test_an_upload_is_imported_by_a_job(client_as: ClientAs, services: Services) -> None:
    engineer, viewer = client_as("engineer"), client_as("viewer")
    form = {"dataset": "shop", "id_column": "sku", "kind": "product"}
    answer = engineer.post("/api/v1/imports", data=form, files={"file": ("../a shop.csv", CSV)})
    assert answer.status_code == 202, answer.text
    (stored,) = Path(services.settings.data_dir, "uploads").glob("*/*")
    assert stored.name == "a_shop.csv"
    assert stored.read_bytes() == CSV

    work(services)
    with services.database.reading() as session:
        job = queue.get(session, answer.json()["job_id"])
    assert job.status == "done", job.error
    assert job.result is not None
    report = viewer.get(f"/api/v1/imports/{job.result['id']}").json()
    assert report == job.result
    assert (report["rows_new"], report["rows_rejected"]) == (2, 2)
    assert viewer.get("/api/v1/imports").json() == [report]

    rejects = viewer.get(f"/api/v1/imports/{report['id']}/rejects").json()
    assert [(reject["line"], reject["field"]) for reject in rejects] == [(3, "sku"), (4, "sku")]
    as_csv = viewer.get(f"/api/v1/imports/{report['id']}/rejects?format=csv").content
    listed = list(csv.DictReader(io.StringIO(as_csv.decode("utf-8-sig"))))
    assert [reject["reason"] for reject in listed] == [reject["reason"] for reject in rejects]

    (dataset,) = viewer.get("/api/v1/datasets").json()
    assert (dataset["name"], dataset["kind"], dataset["records"]) == ("shop", "product", 2)
    base = f"/api/v1/datasets/{dataset['id']}"
    first = viewer.get(f"{base}/records?limit=1").json()
    assert [record["fields"] for record in first["records"]] == [{"title": "马克杯"}]
    rest = viewer.get(f"{base}/records?limit=1000&after={first['after']}").json()
    assert [record["external_id"] for record in rest["records"]] == ["2"]
    assert rest["after"] is None
    exported = viewer.get(f"{base}/export?format=csv").content.decode("utf-8-sig")
    assert [row["title"] for row in csv.DictReader(io.StringIO(exported))] == ["马克杯", "mug"]
    assert len(viewer.get(f"{base}/versions?external_id=1").json()) == 1


def test_a_bad_upload_fails_with_what_and_where(client_as: ClientAs, services: Services) -> None:
    answer = client_as("engineer").post(
        "/api/v1/imports",
        data={"dataset": "shop", "id_column": "nr"},
        files={"file": ("a.csv", CSV)},
    )
    work(services)
    with services.database.reading() as session:
        job = queue.get(session, answer.json()["job_id"])
    assert job.status == "failed"
    assert "no column 'nr'" in str(job.error)
    assert "sku, title" in str(job.error)


def test_another_encoding_is_proposed_and_then_taken(
    client_as: ClientAs, services: Services
) -> None:
    engineer = client_as("engineer")
    files = {"file": ("a.csv", "sku;名称;x\n1;马克杯;2\n".encode("gb18030"))}
    form: dict[str, Any] = {"dataset": "shop", "id_column": "sku"}
    problem = engineer.post("/api/v1/imports", data=form, files=files)
    assert problem.status_code == 422
    assert problem.json()["field"] == "encoding"
    assert "Try --encoding gb18030: " in problem.json()["remedy"]
    assert "“1;马克杯;2”" in problem.json()["remedy"]
    assert not list(Path(services.settings.data_dir, "uploads").glob("*"))

    form = {**form, "encoding": "gb18030", "columns": ["名称"]}
    assert engineer.post("/api/v1/imports", data=form, files=files).status_code == 202
    work(services)
    (report,) = engineer.get("/api/v1/imports").json()
    assert report["rows_new"] == 1
    assert report["understood"]["encoding"] == "gb18030"
    assert report["understood"]["delimiter"] == ";"
    (dataset,) = engineer.get("/api/v1/datasets").json()
    assert dataset["fields"] == ["名称"]


def test_roles_and_unknown_things(client_as: ClientAs, services: Services) -> None:
    viewer, engineer = client_as("viewer"), client_as("engineer")
    files = {"file": ("a.csv", CSV)}
    assert viewer.post("/api/v1/imports", data={"dataset": "d"}, files=files).status_code == 403
    assert not Path(services.settings.data_dir, "uploads").exists()
    assert viewer.post("/api/v1/datasets", json={"name": "d"}).status_code == 403
    assert engineer.post("/api/v1/datasets", json={"name": "d"}).status_code == 201
    assert engineer.post("/api/v1/datasets", json={"name": "d"}).status_code == 409
    for path in (
        "imports/9",
        "imports/9/rejects",
        "datasets/9",
        "datasets/9/records",
        "datasets/9/export",
        "datasets/9/versions?external_id=1",
    ):
        answer = viewer.get(f"/api/v1/{path}")
        assert answer.status_code == 404, path


def test_names_of_uploads_stay_in_their_folder() -> None:
    assert safe_name("../../etc/passwd") == "passwd"
    assert safe_name("C:\\data\\商品 1.csv.gz") == "商品_1.csv.gz"
    assert safe_name("..") == "upload"
    assert len(safe_name("x" * 500 + ".csv")) == 100
    assert len(safe_name("商" * 500 + ".csv").encode()) <= 100
    assert safe_name("商" * 500 + ".csv").endswith("商.csv")
