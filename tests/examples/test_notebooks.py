"""The notebooks say what is true: each is run from its first cell to its last."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import Session, col, select

from backend.access.service import AccessService
from backend.core.database import Database
from backend.ingestion import jobs as ingestion_jobs
from backend.models import Batch, Project, Record, Task
from tests.backend.conftest import cheap_passwords
from tests.backend.training.conftest import LoopFactory, new_loop
from tests.backend.training.loop import Loop
from tests.examples.notebook import FOLDER, has_output, run_cells
from tests.fixtures.live_app import live

__all__ = ["cheap_passwords", "new_loop"]

NOTEBOOKS = ["the_libraries.ipynb", "the_loop.ipynb"]


def grade(_task: Task, record: Record) -> str:
    """What an attentive person says of the notebook's records."""
    price = record.fields["price"]
    return "fair" if price is None else "good" if float(price) > 0 else "poor"


@pytest.fixture
def server(
    new_loop: LoopFactory, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Loop]:
    """A server with a worker, and people who answer as soon as a batch is pushed."""
    loop = new_loop(sqlite_database, records=3)
    loop.services.settings = loop.services.settings.model_copy(
        update={"session_secret": SecretStr("a session secret for the tests")}
    )
    registry = loop.runner.registry
    registry.add_all(ingestion_jobs.handlers(loop.services))
    ended = threading.Event()

    def work() -> None:
        answered = set[int]()
        while not ended.wait(0.1):
            loop.clock.advance(0.1)
            loop.run()
            with sqlite_database.reading() as session:
                project_id = pushed_project(session)
            if project_id is not None and project_id not in answered:
                loop.project_id = project_id
                loop.answer(1, grade)
                answered.add(project_id)

    worker = threading.Thread(target=work)
    with live(loop.services) as url:
        with sqlite_database.transaction() as session:
            key = AccessService(session, loop.clock).create_key("nb", "engineer", actor="test").key
        monkeypatch.setenv("ASSAY_URL", url)
        monkeypatch.setenv("ASSAY_API_KEY", key)
        worker.start()
        yield loop
        ended.set()
        worker.join(30)


def pushed_project(session: Session) -> int | None:
    """The project whose first batch people can label."""
    return session.exec(
        select(Project.id)
        .join(Batch, col(Batch.project_id) == col(Project.id))
        .where(Project.name == "Example shop", col(Batch.pushed_at).is_not(None))
    ).first()


def test_the_loop_turns(server: Loop, capsys: pytest.CaptureFixture[str]) -> None:
    names = run_cells("the_loop.ipynb")
    assert names["status"].champion == 1
    assert len(names["labels"]) == 30
    assert len(names["verdicts"]) == 90
    assert names["report"].rows_new == 90
    assert "30 of 30 labelled; champion v1" in capsys.readouterr().out


def test_the_libraries_learn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    names = run_cells("the_libraries.ipynb")
    assert names["curve"][-1] > max(0.7, names["curve"][0])
    assert names["right"] > 0.85
    assert names["agreement"].alpha > 0.3
    careful, _, careless = names["quality"].values()
    assert careless.against_others.value < careful.against_others.value


def test_every_notebook_is_run_here_and_saved_without_output() -> None:
    assert sorted(path.name for path in FOLDER.glob("*.ipynb")) == NOTEBOOKS
    assert [name for name in NOTEBOOKS if has_output(name)] == []
