"""Explanations of a batch: who gets one, how deep it goes, and that it reaches Label Studio."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from active_learning.artifacts import Artifact
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import RecordFeatures, layout_of
from active_learning.columns.signals import ColumnSignals
from active_learning.encoders.bundled import CharacterEncoder
from active_learning.encoders.embedding_cache import EmbeddingCache
from active_learning.types import Features, never
from backend.core.database import Database
from backend.label_studio import connection, push
from backend.selection import explanations
from backend.selection.explanations import explain_suggestions, is_explained
from backend.words import Message, in_every_language
from labeling.label_studio.label_config import build_label_config, has_evidence
from tests.backend.training.loop import Loop, fields_of
from tests.fixtures.chinese import in_chinese

FIELDS = ("title", "price")


def test_suggested_records_have_an_explanation_audit_records_never(loop: Loop) -> None:
    loop.turn(1)
    policy_seed = 0
    found = {task.id: task for task in loop.tasks(2)}
    explained = 0
    for prediction in loop.predictions:
        task = found[prediction.task_id]
        if not is_explained(task.record_id, is_audit=task.is_audit, share=0.9, seed=policy_seed):
            assert prediction.explanation == []
        for mark in prediction.explanation:
            assert mark["field"] in FIELDS
            assert {"value", "contribution", "reason", "tokens"} <= mark.keys()
            reason = Message.from_json(mark["reason"])
            assert str(reason) != in_chinese(reason)
        explained += bool(prediction.explanation)
    assert explained > 5
    assert all(not p.explanation for p in loop.predictions if found[p.task_id].is_audit)


def test_a_share_of_none_switches_them_off(
    new_loop: Callable[..., Loop], sqlite_database: Database
) -> None:
    loop = new_loop(sqlite_database, explanation_share=0.0)
    loop.ask_for_batch()
    loop.run()
    loop.turn(1)
    assert loop.predictions
    assert all(prediction.explanation == [] for prediction in loop.predictions)


def test_the_draw_has_its_share_and_is_the_same_again() -> None:
    drawn = [is_explained(key, is_audit=False, share=0.9, seed=3) for key in range(4_000)]
    assert 0.88 < np.mean(drawn) < 0.92
    assert drawn == [is_explained(key, is_audit=False, share=0.9, seed=3) for key in range(4_000)]
    other = [is_explained(key, is_audit=False, share=0.9, seed=4) for key in range(4_000)]
    assert drawn != other
    assert all(is_explained(key, is_audit=False, share=1.0, seed=0) for key in range(200))


class CountingEncoder(CharacterEncoder):
    """Counts the texts it was given."""

    def __init__(self) -> None:
        super().__init__(64)
        self.read = 0

    def encode(self, texts: Any, *rest: Any, **more: Any) -> Any:
        self.read += len(texts)
        return super().encode(texts, *rest, **more)


@pytest.fixture
def taught(tmp_path: Path) -> tuple[Artifact, CountingEncoder, list[dict[str, Any]], Features]:
    """A champion that reads titles, its encoder, 120 records and their features."""
    records: list[dict[str, Any]] = [dict(fields_of(number)) for number in range(120)]
    encoder = CountingEncoder()
    signals = ColumnSignals.fit(records, fields=list(FIELDS), today=date(2026, 5, 1))
    matrix = RecordFeatures(EmbeddingCache(tmp_path, encoder), signals).transform(records)
    classifier = RecordClassifier(
        layout_of(64, signals), classes=("good", "fair", "poor"), issues=(), seed=0
    ).fit(
        matrix,
        np.array([("good", "fair", "poor")[number % 3] for number in range(120)]),
        issues=np.zeros((120, 0), dtype=bool),
        faulty_fields=np.zeros((120, 2), dtype=bool),
    )
    artifact: Any = SimpleNamespace(classifier=classifier, signals=signals)
    encoder.read = 0
    return artifact, encoder, records, matrix


def test_tokens_go_as_far_as_the_texts_that_may_be_read(
    taught: tuple[Artifact, CountingEncoder, list[dict[str, Any]], Features],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    artifact, encoder, records, matrix = taught
    for most in (0, 60, 250, 640):
        monkeypatch.setattr(explanations, "TEXTS_READ", most)
        encoder.read = 0
        found = explain_suggestions(artifact, encoder, records, matrix, matrix, never)
        assert len(found) == 120
        assert encoder.read <= most
        deep = [any(mark["tokens"] for mark in marks) for marks in found]
        assert any(deep) == (most > 240)
        assert not any(deep[80:])  # the records that come first have the tokens
        for record, marks in zip(records, found, strict=True):
            for mark in marks:
                assert mark["value"] == record[mark["field"]]
                for token in mark["tokens"]:
                    assert mark["value"][token["start"] : token["end"]] == token["text"]


def test_no_records_no_explanations(
    taught: tuple[Artifact, CountingEncoder, list[dict[str, Any]], Features],
) -> None:
    artifact, encoder, _, matrix = taught
    assert explain_suggestions(artifact, encoder, [], matrix[:0], matrix, never) == []


@pytest.mark.parametrize("is_marked", [True, False])
def test_marks_are_pushed_only_to_a_screen_that_has_the_control(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, is_marked: bool
) -> None:
    loop.turn(1)
    sent: list[dict[str, Any]] = []

    def keep(
        _client: object, _project: int, items: list[dict[str, Any]], _progress: object
    ) -> dict[str, int]:
        sent.extend(items)
        return {item["data"]["assay_key"]: number for number, item in enumerate(items, 5_000)}

    monkeypatch.setattr(push, "push_tasks", keep)
    monkeypatch.setattr(push, "connect", lambda *_parts: 1)
    monkeypatch.setattr(push, "shows_evidence", lambda *_parts: is_marked)
    monkeypatch.setattr(push, "_show_model_version", lambda *_parts: None)
    with loop.services.database.transaction() as session:
        session.merge(loop.batches[1]).pushed_at = None
        for task in loop.tasks(2):
            session.merge(task).label_studio_task_id = None
    loop.services.settings.label_studio_token = SecretStr("never sent")
    push.push_batches(loop.services, loop.project_id)
    marks = [
        region
        for item in sent
        for prediction in item.get("predictions", ())
        for region in prediction["result"]
        if region["from_name"] == "evidence"
    ]
    assert bool(marks) == is_marked


class Screen:
    """Label Studio's answer about one project's screen."""

    def __init__(self, label_config: str) -> None:
        self.label_config = label_config

    def get_project(self, _project: int) -> dict[str, Any]:
        return {"label_config": self.label_config}

    def update_project(self, _project: int, changes: dict[str, Any]) -> None:
        self.label_config = changes["label_config"]


@pytest.mark.parametrize("kind", ["made without it", "made with it", "changed by people"])
def test_only_a_screen_as_it_was_made_is_changed(loop: Loop, kind: str) -> None:
    project = loop.project()
    schema = connection.label_schema_of(project)
    held = build_label_config(schema, evidence=kind == "made with it", say=in_every_language)
    if kind == "changed by people":
        held = held.replace("<Header ", "<!-- ours --><Header ", 1)
    screen = Screen(held)
    services: Any = SimpleNamespace(label_studio=screen)
    is_shown = connection.shows_evidence(services, project, 1)
    assert is_shown == (kind != "changed by people")
    assert has_evidence(screen.label_config) == is_shown
    if kind != "made without it":
        assert screen.label_config == held
