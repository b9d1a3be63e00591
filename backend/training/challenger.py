"""Train a challenger, let the gate compare it with the champion, write both down."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from active_learning.artifacts import TrainingFacts, save_artifact
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import layout_of
from active_learning.columns.signals import ColumnSignals
from active_learning.evaluation import Evaluation, evaluate
from active_learning.gate import GateDecision, decide
from backend.core.services import Services
from backend.features.encoder_choice import EncoderChoice
from backend.features.label_features import LabelFeatures
from backend.features.label_weights import FEWEST_LABELS, label_weights, unswayed_classifier
from backend.features.model_version import TrainedVersion, load_model_version
from backend.features.snapshot import LabelledRecord, TrainingSnapshot, matrix
from backend.features.store import FeatureStore
from backend.jobs.context import JobContext
from backend.loop import repository as loop_repository
from backend.loop.service import LEARNT
from backend.model_reports.sample import keep_sample
from backend.models import ModelVersion, Project
from backend.projects.service import label_schema_of, policy_of
from backend.registry.service import RegistryService
from backend.training.encoder_folder import records_learnt_by
from backend.words import Message

GATE = "gate"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingPlan:
    """How a challenger is trained."""

    choice: EncoderChoice
    """The encoder that it learns on."""
    revision: str
    """What that encoder computes."""
    is_cold: bool = False
    """Forget the champion's weights."""
    is_weighted: bool = False
    """Each label counts by its data value."""
    replaces: int | None = None
    """Number of the champion whose artifact cannot be read any more."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """Kept with the model version beside what the gate measures."""

    def fingerprint(self, snapshot: TrainingSnapshot) -> str:
        """Equal for equal labels learnt in the same way."""
        way = [
            self.revision,
            "by value" if self.is_weighted else "",
            "" if self.replaces is None else f"in place of {self.replaces}",
        ]
        return hashlib.sha256("\0".join([snapshot.fingerprint, *way]).encode()).hexdigest()


def plan_on(features: FeatureStore, choice: EncoderChoice, **how: Any) -> TrainingPlan:
    """A plan on that encoder, as it computes today; ``how`` are the plan's other attributes."""
    return TrainingPlan(choice, features.encoder(choice).revision, **how)


@dataclass(frozen=True)
class Challenger:
    """A classifier that was just trained, and how it did on the audit sample."""

    classifier: RecordClassifier
    signals: ColumnSignals
    decision: GateDecision
    evaluation: Evaluation | None


class ChallengerTraining:
    """Trains challengers for one project on one snapshot."""

    def __init__(
        self,
        services: Services,
        features: FeatureStore,
        context: JobContext,
        project: Project,
        snapshot: TrainingSnapshot,
        champion: ModelVersion | None,
    ) -> None:
        self._services = services
        self._features = features
        self._context = context
        self._project = project
        self._snapshot = snapshot
        self._champion = champion
        self._schema, self._policy = label_schema_of(project), policy_of(project)

    def run(self, plan: TrainingPlan) -> dict[str, Any]:
        """The challenger's artifact, its row and the decision about it are there."""
        snapshot, context = self._snapshot, self._context
        context.progress(0.05, Message("computing features"))
        pool = self._features.pool(
            self._project.dataset_id,
            self._schema.fields,
            lambda share, message: context.progress(0.05 + 0.45 * share, message),
            context.should_stop,
            plan.choice,
        )
        reader = LabelFeatures(
            self._services, self._features, context, self._schema, pool, plan.choice
        )
        held = load_model_version(self._services, self._features, self._champion)
        taught = len(snapshot.training)
        doing = Message.ngettext("training on {n} label", "training on {n} labels", n=taught)
        context.progress(0.5, doing)
        classifier, weighed = self._fit(plan, reader, pool.signals, held)
        context.progress(0.8, Message("comparing with the champion on the audit sample"))
        challenger = self._judge(classifier, pool.signals, held, reader)
        version = self._publish(plan, challenger, weighed)
        return {
            "trained": True,
            "version": version.number,
            "promoted": challenger.decision.promote,
            "reason": str(challenger.decision.reason),
        }

    def _fit(
        self,
        plan: TrainingPlan,
        reader: LabelFeatures,
        signals: ColumnSignals,
        held: TrainedVersion | None,
    ) -> tuple[RecordClassifier, str]:
        """The classifier, and how its labels were weighed."""
        labels = self._snapshot.training
        layout = layout_of(self._features.encoder(plan.choice).dimension, signals)
        # Weights on another encoder's vectors mean nothing here.
        is_warm = (
            held is not None
            and not plan.is_cold
            and self._champion is not None
            and self._champion.encoder == plan.revision
        )
        rows, grades = reader.matrix(labels, signals), np.array([label.grade for label in labels])
        faulty = matrix([label.faulty_fields for label in labels], len(self._schema.fields))

        def fit_with(weights: NDArray[np.float64] | None = None) -> RecordClassifier:
            return RecordClassifier(
                layout,
                classes=self._schema.grades,
                issues=self._schema.issue_values,
                seed=self._policy.seed,
            ).fit(
                rows,
                grades,
                issues=matrix([label.issues for label in labels], len(self._schema.issues)),
                faulty_fields=faulty,
                sample_weight=weights,
                is_calibrating=self._calibration_rows(plan),
                warm_start=held.artifact.classifier if held is not None and is_warm else None,
                should_stop=self._context.should_stop,
            )

        classifier = fit_with()
        if not plan.is_weighted:
            return classifier, "none"
        self._context.progress(0.6, Message("weighing each label by its value"))
        judge, seen = classifier, rows
        if plan.choice != plan.choice.base:
            seen = reader.by(plan.choice.base).matrix(labels, signals)
            judge = unswayed_classifier(
                layout_of(self._features.encoder(plan.choice.base).dimension, signals),
                self._schema,
                seen,
                grades,
                faulty,
                self._policy.seed,
                self._context.should_stop,
            )
        weights = label_weights(
            judge,
            seen,
            grades,
            faulty,
            seed=self._policy.seed,
            should_stop=self._context.should_stop,
        )
        if weights is None:
            return classifier, f"none: fewer than {FEWEST_LABELS} labels"
        return fit_with(weights), "value"

    def _calibration_rows(self, plan: TrainingPlan) -> NDArray[np.bool_] | None:
        if plan.choice.folder is None:
            return None
        learnt = records_learnt_by(self._services.settings.models_dir / plan.choice.folder)
        return np.array([label.record_id not in learnt for label in self._snapshot.training])

    def _judge(
        self,
        classifier: RecordClassifier,
        signals: ColumnSignals,
        held: TrainedVersion | None,
        reader: LabelFeatures,
    ) -> Challenger:
        audit = self._snapshot.audit
        truth = [label.grade for label in audit]
        champion, unreadable, new_labels = self._champion, None, 0
        if champion is not None:
            unreadable = f"v{champion.number}" if held is None else None
            new_labels = len(self._snapshot.training) - champion.training_labels
        if not audit:
            decision = decide(
                [], [], [] if held else None, new_labels=new_labels, unreadable=unreadable
            )
            return Challenger(classifier, signals, decision, None)
        probabilities = classifier.predict_proba(reader.matrix(audit, signals))
        classes = classifier.classes_
        answers = [str(grade) for grade in classes[probabilities.argmax(axis=1)]]
        return Challenger(
            classifier,
            signals,
            decide(
                truth,
                answers,
                self._champion_answers(held, reader, audit),
                new_labels=new_labels,
                unreadable=unreadable,
            ),
            evaluate(truth, probabilities, [str(c) for c in classes], seed=self._policy.seed),
        )

    def _champion_answers(
        self, held: TrainedVersion | None, reader: LabelFeatures, audit: Sequence[LabelledRecord]
    ) -> list[str] | None:
        if held is None or self._champion is None:
            return None
        rows = reader.by(held.choice).matrix(audit, held.artifact.signals)
        return [str(grade) for grade in held.artifact.classifier.predict(rows)]

    def _publish(self, plan: TrainingPlan, challenger: Challenger, weighed: str) -> ModelVersion:
        """The artifact is on disk, then its row and the decision are in the store.

        An artifact whose row was refused, or never written, is left to the purge.
        """
        project_id, snapshot = self._project.id, self._snapshot
        fingerprint = plan.fingerprint(snapshot)
        # This attempt's alone: one that was overtaken neither finds nor deletes another's.
        artifact = Path(f"project-{project_id}", f"{fingerprint[:16]}-{uuid4().hex[:8]}")
        metrics = {**self._metrics(challenger), "label_weights": weighed, **plan.metrics}
        facts = TrainingFacts(
            encoder_name=plan.choice.name,
            encoder_revision=plan.revision,
            snapshot=snapshot.fingerprint,
            annotation_ids=snapshot.annotation_ids,
            metrics=metrics,
            parent=f"v{self._champion.number}" if self._champion else None,
        )
        directory, decision = self._services.settings.models_dir / artifact, challenger.decision
        save_artifact(directory, challenger.classifier, challenger.signals, facts)
        with self._services.database.transaction() as session:
            registry = RegistryService(session, self._services.clock)
            batch = loop_repository.latest_batch(session, project_id)
            version = registry.register(
                project_id,
                fingerprint=fingerprint,
                artifact=str(artifact),
                encoder=plan.revision,
                encoder_folder=plan.choice.folder,
                training_labels=len(snapshot.training),
                audit_labels=len(snapshot.audit),
                metrics={**metrics, "round": batch.round if batch else 0},
            )
            registry.decide(
                version,
                promote=decision.promote,
                reason=decision.reason,
                evidence=decision.evidence,
                decided_by=GATE,
            )
            keep_sample(session, version, snapshot.audit, self._schema, self._services.clock())
        return version

    def _metrics(self, challenger: Challenger) -> dict[str, Any]:
        evaluation, snapshot = challenger.evaluation, self._snapshot
        return {
            "labels": len(snapshot.training) + len(snapshot.audit),
            "complete_tasks": snapshot.complete_tasks,
            LEARNT: asdict(snapshot.learnt),
            "tied_tasks": snapshot.tied_tasks,
            "agreement": snapshot.agreement_metrics(),
            "audit_accuracy": asdict(evaluation.accuracy) if evaluation else None,
            "audit_macro_f1": asdict(evaluation.macro_f1) if evaluation else None,
            "ece": evaluation.ece if evaluation else None,
        }
