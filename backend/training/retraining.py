"""One retraining: learn from all labels, compare with the champion, decide, continue."""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from active_learning.artifacts import Artifact, TrainingFacts, load_artifact, save_artifact
from active_learning.classifiers.column_signals import ColumnSignals
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import layout_of
from active_learning.evaluation import Evaluation, evaluate
from active_learning.exceptions import ArtifactError
from active_learning.gate import GateDecision, decide
from active_learning.types import Features
from backend.annotations import loop_repository
from backend.annotations import repository as annotations
from backend.annotations.service import AnnotationsService
from backend.core.services import Services
from backend.jobs.context import JobContext
from backend.models import ModelVersion, Project
from backend.projects.service import ProjectsService, label_schema_of, policy_of
from backend.registry.service import RegistryService
from backend.training import repository
from backend.training.features import FeatureStore, PoolFeatures, learning_facts
from backend.training.snapshot import LabelledRecord, TrainingSnapshot, build_snapshot, matrix
from labeling.label_schema import LabelSchema

MINIMUM_LABELS = 8
COLD_EVERY = 5
GATE = "gate"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Challenger:
    """A classifier that was just trained, and how it did on the audit sample."""

    classifier: RecordClassifier
    decision: GateDecision
    evaluation: Evaluation | None


def retrain(
    services: Services, features: FeatureStore, context: JobContext, project_id: int
) -> dict[str, Any]:
    """The labels of now have a model version and a decision about it; the loop goes on.

    Running it again on the same labels changes nothing. The champion changes only through
    the gate, which compares both on the audit sample.
    """
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
        snapshot = take_snapshot(services, project)
        registry = RegistryService(session, services.clock)
        champion = registry.champion(project_id)
        is_known = registry.find_by_fingerprint(project_id, snapshot.fingerprint) is not None
        number = len(registry.list_versions(project_id)) + 1
    reason = _reason_not_to_train(snapshot)
    if reason is None and not is_known:
        with learning_facts(services.settings.models_dir):
            result = _train(services, features, context, project, snapshot, champion, number)
    else:
        result = {"trained": False, "why": reason or "these labels were learnt already"}
    with services.database.transaction() as session:
        AnnotationsService(session, services.clock).continue_loop(project, is_retrained=True)
    return result


def take_snapshot(services: Services, project: Project) -> TrainingSnapshot:
    """The project's labels at this moment."""
    assert project.id is not None
    policy = policy_of(project)
    with services.database.reading() as session:
        return build_snapshot(
            repository.tasks(session, project.id),
            annotations.current_revisions(session, project.id),
            label_schema_of(project),
            annotators_per_record=policy.annotators_per_record,
            seed=policy.seed,
        )


def _reason_not_to_train(snapshot: TrainingSnapshot) -> str | None:
    if len(snapshot.training) < MINIMUM_LABELS:
        return f"{len(snapshot.training)} labels are too few; {MINIMUM_LABELS} are needed"
    if len({label.grade for label in snapshot.training}) < 2:
        return "all labels are of one grade; there is nothing to tell apart yet"
    return None


def _train(
    services: Services,
    features: FeatureStore,
    context: JobContext,
    project: Project,
    snapshot: TrainingSnapshot,
    champion: ModelVersion | None,
    number: int,
) -> dict[str, Any]:
    assert project.id is not None
    schema, policy = label_schema_of(project), policy_of(project)
    context.progress(0.05, f"computing features for model version {number}")
    pool = features.pool(project.dataset_id, schema.fields, context.progress, context.should_stop)
    reader = LabelFeatures(services, features, context, schema, pool)
    held = _load_champion(services, champion)
    context.progress(0.5, f"training on {len(snapshot.training)} labels")
    classifier = RecordClassifier(
        layout_of(features.encoder.dimension, pool.signals),
        classes=schema.grades,
        issues=schema.issue_values,
        seed=policy.seed,
    ).fit(
        reader.matrix(snapshot.training, pool.signals),
        np.array([label.grade for label in snapshot.training]),
        issues=matrix([label.issues for label in snapshot.training], len(schema.issues)),
        faulty_fields=matrix(
            [label.faulty_fields for label in snapshot.training], len(schema.fields)
        ),
        warm_start=held.classifier if held and number % COLD_EVERY else None,
        should_stop=context.should_stop,
    )
    context.progress(0.8, "comparing with the champion on the audit sample")
    challenger = _judge(classifier, pool.signals, held, reader, snapshot.audit, policy.seed)
    version = _publish(services, project, features, pool.signals, snapshot, challenger, champion)
    return {
        "trained": True,
        "version": version.number,
        "promoted": challenger.decision.promote,
        "reason": challenger.decision.reason.en,
    }


class LabelFeatures:
    """Feature rows of labelled records, from the pool where it has them."""

    def __init__(
        self,
        services: Services,
        features: FeatureStore,
        context: JobContext,
        schema: LabelSchema,
        pool: PoolFeatures,
    ) -> None:
        self._services = services
        self._features = features
        self._context = context
        self._schema = schema
        self._pool = pool
        self._place = {record_id: row for row, record_id in enumerate(pool.record_ids)}

    def matrix(self, labels: Sequence[LabelledRecord], signals: ColumnSignals) -> Features:
        """(n, width) rows of these records, as ``signals`` sees them."""
        ids = [label.record_id for label in labels]
        is_same = signals.fingerprint() == self._pool.signals.fingerprint()
        if is_same and all(record_id in self._place for record_id in ids):
            return np.asarray(self._pool.matrix[[self._place[record_id] for record_id in ids]])
        with self._services.database.reading() as session:
            records = repository.records_by_id(session, ids)
        return self._features.transform(
            signals,
            [
                {name: records[record_id].fields.get(name) for name in self._schema.fields}
                for record_id in ids
            ],
            self._context.progress,
            self._context.should_stop,
        )


def _load_champion(services: Services, champion: ModelVersion | None) -> Artifact | None:
    if champion is None:
        return None
    try:
        return load_artifact(services.settings.models_dir / champion.artifact)
    except ArtifactError as error:
        # A lost champion cannot be compared with; the challenger takes its place, and says so.
        logger.warning("champion v%d cannot be read: %s", champion.number, error)
        return None


def _judge(
    classifier: RecordClassifier,
    signals: ColumnSignals,
    champion: Artifact | None,
    reader: LabelFeatures,
    audit: Sequence[LabelledRecord],
    seed: int,
) -> Challenger:
    truth = [label.grade for label in audit]
    classes = [str(name) for name in classifier.classes_]
    if not audit:
        return Challenger(classifier, decide([], [], [] if champion else None), None)
    rows = reader.matrix(audit, signals)
    probabilities = classifier.predict_proba(rows)
    rival = None
    if champion is not None:
        rival = [
            str(grade)
            for grade in champion.classifier.predict(reader.matrix(audit, champion.signals))
        ]
    challenger = [str(grade) for grade in classifier.predict(rows)]
    return Challenger(
        classifier,
        decide(truth, challenger, rival),
        evaluate(truth, probabilities, classes, seed=seed),
    )


def _publish(
    services: Services,
    project: Project,
    features: FeatureStore,
    signals: ColumnSignals,
    snapshot: TrainingSnapshot,
    challenger: Challenger,
    champion: ModelVersion | None,
) -> ModelVersion:
    """The artifact is on disk, then its row and the decision are in the store."""
    assert project.id is not None
    artifact = Path(f"project-{project.id}") / snapshot.fingerprint[:16]
    metrics = _metrics(snapshot, challenger)
    facts = TrainingFacts(
        encoder_name=services.settings.encoder,
        encoder_revision=features.encoder.revision,
        snapshot=snapshot.fingerprint,
        annotation_ids=snapshot.annotation_ids,
        metrics=metrics,
        parent=f"v{champion.number}" if champion else None,
    )
    directory = services.settings.models_dir / artifact
    # One left by a killed training has no row: nobody refers to it.
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    save_artifact(directory, challenger.classifier, signals, facts)
    decision = challenger.decision
    with services.database.transaction() as session:
        registry = RegistryService(session, services.clock)
        batch = loop_repository.latest_batch(session, project.id)
        version = registry.register(
            project.id,
            fingerprint=snapshot.fingerprint,
            artifact=str(artifact),
            encoder=features.encoder.revision,
            training_labels=len(snapshot.training),
            audit_labels=len(snapshot.audit),
            metrics={**metrics, "round": batch.round if batch else 0},
        )
        registry.decide(
            version,
            promote=decision.promote or champion is None,
            reason=decision.reason.en,
            reason_zh=decision.reason.zh,
            evidence=decision.evidence,
            decided_by=GATE,
        )
    return version


def _metrics(snapshot: TrainingSnapshot, challenger: Challenger) -> dict[str, Any]:
    evaluation = challenger.evaluation
    return {
        "labels": len(snapshot.training) + len(snapshot.audit),
        "complete_tasks": snapshot.complete_tasks,
        "tied_tasks": snapshot.tied_tasks,
        "agreement": snapshot.agreement_metrics(),
        "audit_accuracy": asdict(evaluation.accuracy) if evaluation else None,
        "audit_macro_f1": asdict(evaluation.macro_f1) if evaluation else None,
        "ece": evaluation.ece if evaluation else None,
    }
