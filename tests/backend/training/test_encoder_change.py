"""``auto`` means another encoder than the champion's: the project moves through the gate."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from active_learning.artifacts import load_artifact
from active_learning.encoders import loading
from active_learning.encoders.bundled import CharacterEncoder
from active_learning.gate import GateDecision
from active_learning.types import Reason, never, silent
from backend.core.database import Database
from backend.core.exceptions import ConfigurationError
from backend.features.encoder_choice import EncoderChoice
from backend.features.model_version import load_model_version
from backend.features.store import FeatureStore
from backend.jobs.queue import list_recent
from backend.jobs.registry import Registry
from backend.loop.job_names import NEXT_BATCH
from backend.machine_labels import jobs as machine_label_jobs
from backend.models import Job, ModelVersion
from backend.selection import jobs as selection_jobs
from backend.suspected_labels import jobs as suspected_label_jobs
from backend.training import background_challenge, challenger
from backend.training import jobs as training_jobs
from backend.training.encoder_change import CHANGE_ENCODER, CHANGED_ON, CHANGED_TO
from tests.backend.training.loop import FIELDS, Loop

NewLoop = Callable[..., Loop]
FORMER, TODAY = "characters-48-v1", "characters-96-v1"


@pytest.fixture
def upgrade(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Until it is called ``auto`` means what it meant in earlier releases."""
    is_former = [True]
    monkeypatch.setattr(loading, "_by_script", lambda _part, _tuned: CharacterEncoder(48))
    monkeypatch.setattr(loading, "_automatic", lambda _part, _tuned: CharacterEncoder(96))
    monkeypatch.setattr(
        loading,
        "_is_by_script",
        lambda name: name == "bundled-fast" or (name == "auto" and is_former[0]),
    )
    return lambda: is_former.__setitem__(0, False)


@pytest.fixture
def upgraded(new_loop: NewLoop, sqlite_database: Database, upgrade: Callable[[], None]) -> Loop:
    """A project with a champion on the former ``auto``, opened by the new release."""
    loop = new_loop(sqlite_database, encoder="auto", records=150)
    loop.ask_for_batch()
    loop.run()
    loop.turn(1)
    assert [version.encoder for version in loop.versions] == [FORMER]
    upgrade()
    return restarted(loop)


def restarted(loop: Loop) -> Loop:
    """The same loop with handlers that hold nothing in memory."""
    features = FeatureStore(loop.services)
    fresh = Registry()
    for room in (training_jobs, selection_jobs, machine_label_jobs, suspected_label_jobs):
        fresh.add_all(room.handlers(loop.services, features))
    loop.runner.registry._kinds.update(fresh._kinds)
    return loop


def changes(loop: Loop) -> list[Job]:
    """Jobs that try the new encoder, oldest first."""
    with loop.services.database.reading() as session:
        found = [job for job in list_recent(session, limit=300) if job.name == CHANGE_ENCODER]
    return sorted(found, key=lambda job: (job.enqueued_at, job.id))


def champion(loop: Loop) -> ModelVersion:
    """The version in use."""
    put = [row.model_version_id for row in loop.promotions if row.model_version_id is not None]
    return next(version for version in loop.versions if version.id == put[-1])


def test_the_champion_answers_with_the_encoder_it_was_trained_on(upgraded: Loop) -> None:
    loop = upgraded
    (first,) = loop.versions
    assert (
        load_artifact(loop.services.settings.models_dir / first.artifact).facts.encoder_name
        == "auto"
    )
    trained = load_model_version(loop.services, FeatureStore(loop.services), first)
    assert trained is not None
    assert trained.choice == EncoderChoice("bundled-fast")
    before = len(loop.predictions)
    loop.ask_for_batch()
    loop.run()
    assert loop.failed == []
    pool = FeatureStore(loop.services).pool(
        loop.project().dataset_id, FIELDS, silent, never, trained.choice, trained.artifact.signals
    )
    places = {task.id: task.record_id for task in loop.tasks(3)}
    shown = [each for each in loop.predictions[before:] if each.task_id in places]
    assert shown
    rows = pool.rows([places[each.task_id] for each in shown])
    np.testing.assert_allclose(
        [list(each.grade_probabilities.values()) for each in shown],
        trained.artifact.classifier.predict_proba(rows),
        atol=1e-5,
    )
    assert changes(loop) == [], "nothing is tried before there is something new to learn"


def test_a_challenger_on_the_new_encoder_that_passes_the_gate_moves_the_project(
    upgraded: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = upgraded
    loop.turn(2)
    assert loop.failed == []
    assert [version.encoder for version in loop.versions] == [FORMER, FORMER, TODAY]
    moved = loop.versions[-1]
    assert (moved.metrics[CHANGED_TO], moved.metrics[CHANGED_ON]) == ("auto", moved.training_labels)
    (job,) = changes(loop)
    assert job.result is not None
    assert job.result["trained"] is True
    decision = loop.promotions[-1]
    assert (decision.challenger_id, decision.decided_by) == (moved.id, "gate")
    assert champion(loop).id == moved.id, "as good on the audit sample"
    loop.turn(3)
    assert loop.versions[-1].encoder == TODAY
    assert len(changes(loop)) == 1
    assert loop.failed == []


def test_the_loop_goes_on_while_records_are_embedded(
    upgraded: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = upgraded

    def nothing_yet(*_: Any) -> None:
        raise ConfigurationError("no room for the new encoder's vectors", remedy="Free some.")

    with monkeypatch.context() as patch:
        patch.setattr(FeatureStore, "embed_all", nothing_yet)
        loop.turn(2)
        loop.turn(3)
    assert {job.name for job in loop.failed} == {CHANGE_ENCODER}
    assert [version.encoder for version in loop.versions] == [FORMER] * 3
    assert [batch.round for batch in loop.batches] == [1, 2, 3, 4]
    loop.turn(4)
    assert loop.versions[-1].encoder == TODAY, "tried again, though nobody asked for it"


def test_one_that_the_gate_refuses_is_tried_again_when_labels_have_grown(
    upgraded: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = upgraded
    decide = challenger.decide

    def refuse(*given: Any, **named: Any) -> GateDecision:
        found = decide(*given, **named)
        is_new = loop.versions[-1].encoder == FORMER and len(loop.versions) % 2 == 0
        return GateDecision(False, Reason("refused here"), found.evidence) if is_new else found

    with monkeypatch.context() as patch:
        patch.setattr(challenger, "decide", refuse)
        loop.turn(2)
    assert [version.encoder for version in loop.versions] == [FORMER, FORMER, TODAY]
    assert champion(loop).encoder == FORMER
    tried = loop.versions[-1].metrics[CHANGED_ON]
    monkeypatch.setattr("backend.training.encoder_change.GROWTH", 100.0)
    loop.turn(3)
    assert loop.versions[-1].encoder == FORMER
    assert len(changes(loop)) == 1
    monkeypatch.setattr("backend.training.encoder_change.GROWTH", 1.25)
    loop.turn(4)
    assert loop.versions[-1].encoder == TODAY
    assert loop.versions[-1].metrics[CHANGED_ON] >= 1.25 * tried
    assert champion(loop).encoder == TODAY


def test_killed_between_the_decision_and_the_end_it_still_goes_on(
    upgraded: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = upgraded

    def die(*_: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(background_challenge, "request_acceptance", die)
        loop.turn(2)
    (job,) = changes(loop)
    assert (job.status, len(loop.versions)) == ("failed", 3)
    moved = loop.versions[-1]
    with loop.services.database.transaction() as session:
        held = session.get(Job, job.id)
        assert held is not None
        held.status, held.result, held.error = "queued", None, None
    loop.run()
    assert loop.job(job.id).status == "done"
    assert [version.id for version in loop.versions][-1] == moved.id
    with loop.services.database.reading() as session:
        recent = list_recent(session, limit=300)
    assert moved.id in {each.args.get("model_version_id") for each in recent}
    assert NEXT_BATCH in {each.name for each in recent}
