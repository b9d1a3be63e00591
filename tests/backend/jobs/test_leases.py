"""Leases expire, are renewed, are lost, and are taken back by the job that held them."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.jobs.exceptions import LeaseHeld
from backend.jobs.leases import HeldLeases
from tests.backend.jobs.conftest import Store

TTL = timedelta(seconds=15)


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def test_a_held_lease_is_refused_until_it_expires(store: Store) -> None:
    clock = Time()
    first = HeldLeases(store.database, clock, job_id="a", attempt=1, ttl=TTL)
    second = HeldLeases(store.database, clock, job_id="b", attempt=1, ttl=TTL)
    first.acquire("train:1")
    second.acquire("train:2")
    with pytest.raises(LeaseHeld, match="'train:1' is held by job a#1"):
        second.acquire("train:1")
    clock.pass_seconds(14)
    with pytest.raises(LeaseHeld):
        second.acquire("train:1")
    clock.pass_seconds(1)
    second.acquire("train:1")
    assert not first.all_ours
    first.renew_when_due()
    first.release("train:1")
    with pytest.raises(LeaseHeld, match="held by job b#1"):
        HeldLeases(store.database, clock, job_id="c", attempt=1, ttl=TTL).acquire("train:1")


def test_renewing_keeps_a_lease(store: Store) -> None:
    clock = Time()
    holder = HeldLeases(store.database, clock, job_id="a", attempt=1, ttl=TTL)
    other = HeldLeases(store.database, clock, job_id="b", attempt=1, ttl=TTL)
    holder.acquire("train:1")
    for _ in range(20):
        clock.pass_seconds(6)
        holder.renew_when_due()
        assert holder.all_ours
        with pytest.raises(LeaseHeld):
            other.acquire("train:1")


def test_a_job_run_again_takes_its_own_lease_back_and_the_old_attempt_notices(
    store: Store,
) -> None:
    clock = Time()
    dead = HeldLeases(store.database, clock, job_id="a", attempt=1, ttl=TTL)
    dead.acquire("train:1")
    alive = HeldLeases(store.database, clock, job_id="a", attempt=2, ttl=TTL)
    alive.acquire("train:1")
    clock.pass_seconds(6)
    dead.renew_when_due()
    assert not dead.all_ours
    dead.release("train:1")
    assert alive.all_ours
    with pytest.raises(LeaseHeld, match="held by job a#2"):
        HeldLeases(store.database, clock, job_id="a%", attempt=1, ttl=TTL).acquire("train:1")


def test_a_clock_set_back_neither_takes_a_lease_from_its_holder_nor_leaves_it_with_the_dead(
    store: Store,
) -> None:
    clock = Time()
    alive = HeldLeases(store.database, clock, job_id="a", attempt=1, ttl=TTL)
    dead = HeldLeases(store.database, clock, job_id="b", attempt=1, ttl=TTL)
    other = HeldLeases(store.database, clock, job_id="c", attempt=1, ttl=TTL)
    alive.acquire("train:1")
    dead.acquire("train:2")
    clock.pass_seconds(-3600)
    alive.renew_when_due()
    with pytest.raises(LeaseHeld, match="held by job a#1"):
        other.acquire("train:1")
    other.acquire("train:2")
    clock.pass_seconds(15)
    other.acquire("train:1")
    assert not alive.all_ours
