"""ASSAY_ENCODER was changed: every model version answers with the encoder it was trained on."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from active_learning.artifacts import load_artifact
from active_learning.encoders import loading
from active_learning.encoders.bundled import CharacterEncoder
from active_learning.types import never, silent
from backend.core.database import Database
from backend.features.encoder_choice import EncoderChoice
from backend.features.model_version import load_model_version
from backend.features.store import FeatureStore, PoolFeatures
from backend.models import ModelVersion
from tests.backend.training.loop import FIELDS, Loop

NewLoop = Callable[..., Loop]


@pytest.fixture
def other_transformer(tiny_transformer: str, tmp_path: Path) -> str:
    """A transformer of the same width with other weights."""
    torch = pytest.importorskip("torch")
    from transformers import BertModel

    folder = tmp_path / "other-bert"
    shutil.copytree(tiny_transformer, folder)
    torch.manual_seed(1)
    BertModel(BertModel.from_pretrained(folder).config).save_pretrained(folder)
    return str(folder)


def started(new_loop: NewLoop, store: Database, encoder: str) -> Loop:
    """A loop whose first champion was trained on that encoder; its second batch is out."""
    loop = new_loop(store, encoder=encoder)
    loop.ask_for_batch()
    loop.run()
    loop.turn(1)
    assert loop.failed == []
    assert [version.number for version in loop.versions] == [1]
    return loop


def answers_of(loop: Loop, version: ModelVersion, encoder: str) -> dict[int, list[float]]:
    """Record id to the probabilities of the version on that encoder."""
    artifact = load_artifact(loop.services.settings.models_dir / version.artifact)
    pool = FeatureStore(loop.services).pool(
        loop.project().dataset_id, FIELDS, silent, never, EncoderChoice(encoder), artifact.signals
    )
    found = artifact.classifier.predict_proba(pool.matrix[:])
    return dict(zip(pool.record_ids, found.tolist(), strict=True))


@pytest.mark.slow
def test_a_champion_on_an_encoder_of_another_width_answers_until_it_is_replaced(
    new_loop: NewLoop, sqlite_database: Database, tiny_transformer: str
) -> None:
    loop = started(new_loop, sqlite_database, "characters")
    loop.services.settings.encoder = tiny_transformer
    loop.turn(2)
    assert loop.failed == []
    first, second, third = loop.versions
    assert first.encoder == second.encoder == "characters-512-v1"
    facts = load_artifact(loop.services.settings.models_dir / third.artifact).facts
    assert (facts.encoder_name, facts.encoder_revision) == (tiny_transformer, third.encoder)
    decision = loop.promotions[-1]
    assert decision.challenger_id == third.id
    held = {first.id, second.id}
    assert held & {decision.previous_id, decision.model_version_id}
    assert [batch.round for batch in loop.batches] == [1, 2, 3]


@pytest.mark.slow
def test_spaces_of_equal_width_are_never_mixed(
    new_loop: NewLoop,
    sqlite_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    tiny_transformer: str,
    other_transformer: str,
) -> None:
    asked: list[EncoderChoice | None] = []
    pool = FeatureStore.pool

    def watched(store: FeatureStore, *given: Any, **named: Any) -> PoolFeatures:
        asked.append(given[4] if len(given) > 4 else named.get("choice"))
        return pool(store, *given, **named)

    monkeypatch.setattr(FeatureStore, "pool", watched)
    loop = started(new_loop, sqlite_database, tiny_transformer)
    (first,) = loop.versions
    loop.services.settings.encoder = other_transformer
    loop.ask_for_batch()
    loop.run()
    assert loop.failed == []
    assert asked[-1] == EncoderChoice(tiny_transformer)
    trained = load_model_version(loop.services, FeatureStore(loop.services), first)
    assert trained is not None
    assert trained.choice == EncoderChoice(tiny_transformer)
    answers = answers_of(loop, first, tiny_transformer)
    records = {task.id: task.record_id for task in loop.tasks(3)}
    shown = [each for each in loop.predictions if each.task_id in records]
    assert shown
    for prediction in shown:
        found = list(prediction.grade_probabilities.values())
        np.testing.assert_allclose(found, answers[records[prediction.task_id]], atol=1e-5)
    asked.clear()
    loop.turn(2)
    second, third = loop.versions[1:]
    assert (second.encoder, third.encoder != first.encoder) == (first.encoder, True)
    assert asked[0] == EncoderChoice(tiny_transformer), "the loop's own challenger"
    assert EncoderChoice(other_transformer) in asked, "the one made behind it"
    assert loop.promotions[-1].challenger_id == third.id


@pytest.mark.slow
def test_a_champion_whose_encoder_is_another_one_under_its_name_cannot_answer(
    new_loop: NewLoop,
    sqlite_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop = started(new_loop, sqlite_database, "characters")
    (first,) = loop.versions
    # What the name loads has changed, as when a package brings other weights.
    monkeypatch.setattr(loading, "CharacterEncoder", lambda: CharacterEncoder(2))
    with caplog.at_level(logging.WARNING):
        store = FeatureStore(loop.services)
        assert load_model_version(loop.services, store, first) is None
    assert "was trained on encoder characters-512-v1" in caplog.text
    assert "characters-2-v1 now" in caplog.text


@pytest.mark.slow
def test_a_champion_whose_encoder_is_gone_cannot_answer_and_is_replaced(
    new_loop: NewLoop, sqlite_database: Database, other_transformer: str
) -> None:
    loop = started(new_loop, sqlite_database, other_transformer)
    (first,) = loop.versions
    shutil.rmtree(other_transformer)
    loop.services.settings.encoder = "characters"
    # A worker that starts now; the one of before still holds the encoder in memory.
    assert load_model_version(loop.services, FeatureStore(loop.services), first) is None
    assert load_model_version(loop.services, FeatureStore(loop.services), None) is None
