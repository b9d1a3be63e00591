"""Consensus labels in the store are those of the moment: new ones, changed ones, no others."""

from sqlmodel import Session

from backend.consensus.repository import consensus_fingerprints
from backend.consensus.service import keep, labels_of
from tests.backend.annotations.conftest import NOW, Seeded
from tests.backend.loop.store import Store


def test_what_is_new_or_changed_is_written_and_what_is_gone_is_dropped(seeded: Seeded) -> None:
    with Session(seeded.database.engine, expire_on_commit=False) as session:
        store = Store(seeded, session)

        def kept() -> tuple[int, set[int]]:
            labels = labels_of(session, seeded.project)
            written = keep(session, seeded.project_id, labels, NOW)
            shown = consensus_fingerprints(session, seeded.project_id)
            assert shown == {k: each.fingerprint() for k, each in labels.consensus.items()}
            return written, set(shown)

        first, second = store.task(1).id, store.task(2).id
        assert kept() == (0, set())
        store.say(store.task(1), 7, "good")
        store.say(store.task(2), 7, "good")
        assert kept() == (2, {first, second})
        assert kept() == (0, {first, second})
        store.say(store.task(1), 7, "poor", annotation=1, revision=2)
        assert kept() == (1, {first, second})
        store.say(store.task(2), 7, "good", annotation=2, revision=2, is_deleted=True)
        assert kept() == (0, {first})
