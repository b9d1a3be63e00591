"""Records in and out, from everything that holds rows."""

import asyncio
import io
from pathlib import Path

import pandas as pd
import pytest

from assay_client import Assay, Conflict, JobFailed, NotFound, ProgressLine, RowsUnreadable, silence
from tests.client.conftest import AwaitingAs

FRAME = pd.DataFrame(
    {
        "sku": ["1", "2", "3"],
        "title": ["马克杯", None, "=SUM(A1)"],
        "price": [9.9, float("nan"), 3.0],
        "seen": pd.to_datetime(["2026-05-01", None, "2026-05-03"]),
        "stock": pd.array([1, None, 3], dtype="Int64"),
    }
)


def test_a_pandas_frame_comes_back_as_it_was(assay: Assay, tmp_path: Path) -> None:
    line = io.StringIO()
    job = assay.datasets.add("shop", FRAME, id_column="sku", kind="product")
    job = assay.jobs.wait(job, on_progress=ProgressLine(line))
    assert line.getvalue().splitlines()[-1].startswith("ingestion.import done 100%")
    report = assay.datasets.report(job)
    assert (report.rows_new, report.rows_rejected, report.source) == (3, 0, "assay-client.jsonl.gz")

    (dataset,) = assay.datasets.list()
    assert (dataset.name, dataset.kind, dataset.records) == ("shop", "product", 3)
    table = assay.datasets.table(dataset).to_pandas()
    assert list(table["external_id"]) == ["1", "2", "3"]
    assert table["title"].where(table["title"].notna(), None).tolist() == FRAME["title"].tolist()
    assert [None if pd.isna(each) else each for each in table["price"]] == [9.9, None, 3]
    assert [None if pd.isna(each) else int(each) for each in table["stock"]] == [1, None, 3]
    assert table["seen"].iloc[0] == "2026-05-01T00:00:00"

    path = assay.datasets.download("shop", tmp_path / "shop.parquet")
    assert list(pd.read_parquet(path)["external_id"]) == ["1", "2", "3"]
    assert list(tmp_path.glob("shop*")) == [path]


def test_what_is_added_again_changes_nothing_and_what_differs_is_a_version(assay: Assay) -> None:
    for rows in ([{"sku": 1, "title": "Mug"}], [{"sku": 1, "title": "Mug"}]):
        job = assay.jobs.wait(assay.datasets.add("shop", rows, id_column="sku"))
    assert assay.datasets.report(job).rows_unchanged == 1
    assay.jobs.wait(assay.datasets.add("shop", [{"sku": 1, "title": "Cup"}], id_column="sku"))
    versions = assay.datasets.versions("shop", "1")
    assert [each.fields["title"] for each in versions] == ["Mug", "Cup"]
    page = assay.datasets.records("shop", limit=1, history=True)
    assert len(page.records) == 1
    assert page.after is not None
    rest = assay.datasets.records("shop", after=page.after, history=True)
    assert [each.fields["title"] for each in rest.records] == ["Cup"]


def test_refused_rows_are_listed_with_their_reasons(assay: Assay) -> None:
    rows = [{"sku": "1", "title": "Mug"}, {"sku": None, "title": "nobody"}]
    job = assay.jobs.wait(assay.datasets.add("shop", rows, id_column="sku"), on_progress=silence)
    (reject,) = assay.datasets.rejects(job)
    assert (reject.line, reject.field) == (2, "sku")
    assert reject.reason


def test_a_job_that_fails_says_why(assay: Assay) -> None:
    job = assay.datasets.add("shop", [{"sku": "1"}], id_column="number")
    with pytest.raises(JobFailed, match="number") as caught:
        assay.jobs.wait(job)
    assert caught.value.job.status == "failed"
    with pytest.raises(RowsUnreadable, match="no report"):
        assay.datasets.report(caught.value.job)


def test_datasets_are_made_and_found_by_name(assay: Assay) -> None:
    made = assay.datasets.create("shop", kind="product", fields=["title"])
    assert assay.datasets.get("shop") == assay.datasets.get(made.id) == assay.datasets.get(made)
    with pytest.raises(Conflict) as taken:
        assay.datasets.create("shop")
    assert (taken.value.field, taken.value.value) == ("name", "shop")
    with pytest.raises(NotFound, match="called 'ship'"):
        assay.datasets.get("ship")


@pytest.mark.parametrize("rows", [[], pd.DataFrame(), "text", {"sku": 1}, [1], 5, [{"a": b"b"}]])
def test_what_has_no_rows_is_refused_before_anything_is_sent(assay: Assay, rows: object) -> None:
    with pytest.raises(RowsUnreadable):
        assay.datasets.add("shop", rows, id_column="sku")
    assert assay.jobs.list() == []


def test_the_same_is_awaited(awaiting_as: AwaitingAs, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with awaiting_as("engineer") as assay:
            job = await assay.datasets.add("shop", FRAME, id_column="sku")
            job = await assay.jobs.wait(job, on_progress=silence)
            assert (await assay.datasets.report(job)).rows_new == 3
            assert len(await assay.datasets.table("shop")) == 3
            path = await assay.datasets.download("shop", tmp_path / "shop.csv", format="csv")
            assert len(pd.read_csv(path)) == 3

    asyncio.run(scenario())
