"""A killed import, repeated, ends as if it had not been killed."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backend.core.database import Database
from backend.ingestion.reports import ImportsService
from backend.ingestion.schemas import ImportRequest
from backend.ingestion.service import import_source
from tests.backend.ingestion.test_import import clock, records, write

ROWS = 3_000


@pytest.mark.parametrize("where", ["inside", "after"])
def test_killed_midway_and_repeated(database: Database, tmp_path: Path, where: str) -> None:
    rows = [[f"S{n}", "product", f"title {n}", ""] for n in range(ROWS)]
    path = write(tmp_path / "rows.csv", [*rows, ["S7", "product", "twice", ""]])
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.backend.ingestion.import_process"]
    killed = subprocess.run([*command, url, str(path), "3", where], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    kept = 1_000 if where == "inside" else 1_500
    assert len(records(database)) == kept

    request = ImportRequest(dataset="shop", path=path, id_column="sku")
    report = import_source(database, request, clock)

    assert (report.status, report.rows_read, report.rows_rejected) == ("done", ROWS + 1, 1)
    assert (report.rows_unchanged, report.rows_new) == (kept, ROWS - kept)
    stored = records(database)
    assert all(row.is_current for row in stored)
    assert {row.external_id: row.fields["title"] for row in stored} == {
        row[0]: row[2] for row in rows
    }
    assert len(stored) == ROWS
    with database.reading() as session:
        _, first = ImportsService(session).list_recent()
    assert first.status == "failed"
    assert first.rows_new == kept
    assert first.error is not None
    assert "Interrupted" in first.error
