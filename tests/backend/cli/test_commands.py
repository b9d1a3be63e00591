import io
import json
import re
import subprocess
import sys
import time

import pytest
from rich.console import Console
from sqlmodel import col, select
from typer.testing import CliRunner

from backend.bootstrap import Services
from backend.cli import COMMANDS, app, load
from backend.cli.demo import rounds_table
from backend.core.clock import utc_now
from backend.core.exceptions import Conflict, NotFound
from backend.models import Batch, Job, SyncCursor
from tests.backend.overview.store import fill, fill_jobs

PASSWORD = "correct horse battery"


@pytest.fixture
def run(services: Services, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr("backend.bootstrap.open_services", lambda: services)
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


def test_help_is_quick_and_complete() -> None:
    started = time.perf_counter()
    program = "from backend.cli import app; app()"
    shown = subprocess.run(
        [sys.executable, "-c", program, "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert time.perf_counter() - started < 3  # 0.4 s on an idle core
    for name in ("status", "users", "keys", "serve", "worker", "migrate", "jobs", "projects"):
        assert f" {name} " in shown


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from backend.cli import app\n"
        "heavy = {'torch', 'sqlalchemy', 'fastapi', 'transformers'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("name", ["status", "serve", "worker", "migrate", "jobs", "users", "keys"])
def test_the_list_of_commands_says_what_each_says_of_itself(name: str) -> None:
    command = load(name)
    assert command.help
    if name != "status":
        assert command.help.splitlines()[0] == COMMANDS[name].help


def test_users_are_made_listed_and_disabled(
    run: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_PASSWORD", PASSWORD)
    made = run.invoke(app, ["users", "create", "ana@example.org", "--role", "admin"])
    assert made.exit_code == 0, made.output
    assert PASSWORD not in made.output
    assert "ana@example.org" in run.invoke(app, ["users", "list"]).output
    only_admin = run.invoke(app, ["users", "disable", "ana@example.org"])
    assert isinstance(only_admin.exception, Conflict)
    run.invoke(app, ["users", "create", "bo@example.org", "--role", "admin"])
    assert run.invoke(app, ["users", "disable", "ana@example.org"]).exit_code == 0
    assert "disabled" in run.invoke(app, ["users", "list"]).output
    shown = run.invoke(app, ["users", "set-password", "ana@example.org", "--generate"]).output
    assert re.search(r"Password \(shown once\): \S{20}", shown)


def test_keys_are_printed_once(run: CliRunner) -> None:
    made = run.invoke(app, ["keys", "create", "import", "--role", "engineer"])
    key = made.stdout.strip().splitlines()[-1]
    assert key.startswith("assay_")
    listed = run.invoke(app, ["keys", "list"]).output
    assert key[:12] in listed
    assert key not in listed
    assert run.invoke(app, ["keys", "revoke", key[:12]]).exit_code == 0


def test_an_error_is_one_line_and_exit_code_1(
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("backend.bootstrap.open_services", lambda: services)
    with pytest.raises(SystemExit) as end:
        app(["keys", "revoke", "assay_nobody"])
    assert end.value.code == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert shown.err.startswith(f"{NotFound.title}: No API key starts with assay_nobody.")


def test_status_for_programs_is_the_api_s_report(run: CliRunner, services: Services) -> None:
    _fill(services)
    report = json.loads(run.invoke(app, ["status", "--json"]).output)
    assert report["projects"][0]["annotations"]["current"] == 66
    assert report["projects"][0]["champion"] == 2


def test_status_for_people(run: CliRunner, services: Services) -> None:
    assert "No projects yet" in run.invoke(app, ["status"]).output
    _fill(services)
    shown = run.invoke(app, ["status"]).output
    for words in ("Shop catalogue", "66", "79.0 % (69–87)", "v2 *", "training.retrain", "desk-1"):
        assert words in shown, words


def test_imported_labels_and_a_failing_sync_are_named(run: CliRunner, services: Services) -> None:
    _fill(services)
    with services.database.transaction() as session:
        first = session.exec(select(Batch).order_by(col(Batch.round))).first()
        assert first is not None
        first.round, first.strategy = 0, "imported"
        cursor = session.exec(select(SyncCursor)).first()
        assert cursor is not None
        cursor.error = "Label Studio is away."
    shown = run.invoke(app, ["status"]).output
    assert re.search(r"imported +│", shown)
    assert not re.search(r"│ 0 +│", shown)
    assert "sync fails: Label Studio is away." in shown


def test_job_ids_are_whole_on_a_narrow_terminal(run: CliRunner, services: Services) -> None:
    name = "training.purge_files-9791c3a19cb371d7c018ffb7"
    with services.database.transaction() as session:
        session.add(Job(id=name, name="training.purge_files", args={}, enqueued_at=utc_now()))
    shown = run.invoke(app, ["jobs", "list"], env={"COLUMNS": "80"}).output
    column = "".join(line.split("│")[1].strip() for line in shown.splitlines() if "│" in line)
    assert name in column


def test_the_demo_s_rounds_fit_80_columns() -> None:
    widest = ("10", "15000", "0.833 [0.700, 0.930]", "0.833 [0.700, 0.930]", "-0.05 [-0.20, -0.10]")
    shown = io.StringIO()
    Console(file=shown, width=80).print(rounds_table([widest]))
    assert re.search(r"10 +15000 +0.833 \[0.700, 0.930\] +0.8.*-0.10\] *\n", shown.getvalue())


def test_a_failed_job_is_tried_again(run: CliRunner, services: Services) -> None:
    _fill(services)
    shown = run.invoke(app, ["jobs", "retry", "failed-1"])
    assert shown.exit_code == 0, shown.output
    assert "is queued" in shown.output
    again = run.invoke(app, ["jobs", "retry", "failed-1"])
    assert again.output == shown.output, "asking again changes nothing"
    refused = run.invoke(app, ["jobs", "retry", "done-1"])
    assert refused.exit_code == 1


def test_jobs_are_listed_and_cancelled(run: CliRunner, services: Services) -> None:
    _fill(services)
    assert "training.retrain" in run.invoke(app, ["jobs", "list"]).output
    shown = run.invoke(app, ["jobs", "cancel", "running-1"])
    assert shown.exit_code == 0
    assert "stops soon" in shown.output


def _fill(services: Services) -> None:
    with services.database.transaction() as session:
        project_id = fill(session, utc_now())
        fill_jobs(session, utc_now(), project_id)


def test_strategies_are_listed_with_a_line_each() -> None:
    lines = CliRunner().invoke(app, ["models", "strategies"]).output.splitlines()
    assert any(re.match(r"margin +smallest gap", line) for line in lines)
    assert all(len(line.split()) > 3 and len(line) <= 100 for line in lines)
