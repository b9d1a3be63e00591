"""Choose the next batch: score the pool, select, say why each record."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import layout_of
from active_learning.exceptions import EmptyPool
from active_learning.learner import ActiveLearner
from active_learning.pool import Pool
from active_learning.types import RecordPredictions, SelectedBatch
from backend.core.services import Services
from backend.features.model_version import load_model_version
from backend.features.snapshot import take_snapshot
from backend.features.store import FeatureStore, PoolFeatures, learning_facts
from backend.features.time_left import TimeLeft
from backend.jobs.context import JobContext
from backend.loop import repository as loop_repository
from backend.loop.service import continue_loop
from backend.machine_labels.batch_checks import MachineLabelled, machine_labelled
from backend.models import ModelVersion, Project
from backend.projects.repository import lock_project
from backend.projects.service import ProjectsService, label_schema_of, policy_of
from backend.registry.service import RegistryService
from backend.review.gold import add_gold_records
from backend.selection import repository
from backend.selection.content import prediction_values, task_key
from backend.selection.explanations import StoredExplanation, explain_batch
from backend.words import Message
from labeling.label_schema import LabelSchema

FEATURES_SHARE, CHOICE_SHARE = 0.6, 0.8
"""Of the job's progress: features are there, records are chosen; then suggestions are explained."""


def choose_batch(
    services: Services,
    features: FeatureStore,
    context: JobContext,
    project_id: int,
    round_number: int,
) -> dict[str, Any]:
    """The batch of that round is in the store and on its way to Label Studio.

    Running it again changes nothing. An empty pool ends the loop until records come in.
    """
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
        is_made = repository.find_batch(session, project_id, round_number) is not None
        champion = RegistryService(session, services.clock).champion(project_id)
        taken = loop_repository.tasked_record_ids(session, project_id)
    size = 0
    if not is_made:
        machine = machine_labelled(services, project, round_number)
        with learning_facts(services.settings.data_dir):
            size = _choose(
                services, features, context, project, round_number, champion, taken, machine
            )
    continue_loop(services, project)
    return {"round": round_number, "tasks": size}


def _choose(
    services: Services,
    features: FeatureStore,
    context: JobContext,
    project: Project,
    round_number: int,
    champion: ModelVersion | None,
    taken: set[int],
    machine: MachineLabelled,
) -> int:
    schema, policy = label_schema_of(project), policy_of(project)
    trained = load_model_version(services, features, champion)
    if trained is None:
        champion = None  # none yet, or one that cannot answer any more
    artifact, choice = (trained.artifact, trained.choice) if trained else (None, features.own)
    pool = features.pool(
        project.dataset_id,
        schema.fields,
        lambda share, message: context.progress(FEATURES_SHARE * share, message),
        context.should_stop,
        choice,
        artifact.signals if artifact else None,
    )
    matrix = pool.matrix
    context.progress(
        FEATURES_SHARE,
        Message.ngettext(
            "choosing from {n:,} record",
            "choosing from {n:,} records",
            n=len(pool.record_ids) - len(taken),
        ),
    )
    seed = int(np.random.SeedSequence([policy.seed, round_number]).generate_state(1)[0] >> 1)
    learner = ActiveLearner(
        artifact.classifier if artifact else _new_classifier(features, pool, schema, policy.seed),
        strategy=policy.strategy,
        audit_share=policy.audit_share,
        seed=seed,
        device=services.settings.device,
    )
    try:
        selected = learner.select(
            Pool(pool.record_ids, taken | machine.record_ids),
            matrix,
            policy.batch_size,
            labels={
                label.record_id: label.grade for label in take_snapshot(services, project).training
            },
            progress=TimeLeft(
                lambda share, message: context.progress(
                    FEATURES_SHARE + (CHOICE_SHARE - FEATURES_SHARE) * share, message
                )
            ),
            should_stop=context.should_stop,
        )
    except EmptyPool:
        if not machine.checks:
            return 0
        selected = SelectedBatch([], [], [], [])
    predictions, explanations = None, dict[int, StoredExplanation]()
    if artifact is not None and len(selected):
        rows = pool.rows(selected.record_ids)
        predictions = artifact.classifier.predict_all(rows)
        context.progress(CHOICE_SHARE, Message("explaining the suggestions"))
        explanations = explain_batch(
            services, project, artifact, features.encoder(choice), selected, rows, matrix, context
        )
    return _store_batch(
        services,
        project,
        round_number,
        champion,
        seed,
        selected,
        predictions,
        explanations,
        machine,
    )


def _new_classifier(
    features: FeatureStore, pool: PoolFeatures, schema: LabelSchema, seed: int
) -> RecordClassifier:
    return RecordClassifier(
        layout_of(features.encoder().dimension, pool.signals),
        classes=schema.grades,
        issues=schema.issue_values,
        seed=seed,
    )


def _store_batch(
    services: Services,
    project: Project,
    round_number: int,
    champion: ModelVersion | None,
    seed: int,
    selected: SelectedBatch,
    predictions: RecordPredictions | None,
    explanations: dict[int, StoredExplanation],
    machine: MachineLabelled,
) -> int:
    schema = label_schema_of(project)
    with services.database.transaction() as session:
        lock_project(session, project.id)
        batch = repository.add_batch(
            session,
            project_id=project.id,
            round_number=round_number,
            strategy=policy_of(project).strategy if champion else "cold_start",
            model_version_id=champion.id if champion else None,
            seed=seed,
            now=services.clock(),
        )
        taken = loop_repository.tasked_record_ids(session, project.id)
        rows = [
            row
            for row in _task_rows(project, batch.id, machine.add_to(selected, seed=seed))
            if row["record_id"] not in taken  # by somebody, since the choice began
        ]
        task_ids = repository.add_tasks(session, rows)
        if rows:
            reason = rows[seed % len(rows)]["reason"]
            add_gold_records(session, services.clock, project, batch.id, reason=reason, seed=seed)
        if champion is not None and predictions is not None:
            repository.add_predictions(
                session,
                [
                    {
                        "task_id": task_ids[record_id],
                        "model_version_id": champion.id,
                        "created_at": services.clock(),
                        "explanation": explanations.get(record_id, []),
                        **prediction_values(predictions, row, schema),
                    }
                    for row, record_id in enumerate(selected.record_ids)
                    if record_id in task_ids
                ],
            )
    return len(task_ids)


def _task_rows(project: Project, batch_id: int, selected: SelectedBatch) -> list[dict[str, Any]]:
    places = _places(selected.is_audit)
    return [
        {
            "project_id": project.id,
            "record_id": record_id,
            "batch_id": batch_id,
            "key": task_key(project, record_id),
            "position": places[row],
            "is_audit": is_audit,
            "acquisition_score": score,
            "reason": Message.of(reason),
        }
        for row, (record_id, score, reason, is_audit) in enumerate(
            zip(
                selected.record_ids,
                selected.scores,
                selected.reasons,
                selected.is_audit,
                strict=True,
            )
        )
    ]


def _places(is_audit: Sequence[bool]) -> list[int]:
    """Each record's place in the batch: audit records spread evenly among the chosen ones.

    So neither kind is answered only by rested or only by tired annotators.
    """
    sizes = {kind: sum(flag is kind for flag in is_audit) for kind in (True, False)}
    seen = {True: 0, False: 0}
    shares = []
    for flag in is_audit:
        shares.append((seen[flag] + 0.5) / sizes[flag])
        seen[flag] += 1
    order = sorted(range(len(is_audit)), key=lambda row: (shares[row], row))
    places = [0] * len(is_audit)
    for place, row in enumerate(order):
        places[row] = place
    return places
