"""A pool on disk gives the figures and the picks of the matrix in memory."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.stored_features import SignalWriter, StoredFeatures
from active_learning.encoders.bundled import CharacterEncoder
from active_learning.encoders.embedding_cache import EmbeddingCache, text_hash
from active_learning.encoders.record_text import record_text
from active_learning.exceptions import NonFiniteFeatures, ShapeMismatch
from active_learning.learner import ActiveLearner
from active_learning.pool import Pool
from active_learning.query_strategies import candidate_facts
from active_learning.query_strategies.factory import strategy_names
from active_learning.types import Features
from tests.active_learning.conftest import CLASSES, World


@pytest.fixture
def shuffled(world: World) -> np.ndarray[Any, np.dtype[np.intp]]:
    """The records in another order, so that no place is mistaken for an id."""
    return np.random.default_rng(11).permutation(len(world.records))


def stored(world: World, order: Any, folder: Path) -> StoredFeatures:
    """The world's records in that order, written in pieces of unlike size."""
    records = [world.records[row] for row in order]
    cache = EmbeddingCache(folder / "cache", CharacterEncoder(64))
    texts = [record_text(record) for record in records]
    cache.add(texts[::-1])
    writer = SignalWriter(folder / "signals", folder / "beside", world.signals)
    for start, end in ((0, 1), (1, 300), (300, 800)):
        writer.add(world.signals.transform(records[start:end]))
    places = cache.places(map(text_hash, texts))
    return StoredFeatures(world.layout, cache.vectors, places, writer.finish())


def test_rows_and_columns_are_those_in_memory(world: World, shuffled: Any, tmp_path: Path) -> None:
    found, dense = stored(world, shuffled, tmp_path), world.features[shuffled]
    # Embeddings are kept as float16, also by the cache behind the matrix in memory.
    np.testing.assert_array_equal(found[:], dense)
    assert found.shape == dense.shape
    some = np.random.default_rng(0).permutation(800)[:90]
    np.testing.assert_array_equal(found[some], dense[some])
    np.testing.assert_array_equal(found[some, 60:70], dense[some, 60:70])
    np.testing.assert_array_equal(found[5:9, 64:], dense[5:9, 64:])
    np.testing.assert_array_equal(found[dense[:, 0] > 0.1], dense[dense[:, 0] > 0.1])
    assert found[some[:0]].shape == (0, world.layout.width)


@pytest.mark.parametrize("strategy", strategy_names())
@pytest.mark.parametrize("is_fitted", [True, False])
def test_every_strategy_picks_what_it_picks_in_memory(
    world: World,
    shuffled: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    strategy: str,
    is_fitted: bool,
) -> None:
    monkeypatch.setattr(candidate_facts, "PREDICTED_AT_A_TIME", 128)
    dense = world.features[shuffled]
    ids = [1_000 + 3 * int(row) for row in shuffled]
    known = {ids[row]: str(world.grades[shuffled[row]]) for row in range(60)}
    classifier = RecordClassifier(world.layout, CLASSES, seed=1)
    if is_fitted:
        classifier.fit(dense[:60], world.grades[shuffled[:60]])

    def chosen(features: Any) -> Any:
        learner = ActiveLearner(classifier, strategy=strategy, seed=5)
        return learner.select(Pool(ids, known), features, 20, labels=known)

    in_memory, on_disk = chosen(dense), chosen(stored(world, shuffled, tmp_path))
    assert on_disk.record_ids == in_memory.record_ids
    assert on_disk.scores == in_memory.scores
    assert on_disk.reasons == in_memory.reasons


class Watched:
    """A matrix that knows how many rows were asked of it at once."""

    def __init__(self, features: Features) -> None:
        self._features, self.most = features, 0
        self.shape = features.shape

    def __len__(self) -> int:
        return len(self._features)

    def __getitem__(self, key: Any) -> Any:
        found = self._features[key]
        self.most = max(self.most, len(found))
        return found


def test_choosing_never_reads_the_pool_as_a_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidate_facts, "PREDICTED_AT_A_TIME", 100)
    monkeypatch.setattr("active_learning.query_strategies.typiclust.SAMPLE", 50)
    classifier = RecordClassifier(world.layout, CLASSES, seed=1)
    classifier.fit(world.features[:60], world.grades[:60])
    features = Watched(world.features)
    told: list[str] = []
    known = dict.fromkeys(range(60), "good")
    ActiveLearner(classifier, strategy="margin").select(
        Pool(range(800), known), features, 9, labels=None, progress=lambda _, m: told.append(str(m))
    )
    assert 60 <= features.most <= 100
    assert told[-1] == "9 records chosen"
    assert "scored 739 of 739 records" in told, "one is drawn for the audit"


def test_known_records_are_bounded_and_those_with_labels_come_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidate_facts, "MOST_KNOWN", 50)
    labels = np.full(800, -1)
    labels[100:140] = 0
    found = candidate_facts.CandidateFacts(
        RecordClassifier(world.layout, CLASSES), world.features, np.arange(300), labels, seed=0
    ).candidates(np.arange(300, 800), frozenset())
    assert found.labelled_vectors is not None
    assert len(found.labelled_vectors) == 50
    embeddings = {row.tobytes() for row in found.labelled_vectors[:, :64]}
    assert {row.tobytes() for row in world.features[100:140, :64]} <= embeddings


def test_values_that_are_not_finite_are_counted_over_all_pieces(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidate_facts, "PREDICTED_AT_A_TIME", 100)
    features = world.features.copy()
    features[[150, 350, 351], [0, 70, 200]] = np.nan
    learner = ActiveLearner(RecordClassifier(world.layout, CLASSES))
    with pytest.raises(NonFiniteFeatures, match="3 of"):
        learner.select(Pool(range(800)), features, 10)


def test_signals_of_other_records_are_refused(world: World, tmp_path: Path) -> None:
    found = stored(world, np.arange(800), tmp_path)
    with pytest.raises(ShapeMismatch, match="800 records have signals, 799"):
        StoredFeatures(world.layout, found._vectors, found._places[:799], found._signals)
