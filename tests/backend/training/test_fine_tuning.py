"""A fine-tuned challenger: due, trained behind the loop, judged, and the loop goes on with it."""

from collections.abc import Callable
from typing import Any

import pytest

from active_learning.artifacts import load_artifact
from backend.core.database import Database
from backend.features.snapshot import take_snapshot
from backend.jobs.inline import InlineRunner
from backend.jobs.queue import list_recent
from backend.loop.job_names import NEXT_BATCH, RETRAIN
from backend.models import Job
from backend.suspected_labels.service import ASSESS, LabelFindings
from backend.training import background_challenge, fine_tuning
from backend.training.encoder_folder import records_learnt_by
from backend.training.fine_tuning_request import FINE_TUNE, FINE_TUNED_ON
from tests.backend.training.loop import Loop

NewLoop = Callable[..., Loop]


def jobs_named(loop: Loop, name: str) -> list[Job]:
    with loop.services.database.reading() as session:
        return [job for job in list_recent(session, limit=200) if job.name == name]


@pytest.fixture
def tuned_loop(new_loop: NewLoop, database: Database, tiny_transformer: str) -> Loop:
    """A loop after its first round, in which 64 labels made a fine-tuning due."""
    loop = new_loop(
        database,
        records=260,
        encoder=tiny_transformer,
        batch_size=100,
        audit_share=0.3,
        fine_tune_after=60,
    )
    loop.ask_for_batch()
    loop.run()
    loop.turn(1)
    return loop


def test_enough_labels_bring_a_fine_tuned_challenger_to_the_gate(tuned_loop: Loop) -> None:
    loop = tuned_loop
    assert loop.failed == []
    (job,) = jobs_named(loop, FINE_TUNE)
    assert job.status == "done"
    assert job.result is not None
    assert job.result["trained"] is True
    first, tuned = loop.versions
    assert (first.encoder_folder, tuned.metrics[FINE_TUNED_ON]) == (None, 70)
    assert tuned.encoder_folder is not None
    assert tuned.encoder != first.encoder
    models = loop.services.settings.models_dir
    assert load_artifact(models / tuned.artifact).facts.encoder_revision == tuned.encoder
    decision = loop.promotions[-1]
    assert decision.challenger_id == tuned.id
    assert decision.evidence["rule"] == "paired"
    learnt = records_learnt_by(models / tuned.encoder_folder)
    snapshot = take_snapshot(loop.services, loop.project())
    assert learnt <= {label.record_id for label in snapshot.training}
    assert not learnt & {label.record_id for label in snapshot.audit}, "audit stays unseen"
    assert loop.versions[1].training_labels == 70
    judged = {job.args["model_version_id"]: job.status for job in jobs_named(loop, ASSESS)}
    assert judged == {first.id: "done", tuned.id: "done"}
    with loop.services.database.reading() as session:
        findings = LabelFindings(session, loop.clock)
        found = findings.newest_assessment(loop.project_id)
    assert found is not None
    assert (found[0].number, found[1].labels, found[1].why_skipped) == (tuned.number, 70, None)


def test_the_loop_goes_on_with_a_promoted_encoder(tuned_loop: Loop) -> None:
    loop = tuned_loop
    tuned = loop.versions[1]
    assert loop.promotions[-1].model_version_id == tuned.id, "it wins: the frozen one knows nothing"
    loop.turn(2)
    assert loop.failed == []
    third = loop.versions[2]
    assert third.encoder_folder == tuned.encoder_folder, "new heads, same encoder"
    assert len(jobs_named(loop, FINE_TUNE)) == 2, "half as many labels more: due again"
    assert len([job for job in jobs_named(loop, RETRAIN) if job.status == "done"]) >= 2
    assert all(job.status == "done" for job in jobs_named(loop, NEXT_BATCH))
    assert loop.batches[-1].model_version_id in {version.id for version in loop.versions[1:]}


def test_killed_between_the_new_version_and_the_end_it_still_goes_on(
    new_loop: NewLoop,
    sqlite_database: Database,
    tiny_transformer: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = new_loop(
        sqlite_database,
        records=260,
        encoder=tiny_transformer,
        batch_size=100,
        audit_share=0.3,
        fine_tune_after=60,
    )
    loop.ask_for_batch()
    loop.run()

    def die(*_: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(background_challenge, "request_acceptance", die)
        loop.turn(1)
    (job,) = jobs_named(loop, FINE_TUNE)
    tuned = loop.versions[-1]
    assert (job.status, len(loop.versions)) == ("failed", 2)
    assert tuned.id not in {job.args["model_version_id"] for job in jobs_named(loop, ASSESS)}
    with loop.services.database.transaction() as session:
        held = session.get(Job, job.id)
        assert held is not None
        held.status, held.result, held.error = "queued", None, None
    loop.run()
    assert [version.id for version in loop.versions][-1] == tuned.id
    assert tuned.id in {job.args["model_version_id"] for job in jobs_named(loop, ASSESS)}


def test_run_again_it_changes_nothing(tuned_loop: Loop) -> None:
    loop = tuned_loop
    before = [version.fingerprint for version in loop.versions]
    (job,) = jobs_named(loop, FINE_TUNE)
    with loop.services.database.transaction() as session:
        held = session.get(Job, job.id)
        assert held is not None
        held.status, held.result = "queued", None
    loop.run()
    assert [version.fingerprint for version in loop.versions] == before
    assert loop.job(job.id).result == {
        "trained": False,
        "why": "these labels were learnt already",
    }


def test_an_encoder_without_a_transformer_says_so(
    new_loop: NewLoop, sqlite_database: Database
) -> None:
    loop = new_loop(
        sqlite_database, records=200, batch_size=100, audit_share=0.3, fine_tune_after=60
    )
    loop.ask_for_batch()
    loop.run()
    loop.turn(1)
    (job,) = jobs_named(loop, FINE_TUNE)
    assert job.result is not None
    assert job.result == {
        "trained": False,
        "why": "encoder 'characters' has no transformer to train",
    }
    assert len(loop.versions) == 1


def test_a_policy_can_do_without(new_loop: NewLoop, sqlite_database: Database) -> None:
    loop = new_loop(
        sqlite_database, records=200, batch_size=100, audit_share=0.3, fine_tune_after=None
    )
    loop.ask_for_batch()
    loop.run()
    loop.turn(1)
    assert jobs_named(loop, FINE_TUNE) == []


def test_the_loop_is_not_stopped_while_the_encoder_learns(
    new_loop: NewLoop,
    sqlite_database: Database,
    tiny_transformer: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = new_loop(
        sqlite_database,
        records=300,
        encoder=tiny_transformer,
        batch_size=100,
        audit_share=0.3,
        fine_tune_after=60,
    )
    loop.ask_for_batch()
    loop.run()
    during: list[int] = []
    original = fine_tuning._train_encoder

    def label_meanwhile(*arguments: Any) -> None:
        original(*arguments)
        if not during:
            meanwhile = InlineRunner(loop.runner.database, loop.runner.registry, loop.clock)
            meanwhile.run_pending()
            during.append(len(loop.versions))
            loop.answer(2)
            loop.clock.advance(-10)  # or the busy job would look lost
            meanwhile.run_pending()
            during.append(len(loop.versions))

    monkeypatch.setattr(fine_tuning, "_train_encoder", label_meanwhile)
    loop.turn(1)
    assert loop.failed == []
    before, after = during
    assert after == before + 1, "a round was answered and learnt while the encoder was busy"
    tuned = next(version for version in loop.versions if version.encoder_folder)
    assert tuned.training_labels == 140, "the heads have learnt the labels of now"
