"""Who waits for SQLite's write lock, and for how long."""

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from backend.core import database as rules
from backend.core.database import Database


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.sqlite3'}"


def test_who_is_waited_for_writes_before_background_work(url: str) -> None:
    """Each writes again as soon as it has written; background work is there three times."""
    stop, writes = threading.Event(), {"api": 0, "worker": 0}
    worker, api = Database(url), Database(url)
    worker.let_others_go_first()

    def write(database: Database, name: str) -> None:
        while not stop.is_set():
            with database.transaction() as session:
                session.connection()
                writes[name] += 1
                time.sleep(0.005)
            time.sleep(0)

    threads = [threading.Thread(target=write, args=(worker, "worker")) for _ in range(3)]
    threads.append(threading.Thread(target=write, args=(api, "api")))
    for thread in threads:
        thread.start()
    time.sleep(2.0)
    stop.set()
    for thread in threads:
        thread.join()
    assert writes["worker"] > 10, "nobody starves"
    assert writes["api"] > writes["worker"] / 3, "more than a fair share"


def test_a_lock_that_is_never_free_is_an_error_in_the_end(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "BUSY_TIMEOUT_MS", 100)
    holder, other = Database(url), Database(url)
    with holder.transaction() as held:
        held.connection()
        started = time.monotonic()
        with pytest.raises(OperationalError, match="locked"), other.transaction() as session:
            session.connection()
        assert time.monotonic() - started >= 0.1
    with other.transaction() as session:
        assert session.connection().execute(text("SELECT 1")).scalar() == 1


def test_readers_wait_for_nobody(url: str) -> None:
    holder, other = Database(url), Database(url)
    with holder.transaction() as held:
        held.connection()
        with other.reading() as session:
            assert session.connection().execute(text("SELECT 1")).scalar() == 1


def test_nothing_of_a_rehearsal_is_kept_and_others_write_meanwhile(url: str) -> None:
    store = Database(url)
    with store.transaction() as session:
        session.connection().execute(text("CREATE TABLE note (words TEXT)"))
        session.connection().execute(text("INSERT INTO note VALUES ('before')"))
    with store.rehearsal() as rehearsed:
        rehearsed.connection().execute(text("INSERT INTO note VALUES ('rehearsed')"))
        with store.transaction() as session:
            session.connection().execute(text("INSERT INTO note VALUES ('meanwhile')"))
        seen = rehearsed.connection().execute(text("SELECT words FROM note")).scalars().all()
    assert seen == ["before", "rehearsed"]
    with store.reading() as session:
        kept = session.connection().execute(text("SELECT words FROM note")).scalars().all()
    assert kept == ["before", "meanwhile"]
