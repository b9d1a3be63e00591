"""The suite finds every fault that was mended: with the mending taken out its history fails.

Faults are numbered as in the list that they come from.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func
from sqlmodel import Session, col, select

from active_learning import gate
from active_learning.artifacts import load_artifact
from active_learning.types import Reason
from backend import app
from backend.annotations.intake import AnnotationIntake
from backend.annotations.revisions import SyncCounts
from backend.annotations.service import AnnotationsService
from backend.consensus import marks_repository
from backend.consensus.rule import SURE
from backend.consensus.service import ProjectLabels, labels_of
from backend.core.database import Database
from backend.core.services import Services
from backend.features import snapshot
from backend.features.least_recently_used import LeastRecentlyUsed
from backend.features.model_version import TrainedVersion
from backend.features.store import FeatureStore
from backend.jobs import execution
from backend.jobs.queue import enqueue, has_unfinished
from backend.label_studio import repository as label_studio
from backend.label_studio import sync
from backend.loop import answer_repository
from backend.loop import repository as loop_repository
from backend.loop import service as loop
from backend.machine_labels import acceptance, decision
from backend.model_reports import repository as report_repository
from backend.models import Annotation, ModelVersion, Project
from backend.overview import repository as overview
from backend.overview import version_measures
from backend.overview.measures import estimate_of
from backend.overview.schemas import CurvePointPublic
from backend.records import repository as records
from backend.review import case_changes, situation_repository, triage
from backend.training import challenger, retraining
from labeling.consensus import automatic, consensus_model
from labeling.consensus.base import CodedLabels
from labeling.consensus.consensus_model import ConsensusModel, model_of
from labeling.consensus.dawid_skene import fit_smoothed
from labeling.consensus.posterior import ConsensusResult
from labeling.label_schema import LabelSchema
from tests.same_answers import test_faults as faults
from tests.same_answers import test_machinery as machinery
from tests.same_answers import test_numbers as numbers
from tests.same_answers.world import World, with_tasks

Patch = pytest.MonkeyPatch


@pytest.fixture
def world(sqlite_template: Path, tmp_path: Path) -> Iterator[World]:
    """Three records, each pushed and waiting for one answer."""
    store = tmp_path / "store.sqlite3"
    shutil.copyfile(sqlite_template, store)
    with with_tasks(f"sqlite:///{store}", tmp_path) as made:
        yield made


@dataclass(frozen=True)
class Mending:
    """How a mending is taken out, the history that sees it, and what that finds."""

    fault: int
    take_out: Callable[[Patch], None]
    history: Callable[[World], None]
    finds: str


def only_known_people_answer(patch: Patch) -> None:
    states = answer_repository.states

    def by_people(session: Session, project_id: int) -> dict[int, answer_repository.RecordState]:
        held = answer_repository.answers_of(session, project_id)
        return {
            place: replace(state, responses=len(held[place].responders))
            for place, state in states(session, project_id).items()
        }

    patch.setattr(answer_repository, "states", by_people)


def no_generations(patch: Patch) -> None:
    patch.setattr(records, "raise_generation", lambda *_: None)


def old_versions_are_due(patch: Patch) -> None:
    is_due = loop_repository.is_due
    for module in (loop_repository, label_studio):
        patch.setattr(module, "is_due", lambda: is_due()[:-1])


def training_has_a_threshold_of_its_own(patch: Patch) -> None:
    def settled(services: Services, project: Project) -> ProjectLabels:
        policy = {**project.policy, "confidence_wanted": SURE}
        with services.database.reading() as session:
            return labels_of(session, project.model_copy(update={"policy": policy}))

    patch.setattr(snapshot, "shown_labels", settled)


def decisions_see_every_version(patch: Patch) -> None:
    patch.setattr(situation_repository, "newer_records", lambda *_: {})


def decided_is_decided(patch: Patch) -> None:
    after = case_changes._state_after

    def state_after(case: Any, *others: Any) -> str:
        is_over = case.state in {"decided", "ambiguous"}
        return str(case.state) if is_over else after(case, *others)

    patch.setattr(case_changes, "_state_after", state_after)


def unread_tasks_are_forgotten(patch: Patch) -> None:
    patch.setattr(label_studio, "keep_unreadable", lambda *_: None)


def unread_tasks_are_not_read_again(patch: Patch) -> None:
    changes = sync.changes_since
    patch.setattr(
        sync, "changes_since", lambda *args, **named: changes(*args, **{**named, "again": ()})
    )


def champions_use_the_encoder_of_now(patch: Patch) -> None:
    def load(
        services: Services, features: FeatureStore, version: ModelVersion | None
    ) -> TrainedVersion | None:
        folder = services.settings.models_dir
        return version and TrainedVersion(load_artifact(folder / version.artifact), features.own)

    for module in (challenger, retraining):
        patch.setattr(module, "load_model_version", load)


def labels_are_learnt_once_on_any_encoder(patch: Patch) -> None:
    patch.setattr(challenger.TrainingPlan, "fingerprint", lambda _plan, held: held.fingerprint)


def one_version_could_be_champion(patch: Patch) -> None:
    patch.setattr(decision, "share_of_candidate", lambda _candidates: 1.0)


def audits_without_a_label_drop_out(patch: Patch) -> None:
    taken = acceptance.take_snapshot

    def take(*args: Any) -> snapshot.TrainingSnapshot:
        return replace(taken(*args), audit_unlabelled=())

    patch.setattr(acceptance, "take_snapshot", take)


def the_desk_computes_while_it_writes(patch: Patch) -> None:
    patch.setattr(Database, "reading", Database.transaction)


def publishing_asks_nobody(patch: Patch) -> None:
    patch.setattr(Database, "commit_guard", lambda *_: nullcontext())


def outcomes_are_stored_as_they_are(patch: Patch) -> None:
    patch.setattr(execution, "storable_text", lambda text: text)


def proxies_are_clients(patch: Patch) -> None:
    class Unforwarded:
        def __init__(self, inner: Any, **_named: Any) -> None:
            self._inner = inner

        async def __call__(self, *args: Any) -> None:
            await self._inner(*args)

    patch.setattr(app, "ForwardedClient", Unforwarded)


def one_pool_at_a_time(patch: Patch) -> None:
    def put(self: LeastRecentlyUsed[Any, Any], key: Any, value: Any) -> None:
        self._values = {key: value}

    patch.setattr(LeastRecentlyUsed, "put", put)


def nothing_is_forgotten(patch: Patch) -> None:
    def put(self: LeastRecentlyUsed[Any, Any], key: Any, value: Any) -> None:
        self._values[key] = value

    patch.setattr(LeastRecentlyUsed, "put", put)


def the_overview_counts_what_came_last(patch: Patch) -> None:
    def last_received(*conditions: Any, include_deleted: bool = False) -> Any:
        last = (
            select(func.max(Annotation.id))
            .where(*conditions)
            .group_by(col(Annotation.label_studio_annotation_id))
        )
        found = col(Annotation.id).in_(last)
        return found if include_deleted else found & ~col(Annotation.is_deleted)

    patch.setattr(overview, "is_standing", last_received)


def nothing_is_queued_while_one_runs(patch: Patch) -> None:
    def enqueue_unless(session: Session, name: str, *, project_id: int, **named: Any) -> str:
        if has_unfinished(session, name, project_id):
            return ""
        return enqueue(session, name, project_id=project_id, **named)

    patch.setattr(loop, "enqueue_if_none_waiting", enqueue_unless)


def without_audit_the_champion_stays(patch: Patch) -> None:
    kept = gate.GateDecision(False, Reason("kept"), {"rule": "not measured"})
    patch.setattr(gate, "_decision_without_audit", lambda _new_labels: kept)


def one_transaction_of_events(patch: Patch) -> None:
    patch.setattr(AnnotationsService, "has_received_events", lambda *_: False)


def only_more_answers_are_new(patch: Patch) -> None:
    def not_learnt(
        self: loop.LoopService, project: Project, progress: loop.LoopProgress
    ) -> tuple[int, str]:
        version = loop_repository.latest_model_version(self._session, project.id)
        known = int(version.metrics["complete_tasks"]) if version else 0
        return progress.complete - known, str(progress.complete)

    patch.setattr(loop.LoopService, "_not_learnt", not_learnt)


def unreadable_champions_were_never_there(patch: Patch) -> None:
    decide = challenger.decide
    patch.setattr(
        challenger, "decide", lambda *args, **named: decide(*args, **{**named, "unreadable": None})
    )


def an_intake_asks_for_each_task(patch: Patch) -> None:
    reconcile = AnnotationIntake.reconcile

    def one_by_one(
        self: AnnotationIntake, snapshots: Any, **named: Any
    ) -> tuple[SyncCounts, list[int]]:
        for each in snapshots:
            reconcile(self, [each], **named)
        return SyncCounts(), []

    patch.setattr(AnnotationIntake, "reconcile", one_by_one)


def an_order_is_shown_as_confidence(patch: Patch) -> None:
    patch.setattr(ConsensusResult, "confidence", ConsensusResult.sureness)


def what_all_say_is_doubtful(patch: Patch) -> None:
    patch.setattr(triage, "_is_doubtful", lambda situation, *_: situation.votes >= 2)


def versions_are_measured_apart(patch: Patch) -> None:
    patch.setattr(version_measures, "comparison_of", lambda *_: None)


def each_version_has_a_sample_on_the_curve(patch: Patch) -> None:
    def curve(measures: version_measures.VersionMeasures) -> list[CurvePointPublic]:
        return [
            CurvePointPublic(
                labels=1, accuracy=accuracy, model_version=version.number, is_champion=False
            )
            for version in measures.versions
            if (accuracy := estimate_of(version, "audit_accuracy")) is not None
        ]

    patch.setattr(version_measures.VersionMeasures, "curve", curve)


def reports_are_on_the_labels_of_now(patch: Patch) -> None:
    patch.setattr(report_repository, "newest_sample", lambda *_: None)


def the_desk_keeps_its_first_assessment(patch: Patch) -> None:
    marks_of = marks_repository.marks_of
    patch.setattr(marks_repository, "marks_of", lambda *args: {**marks_of(*args), "findings": None})


def a_finding_keeps_its_own_probability(patch: Patch) -> None:
    patch.setattr(case_changes, "_changed_suspicions", lambda *_: {})


def the_desk_tells_what_was_found(patch: Patch) -> None:
    patch.setattr(
        case_changes,
        "_suspicions",
        lambda _labels, findings: {
            task_id: triage.Suspicion(each.suspicion, each.is_suspect, each.relabel_score)
            for task_id, each in findings.items()
        },
    )


def the_first_columns_are_shown(patch: Patch) -> None:
    patch.setattr(LabelSchema, "shown_fields", lambda _schema, record: dict([*record.items()][:4]))


def few_labels_are_weighed(patch: Patch) -> None:
    def weighed(coded: CodedLabels, _seed: int) -> ConsensusModel:
        return model_of(coded, fit_smoothed(coded), "dawid_skene")

    patch.setattr(automatic, "_without_classifier", weighed)


def nobody_need_have_said_it(patch: Patch) -> None:
    few_labels_are_weighed(patch)
    patch.setattr(consensus_model, "_raise_only", lambda *_: None)


def applies_many_events(world: World) -> None:
    with pytest.MonkeyPatch.context() as patch:
        faults.test_more_events_than_one_transaction_takes_are_all_applied(world, patch)


def makes_pools_once(world: World) -> None:
    with pytest.MonkeyPatch.context() as patch:
        machinery.test_two_projects_do_not_take_each_other_s_features(world, patch)


def forgets_encoders(world: World) -> None:
    with pytest.MonkeyPatch.context() as patch:
        machinery.test_fine_tuned_encoders_are_forgotten_when_memory_is_full(world, patch)


def learns_a_changed_answer(world: World) -> None:
    faults.test_what_changes_after_the_last_round_is_learnt_once(world, "answer")


def learns_a_decision(world: World) -> None:
    faults.test_what_changes_after_the_last_round_is_learnt_once(world, "decision")


MENDINGS = [
    Mending(
        1,
        only_known_people_answer,
        faults.test_labels_without_names_and_of_deleted_people_do_not_stop_the_loop,
        "who has answered",
    ),
    Mending(
        2,
        no_generations,
        faults.test_content_that_comes_back_is_asked_about_and_what_it_replaced_is_not,
        "never asked about",
    ),
    Mending(
        2,
        old_versions_are_due,
        faults.test_content_that_comes_back_is_asked_about_and_what_it_replaced_is_not,
        "not current were pushed",
    ),
    Mending(
        3,
        training_has_a_threshold_of_its_own,
        numbers.test_a_tie_is_broken_at_one_probability_for_desk_and_training,
        "what the desk shows",
    ),
    Mending(
        4,
        decisions_see_every_version,
        numbers.test_every_change_of_a_decided_record_is_shown,
        "no decision has seen",
    ),
    Mending(
        4,
        decided_is_decided,
        numbers.test_every_change_of_a_decided_record_is_shown,
        "no decision has seen",
    ),
    Mending(
        5,
        unread_tasks_are_forgotten,
        faults.test_a_task_that_could_not_be_shown_is_told_and_read_until_it_can,
        "an unread task is told",
    ),
    Mending(
        5,
        unread_tasks_are_not_read_again,
        faults.test_a_task_that_could_not_be_shown_is_read_once_it_can,
        "what Label Studio shows",
    ),
    Mending(
        6,
        champions_use_the_encoder_of_now,
        numbers.test_a_champion_answers_as_it_did_whatever_encoder_is_set,
        "answers as it did",
    ),
    Mending(
        6,
        labels_are_learnt_once_on_any_encoder,
        numbers.test_another_encoder_learns_the_labels_that_there_are,
        "learns on the encoder",
    ),
    Mending(
        7,
        one_version_could_be_champion,
        machinery.test_a_promise_counts_every_audit_and_every_version_that_could_be_champion,
        "a part for each version",
    ),
    Mending(
        7,
        audits_without_a_label_drop_out,
        machinery.test_a_promise_counts_every_audit_and_every_version_that_could_be_champion,
        "without a label count as errors",
    ),
    Mending(
        8,
        the_desk_computes_while_it_writes,
        machinery.test_an_answer_can_be_stored_while_the_desk_computes,
        "nobody waits to write",
    ),
    Mending(
        9,
        the_overview_counts_what_came_last,
        faults.test_the_overview_counts_the_revision_that_the_loop_counts,
        "annotations that count",
    ),
    Mending(
        10,
        nothing_is_queued_while_one_runs,
        numbers.test_an_answer_that_comes_while_the_desk_is_refreshed_is_on_it,
        "has a label",
    ),
    Mending(
        11,
        publishing_asks_nobody,
        machinery.test_a_training_that_was_taken_over_publishes_nothing,
        "publishes nothing",
    ),
    Mending(
        12,
        outcomes_are_stored_as_they_are,
        machinery.test_whatever_a_job_says_at_its_end_is_kept,
        "would run for ever",
    ),
    Mending(
        13,
        without_audit_the_champion_stays,
        numbers.test_a_model_that_nothing_is_measured_of_learns_on,
        "the champion knows",
    ),
    Mending(14, one_transaction_of_events, applies_many_events, "events that nobody applies"),
    Mending(14, only_more_answers_are_new, learns_a_changed_answer, "not learnt"),
    Mending(14, only_more_answers_are_new, learns_a_decision, "not learnt"),
    Mending(
        15,
        unreadable_champions_were_never_there,
        numbers.test_a_champion_that_cannot_be_read_was_there,
        "there was a champion",
    ),
    Mending(
        15,
        an_intake_asks_for_each_task,
        faults.test_an_intake_asks_the_store_as_often_for_many_tasks_as_for_few,
        "unchanged tasks",
    ),
    Mending(
        16,
        proxies_are_clients,
        machinery.test_behind_a_proxy_everybody_has_an_address_of_their_own,
        "lock nobody out",
    ),
    Mending(17, one_pool_at_a_time, makes_pools_once, "made once"),
    Mending(17, nothing_is_forgotten, forgets_encoders, "bounded"),
    Mending(
        18,
        an_order_is_shown_as_confidence,
        numbers.test_the_confidence_shown_is_the_probability_of_the_label,
        "confidence is probability",
    ),
    Mending(
        18,
        what_all_say_is_doubtful,
        numbers.test_a_tie_is_broken_at_one_probability_for_desk_and_training,
        "no doubtful case",
    ),
    Mending(
        19,
        versions_are_measured_apart,
        numbers.test_the_table_of_versions_tells_what_the_gate_measured,
        "whom the gate compared",
    ),
    Mending(
        22,
        each_version_has_a_sample_on_the_curve,
        numbers.test_everybody_tells_what_was_measured_on_the_sample_of_the_gate,
        "one sample",
    ),
    Mending(
        22,
        reports_are_on_the_labels_of_now,
        numbers.test_everybody_tells_what_was_measured_on_the_sample_of_the_gate,
        "table and gate",
    ),
    Mending(
        19,
        the_desk_keeps_its_first_assessment,
        numbers.test_the_desk_tells_the_probabilities_of_the_newest_assessment,
        "how likely a label is wrong",
    ),
    Mending(
        19,
        a_finding_keeps_its_own_probability,
        numbers.test_a_label_has_one_probability_on_desk_and_page,
        "how likely a label is wrong",
    ),
    Mending(
        19,
        the_desk_tells_what_was_found,
        numbers.test_a_label_has_one_probability_on_desk_and_page,
        "how likely a label is wrong",
    ),
    Mending(
        20,
        the_first_columns_are_shown,
        numbers.test_people_are_shown_the_fields_of_the_schema_everywhere,
        "what people are shown",
    ),
    Mending(
        21,
        few_labels_are_weighed,
        numbers.test_with_few_labels_the_vote_is_the_label,
        "with few labels",
    ),
    Mending(
        21,
        nobody_need_have_said_it,
        numbers.test_with_few_labels_the_vote_is_the_label,
        "most probable",
    ),
]


def _name(mending: Mending) -> str:
    return f"{mending.fault}-{mending.take_out.__name__}"


@pytest.mark.parametrize("mending", MENDINGS, ids=_name)
def test_a_history_fails_without_its_mending(
    world: World, monkeypatch: Patch, mending: Mending
) -> None:
    mending.take_out(monkeypatch)
    with pytest.raises(AssertionError, match=mending.finds):
        mending.history(world)
