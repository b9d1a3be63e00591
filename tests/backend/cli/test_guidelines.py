"""``assay guidelines`` and the new commands of ``assay users``."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.cli import app
from backend.core.database import Database
from backend.core.exceptions import Conflict, InvalidInput
from backend.core.services import Services
from tests.backend.annotations.conftest import Seeded, seeded
from tests.backend.review.conftest import Desk, new_desk

__all__ = ["new_desk", "seeded"]


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    return sqlite_database


@pytest.fixture
def services(new_desk: Callable[[Seeded], Desk], seeded: Seeded) -> Services:
    return new_desk(seeded).services


@pytest.fixture
def run(services: Services, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setattr("backend.bootstrap.open_services", lambda: services)
    monkeypatch.setenv("COLUMNS", "200")

    def invoke(*arguments: str, given: str | None = None) -> str:
        result = CliRunner().invoke(app, arguments, input=given)
        if isinstance(result.exception, Exception):
            raise result.exception
        return result.output

    return invoke


def test_a_guideline_is_written_shown_and_published(
    run: Callable[..., str], tmp_path: Path
) -> None:
    shown = run("guidelines", "show", "Shop")
    assert shown.startswith("# version 1: The instructions of the label schema.\n")
    file = tmp_path / "guideline.yaml"
    file.write_text(
        "text: |\n  **Good**: nothing is wrong.\n  Look twice.\n"
        "text_zh: 优良\n"
        "rules:\n- {name: stays, about: duplicate, text: the older}\n",
        encoding="utf-8",
    )
    saved = run("guidelines", "edit", "Shop", "--file", str(file), "--change", "first rules")
    assert saved.startswith("Version 2 is saved.")
    again = run("guidelines", "show", "Shop", "--version", "2")
    assert "text: |\n  **Good**: nothing is wrong.\n  Look twice.\n" in again
    assert "优良" in again
    with pytest.raises(InvalidInput, match="Nothing is different"):
        run("guidelines", "edit", "Shop", "--file", "-", "--change", "same", given=again)
    late = ("guidelines", "edit", "Shop", "--file", "-", "--change", "late", "--based-on", "1")
    with pytest.raises(Conflict):
        run(*late, given=again.replace("older", "newer"))
    assert "Version 2 counts" in run("guidelines", "publish", "Shop")
    assert "# version 2" in run("guidelines", "show", "Shop")
    history = run("guidelines", "history", "Shop")
    assert "first rules" in history
    assert "counts" in history
    assert "Version 1 counts" in run("guidelines", "publish", "Shop", "1")


def test_the_editor_gets_the_newest_version(
    run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "sed -i 's/^text: .*/text: by hand/'")
    run("guidelines", "edit", "Shop", "--change", "by hand")
    assert "text: by hand" in run("guidelines", "show", "Shop", "--version", "2")
    monkeypatch.setenv("EDITOR", "false")
    with pytest.raises(InvalidInput, match="editor 'false' failed"):
        run("guidelines", "edit", "Shop", "--change", "by hand")


@pytest.mark.parametrize(
    "written", ["- a list", "text: [", "texts: x", "rules: [{name: ''}]", "text: 3"]
)
def test_other_files_are_refused(run: Callable[..., str], written: str) -> None:
    with pytest.raises(InvalidInput):
        run("guidelines", "edit", "Shop", "--file", "-", "--change", "why", given=written)


def test_users_get_roles_and_lose_logins(
    run: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_PASSWORD", "a good password")
    assert "as annotator" in run("users", "create", "bo@example.org", "--role", "annotator")
    assert "is reviewer" in run("users", "set-role", "bo@example.org", "reviewer")
    with pytest.raises(InvalidInput, match="cannot have the role 'service'"):
        run("users", "set-role", "bo@example.org", "service")
    assert "disabled" in run("users", "disable", "bo@example.org")
    assert "may log in again" in run("users", "enable", "bo@example.org")
    assert "has ended" in run("users", "log-out", "bo@example.org")
    assert "assay_" in run("keys", "create", "loop", "--role", "service")
    with pytest.raises(InvalidInput, match="cannot have the role 'annotator'"):
        run("keys", "create", "loop", "--role", "annotator")
