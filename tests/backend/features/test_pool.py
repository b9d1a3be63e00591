"""A dataset's features on disk: whole or not at all, shared, bounded, purged but never in use."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from active_learning.columns.signals import ColumnSignals
from active_learning.exceptions import Cancelled
from active_learning.types import never, silent
from backend.core.database import Database
from backend.features import pool_building
from backend.features.least_recently_used import LeastRecentlyUsed
from backend.features.pool_files import DAY, KEPT_DAYS, purge_pools
from backend.features.store import FeatureStore, PoolFeatures
from backend.features.time_left import TimeLeft, time_left
from backend.models import Dataset, Record
from backend.records.repository import raise_generation
from backend.words import Message, translator
from tests.backend.training.loop import FIELDS, START, Loop, fields_of

NewLoop = Callable[..., Loop]


@pytest.fixture
def shop(new_loop: NewLoop, database: Database) -> Loop:
    """A project over 90 records; nothing is computed yet."""
    return new_loop(database)


def pool_of(loop: Loop, store: FeatureStore, signals: ColumnSignals | None = None) -> PoolFeatures:
    dataset_id = loop.project().dataset_id
    return store.pool(dataset_id, FIELDS, silent, never, signals=signals)


def add_record(loop: Loop, number: int) -> None:
    with loop.services.database.transaction() as session:
        dataset_id = loop.project().dataset_id
        session.add(
            Record(
                dataset_id=dataset_id,
                external_id=str(number),
                content_hash=f"{number:064x}",
                kind="product",
                fields=fields_of(number),
                source="test",
                created_at=START,
            )
        )
        raise_generation(session, dataset_id)


def folders(loop: Loop) -> list[Path]:
    return sorted(loop.services.settings.pools_dir.glob("dataset-*/*/*"))


def test_a_pool_on_disk_is_the_matrix_that_would_be_in_memory(shop: Loop) -> None:
    store = FeatureStore(shop.services)
    pool = pool_of(shop, store)
    ids, records = store.records(shop.project().dataset_id, FIELDS)
    assert pool.record_ids == ids
    signals = ColumnSignals.fit(records, fields=FIELDS, today=shop.clock().date())
    assert pool.signals.fingerprint() == signals.fingerprint()
    dense = store.transform(signals, records, silent, never)
    np.testing.assert_array_equal(pool.matrix[:], dense)
    some = np.random.default_rng(0).permutation(90)[:20]
    np.testing.assert_array_equal(pool.rows([ids[row] for row in some]), dense[some])
    with pytest.raises(KeyError, match="12345"):
        pool.rows([ids[0], 12345])


def test_another_process_finds_the_pool_and_reads_no_record(
    shop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pool_of(shop, FeatureStore(shop.services))
    monkeypatch.setattr(pool_building.Pages, "__iter__", lambda _self: pytest.fail("records read"))
    again = pool_of(shop, FeatureStore(shop.services))
    assert again.record_ids == first.record_ids
    assert again.signals.fingerprint() == first.signals.fingerprint()
    np.testing.assert_array_equal(again.matrix[:], first.matrix[:])
    against = pool_of(shop, FeatureStore(shop.services), first.signals)
    np.testing.assert_array_equal(against.matrix[:], first.matrix[:])


def test_records_seen_against_older_columns_are_as_those_columns_see_them(shop: Loop) -> None:
    store = FeatureStore(shop.services)
    older = pool_of(shop, store).signals
    add_record(shop, 90)
    newer = pool_of(shop, store)
    seen = pool_of(shop, store, older)
    assert newer.signals.fingerprint() != older.fingerprint() == seen.signals.fingerprint()
    _, records = store.records(shop.project().dataset_id, FIELDS)
    np.testing.assert_array_equal(seen.matrix[:], store.transform(older, records, silent, never))


def test_a_change_of_the_records_gives_a_new_pool_and_the_old_one_goes(shop: Loop) -> None:
    store = FeatureStore(shop.services)
    assert len(pool_of(shop, store).record_ids) == 90
    before = folders(shop)
    add_record(shop, 90)
    assert len(pool_of(shop, store).record_ids) == 91
    assert len(folders(shop)) == 1
    assert folders(shop) != before


def test_a_pool_in_use_stays_when_the_records_change(shop: Loop) -> None:
    used = pool_of(shop, FeatureStore(shop.services))
    rows = used.matrix[:]
    add_record(shop, 90)
    pool_of(shop, FeatureStore(shop.services))
    assert len(folders(shop)) == 2
    np.testing.assert_array_equal(used.matrix[:], rows)


def test_a_cancelled_building_leaves_nothing_half_written(shop: Loop) -> None:
    store = FeatureStore(shop.services)
    with pytest.raises(Cancelled):
        store.pool(shop.project().dataset_id, FIELDS, silent, lambda: True)
    assert folders(shop) == []
    assert len(pool_of(shop, store).record_ids) == 90


def test_embeddings_that_somebody_deleted_are_computed_anew(shop: Loop) -> None:
    store = FeatureStore(shop.services)
    before = pool_of(shop, store).matrix[:]
    for file in shop.services.settings.embeddings_dir.glob("*/*"):
        file.unlink()
    np.testing.assert_array_equal(pool_of(shop, store).matrix[:], before)


def test_two_projects_keep_their_pools_side_by_side(shop: Loop) -> None:
    store = FeatureStore(shop.services)
    with shop.services.database.transaction() as session:
        other = Dataset(name="other", kind="product", fields=list(FIELDS), created_at=START)
        session.add(other)
        session.flush()
        assert other.id is not None
        other_id = other.id
        session.add(
            Record(
                dataset_id=other_id,
                external_id="1",
                content_hash="1" * 64,
                kind="product",
                fields=fields_of(1),
                source="test",
                created_at=START,
            )
        )
    first = pool_of(shop, store)
    second = store.pool(other_id, FIELDS, silent, never)
    assert pool_of(shop, store) is first
    assert store.pool(other_id, FIELDS, silent, never) is second


def test_pools_that_nobody_reads_are_purged_and_those_in_use_are_not(shop: Loop) -> None:
    store = FeatureStore(shop.services)
    pool = pool_of(shop, store)
    (folder,) = folders(shop)
    root, later = shop.services.settings.pools_dir, time.time() + (KEPT_DAYS + 1) * DAY
    assert purge_pools(root, is_dry=False) == []
    assert purge_pools(root, is_dry=False, now=later) == [], "it is in use"
    assert folder.is_dir()
    del store, pool
    assert [gone.path for gone in purge_pools(root, is_dry=True, now=later)] == [str(folder)]
    assert folder.is_dir()
    (gone,) = purge_pools(root, is_dry=False, now=later)
    assert gone.bytes > 10_000
    assert folders(shop) == []


def test_signals_of_a_former_champion_are_purged_alone(shop: Loop) -> None:
    store = FeatureStore(shop.services)
    older = pool_of(shop, store).signals
    add_record(shop, 90)
    pool_of(shop, store)
    pool_of(shop, store, older)
    del store
    (folder,) = folders(shop)
    old = folder / f"signals-{older.fingerprint()[:16]}"
    os.utime(old, (0, 0))
    os.utime(folder)
    gone = purge_pools(shop.services.settings.pools_dir, is_dry=False)
    assert [one.path for one in gone] == [str(old)]
    assert len(list(folder.glob("signals-*"))) == 1


def test_what_was_used_least_recently_goes_first_and_the_newest_stays() -> None:
    held = LeastRecentlyUsed[str, int](10, lambda value: value)
    held.put("a", 4)
    held.put("b", 4)
    assert held.get("a") == 4
    held.put("c", 4)
    assert (held.get("a"), held.get("b"), held.get("c")) == (4, None, 4)
    held.put("large", 100)
    assert (len(held), held.get("large")) == (1, 100)
    held.drop(lambda key: key == "large")
    assert held.get("large") is None


def test_the_time_that_is_left_follows_the_pace_and_is_told_in_both_languages() -> None:
    now, told = [0.0], []
    read = ("{done:,} of {n:,} record read", "{done:,} of {n:,} records read")
    progress = TimeLeft(lambda share, message: told.append((share, message)), lambda: now[0])
    now[0] = 1.0
    progress(0.01, "100 of 10,000 records read")
    now[0] = 60.0
    progress(0.25, Message.ngettext(*read, n=10_000, done=2500))
    now[0] = 200.0
    progress(0.9, "9,000 of 10,000 records read")
    assert told == [
        (0.01, "100 of 10,000 records read"),
        (0.25, "2,500 of 10,000 records read; about 3 minutes left"),
        (0.9, "9,000 of 10,000 records read; less than a minute left"),
    ]
    assert time_left(3600) == "about 60 minutes left"
    assert translator("zh")(told[1][1]) == "已读取 2,500 / 10,000 条记录；剩余约 3 分钟"
