"""The lead's page of exports, uploads through it, and the commands."""

import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page
from typer.testing import CliRunner

from backend import bootstrap
from backend.cli import app as cli
from backend.core.database import Database
from backend.jobs import queue
from backend.jobs.inline import InlineRunner
from backend.jobs.registry import Registry
from backend.label_exchange import pages
from backend.label_exchange.jobs import handlers
from backend.words.catalogue import catalogue
from tests.backend.conftest import ClientAs
from tests.backend.label_exchange.conftest import exported
from tests.backend.label_exchange.test_import import foreign_answer, foreign_task
from tests.backend.review.conftest import Desk
from tests.fixtures.live_app import assert_accessible, assert_fits, live, log_in


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    return sqlite_database


def path_of(desk: Desk) -> str:
    return f"/projects/{desk.project_id}/exports"


def work(desk: Desk) -> None:
    registry = Registry()
    registry.add_all(handlers(desk.services), queue="heavy")
    InlineRunner(desk.services.database, registry, desk.clock).run_pending()


def test_leads_export_from_the_page(labelled: Desk, browser_as: ClientAs) -> None:
    lead = browser_as("lead")
    assert f'href="{path_of(labelled)}"' in lead.get(f"/projects/{labelled.project_id}").text
    shown = lead.get(path_of(labelled)).text
    assert [f"<b>{count}</b>" in shown for count in (2, 9, 16)] == [True] * 3
    for value in (*(value for value, _ in pages.CHOICES), *(form for form, _ in pages.FORMATS)):
        assert f'value="{value}"' in shown
    assert "导出标签" in lead.get(path_of(labelled), params={"lang": "zh"}).text
    assert browser_as("engineer").get(path_of(labelled)).status_code == 403
    assert lead.get("/projects/99/exports").status_code == 404


def test_an_empty_project_says_so(desk: Desk, browser_as: ClientAs) -> None:
    assert "an export would be empty" in browser_as("lead").get(path_of(desk)).text


def test_captions_are_chinese_too() -> None:
    captions = {caption for _, caption in (*pages.CHOICES, *pages.FORMATS)} | {pages.QUEUED}
    assert [text for text in captions if text not in catalogue("zh")] == []


def test_labels_are_uploaded(labelled: Desk, browser_as: ClientAs, client_as: ClientAs) -> None:
    task = foreign_task(1, foreign_answer(1, "happy"), foreign_answer(2, "sad"))
    mapping = b"controls: {mood: {grade: {happy: good}}}\nrecord: {external_id: sku}\n"
    files = {
        "file": ("their labels.json", json.dumps([task]).encode()),
        "mapping": ("mapping.yaml", mapping),
    }
    api = f"/api/v1/projects/{labelled.project_id}/label-imports"
    engineer, lead = client_as("engineer"), browser_as("lead")
    assert client_as("viewer").post(api, files=files).status_code == 403
    wrong = {**files, "mapping": ("mapping.yaml", b"contrlos: {}")}
    assert engineer.post(api, files=wrong).json()["field"] == "mapping"
    answer = engineer.post(api, files=files)
    assert answer.status_code == 202
    work(labelled)
    with labelled.services.database.reading() as session:
        job = queue.get(session, answer.json()["job_id"])
    assert job.status == "done", job.error
    assert job.result is not None
    assert (job.result["annotations_new"], job.result["rejected"]) == (1, 1)
    listed = lead.get(f"/api/v1/imports/{job.result['import_id']}/rejects").json()
    assert [each["field"] for each in listed] == ["annotation 2"]
    shown = lead.get(path_of(labelled)).text
    assert "their_labels.json" in shown
    assert lead.post(path_of(labelled), files=files).status_code == 403  # no CSRF token
    refused = engineer.post(api, files={"file": ("x.json", b'[{"annotator": 1}]')})
    work(labelled)
    with labelled.services.database.reading() as session:
        failed = queue.get(session, refused.json()["job_id"])
    assert failed.status == "failed"
    assert "JSON_MIN" in (failed.error or "")


@pytest.fixture
def run(labelled: Desk, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr(bootstrap, "open_services", lambda: labelled.services)
    return CliRunner()


def test_an_upload_that_cannot_be_read_says_why(labelled: Desk, browser_as: ClientAs) -> None:
    lead = browser_as("lead")
    shown = lead.get(path_of(labelled)).text
    token = shown.split('name="csrf_token" value="')[1][:64]
    sent = {"csrf_token": token}
    lead.post(path_of(labelled), data=sent, files={"file": ("labels.csv", b"id,grade\n1,good\n")})
    waiting = lead.get(path_of(labelled)).text
    assert 'hx-trigger="every 2s"' in waiting
    work(labelled)
    ended = lead.get(path_of(labelled), headers={"HX-Request": "true"}).text
    assert "labels.csv holds no JSON array" in ended
    assert "hx-trigger" not in ended
    assert "<html" not in ended


def test_commands(labelled: Desk, run: CliRunner, tmp_path: Path) -> None:
    out = tmp_path / "consensus.jsonl"
    done = run.invoke(cli, ["export", "Shop", "--what", "consensus", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "9 rows" in done.output
    assert len(out.read_text(encoding="utf-8").splitlines()) == 9
    assert (tmp_path / "consensus.jsonl.manifest.json").is_file()
    assert run.invoke(cli, ["export", "Shop", "--what", "x", "--out", str(out)]).exit_code != 0
    path = tmp_path / "theirs.json"
    path.write_bytes(exported(labelled, what="annotations", format="label_studio"))
    args = ["import-labels", str(path), "--project", "Copy", "--dataset", "copies"]
    dry = run.invoke(cli, [*args, "--dry-run"])
    assert "Nothing was kept" in dry.output
    done = run.invoke(cli, [*args, "--json"])
    assert json.loads(done.output)["annotations_new"] == 16
    task = foreign_task(1, foreign_answer(1, "happy"))
    path.write_text(json.dumps([task]), encoding="utf-8")
    refused = run.invoke(cli, [*args[:2], "--project", "Moods"], env={"COLUMNS": "300"})
    assert refused.exit_code == 3
    assert "map it or ignore it" in refused.output


@pytest.mark.browser
def test_the_page_in_a_browser(labelled: Desk, page: Page, tmp_path: Path) -> None:
    with live(labelled.services) as address:
        log_in(page, address, labelled.services, "lead")
        see(labelled, page, address, Path(os.environ.get("ASSAY_PICTURES", tmp_path)))
        use(labelled, page, address)


def see(labelled: Desk, page: Page, address: str, pictures: Path) -> None:
    for width, name in ((1280, "desk"), (390, "phone")):
        for language in ("en", "zh"):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{address}{path_of(labelled)}?lang={language}")
            assert_fits(page)
            assert_accessible(page)
            picture = pictures / f"exports-{name}-{language}.png"
            page.screenshot(path=str(picture), full_page=True)


def use(labelled: Desk, page: Page, address: str) -> None:
    """By keyboard alone but for the file, which a dialogue of the system asks for."""
    page.goto(f"{address}{path_of(labelled)}?lang=en")
    page.focus("select[name=what]")
    page.keyboard.type("Gold")
    page.focus("button.primary")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["external_id"] for line in lines] == ["r6", "r7"]
    assert "example.org" not in "".join(lines)
    page.set_input_files("input[name=file]", files=[file_of_labels()])
    page.focus("form[enctype] button")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "queued=true" in url)
    assert page.locator("[role=status]").count() == 1
    work(labelled)
    page.reload()
    assert page.locator("table tbody tr").count() == 1


def file_of_labels() -> FilePayload:
    """An upload of one task."""
    task = foreign_task(1, foreign_answer(1, "happy"))
    return {
        "name": "moods.json",
        "mimeType": "application/json",
        "buffer": json.dumps([task]).encode(),
    }
