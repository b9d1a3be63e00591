"""The job: asked for by imports, killed and run again, in turns, and gone with its dataset."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlmodel import Session, select

from backend.core.turns import ROWS_PER_TURN
from backend.ingestion.schemas import ImportRequest
from backend.ingestion.service import import_source
from backend.models import Job, RecordIndexState
from backend.record_index import repository
from backend.record_index.columns_building import folder_of_dataset
from backend.record_index.indexing import index_dataset
from backend.record_index.jobs import is_index_behind
from backend.record_index.schemas import INDEX_JOB
from backend.records.repository import raise_generation, set_content
from backend.removal.service import Removals
from tests.backend.record_index.conftest import Shop, record, some_record


class Killed(BaseException):
    """As if the process had gone."""


class Silent:
    def progress(self, _fraction: float, _message: object = "") -> None:
        pass

    def check_cancelled(self) -> None:
        pass


class KilledAfter(Silent):
    def __init__(self, looks: int) -> None:
        self.left = looks

    def check_cancelled(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed


def jobs_of(shop: Shop, name: str = INDEX_JOB) -> list[Job]:
    with shop.services.database.reading() as session:
        return list(session.exec(select(Job).where(Job.name == name)))


def test_an_import_asks_for_the_index_once(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id,title\n" + "".join(f"{n},红色杯子\n" for n in range(12_000)))
    request = ImportRequest(path=str(path), dataset="shop", id_column="id")
    import_source(shop.services.database, request, shop.services.clock)
    assert len(jobs_of(shop)) == 1
    assert shop.index.columns(shop.dataset_id) is None
    state = shop.index.state(shop.dataset_id)
    assert (state.is_current, state.records, state.progress) == (False, 0, 0.0)
    assert is_index_behind(shop.services)
    shop.run()
    assert not is_index_behind(shop.services)
    state = shop.index.state(shop.dataset_id)
    assert (state.is_current, state.records, state.progress) == (True, 12_000, None)
    assert len(shop.search("色杯")) == 12_000


@pytest.mark.parametrize("looks", [0, 3, 6, 7, 8])
def test_a_killed_run_is_run_again(shop: Shop, looks: int) -> None:
    random = Random(looks)
    first = [some_record(random, f"{number}") for number in range(3 * ROWS_PER_TURN)]
    shop.upsert(*first[: ROWS_PER_TURN // 2])
    shop.run()
    before = shop.index.columns(shop.dataset_id)
    shop.upsert(*first[1:], some_record(random, "0"))
    with pytest.raises(Killed):
        index_dataset(shop.services, shop.dataset_id, KilledAfter(looks))
    assert not shop.index.state(shop.dataset_id).is_current
    assert before is not None
    assert len(before.order("title")) == ROWS_PER_TURN // 2
    shop.run()
    assert shop.index.state(shop.dataset_id).is_current
    assert shop.search("") == sorted(shop.current())
    words = shop.words()
    shop.forget_index()
    shop.run()
    assert shop.words() == words
    assert len(list(folder_of_dataset(shop.services, shop.dataset_id).iterdir())) == 1


def test_only_what_changed_is_written(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.upsert(*(record(f"{number}", title="steel") for number in range(900)))
    shop.run()
    shop.upsert(record("5", title="wood"), record("1000", title="wood"))
    read: list[int] = []
    by_id = repository.rows_by_id

    def rows_by_id(session: Session, ids: Any) -> Any:
        read.extend(ids)
        return by_id(session, ids)

    monkeypatch.setattr(repository, "rows_by_id", rows_by_id)
    shop.run()
    assert sorted(read) == sorted(2 * shop.search("wood"))
    assert len(read) == 4
    assert len(shop.search("steel")) == 899


def test_content_that_changes_in_its_row_is_indexed_anew(shop: Shop) -> None:
    shop.upsert(record("1", title="steel", colour="red"))
    shop.run()
    (record_id,) = shop.current()
    with shop.services.database.transaction() as session:
        set_content(session, record_id, {"title": "wood"}, "f" * 64)
        raise_generation(session, shop.dataset_id)
        shop.index.request(session, shop.dataset_id)
    shop.run()
    assert (shop.search("steel"), shop.search("wood")) == ([], [record_id])
    columns = shop.index.columns(shop.dataset_id)
    assert columns is not None
    assert columns.without_value("colour").all()


def test_others_may_write_after_every_few_records(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.upsert(*(record(f"{number}", title="steel") for number in range(3 * ROWS_PER_TURN)))
    written: list[int] = []
    add_texts = repository.add_texts
    transaction = shop.services.database.transaction

    @contextmanager
    def counted() -> Iterator[Session]:
        written.append(0)
        with transaction() as session:
            yield session

    def add(session: Session, rows: Any) -> None:
        written[-1] += len(rows)
        add_texts(session, rows)

    monkeypatch.setattr(repository, "add_texts", add)
    monkeypatch.setattr(shop.services.database, "transaction", counted)
    index_dataset(shop.services, shop.dataset_id, Silent())
    assert max(written) == ROWS_PER_TURN
    assert sum(written) == 3 * ROWS_PER_TURN


def test_a_dataset_that_is_deleted_takes_its_index_along(shop: Shop) -> None:
    other = Shop(shop.services, "other")
    for each in (shop, other):
        each.upsert(*(record(f"{number}", title="steel") for number in range(300)))
    shop.run()
    other.upsert(record("1", title="wood"))
    with shop.services.database.transaction() as session:
        lost = Removals(session, shop.services).of_dataset(
            repository.get_dataset(session, other.dataset_id)  # type: ignore[arg-type]
        )
        Removals(session, shop.services).delete_dataset(
            other.dataset_id, confirmed="other", actor="lea"
        )
    assert lost.bytes > 0
    shop.run()
    assert {job.status for job in jobs_of(shop)} == {"done"}
    assert set(shop.words()) == set(shop.current())
    assert not folder_of_dataset(shop.services, other.dataset_id).exists()
    assert other.index.columns(other.dataset_id) is None
    with shop.services.database.reading() as session:
        assert [row.dataset_id for row in session.exec(select(RecordIndexState))] == [1]
    assert other.search("steel") == []
    assert len(shop.search("steel")) == 300


def test_columns_that_are_gone_are_made_anew(shop: Shop) -> None:
    shop.upsert(record("1", title="steel"))
    shop.run()
    for folder in folder_of_dataset(shop.services, shop.dataset_id).iterdir():
        folder.rename(folder.with_suffix(".lost"))
    fresh = type(shop.index)(shop.services)
    assert fresh.columns(shop.dataset_id) is None
    assert not fresh.state(shop.dataset_id).is_current
    index_dataset(shop.services, shop.dataset_id, Silent())
    assert fresh.columns(shop.dataset_id) is not None
    assert fresh.state(shop.dataset_id).is_current
