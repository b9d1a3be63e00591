"""One assessment: which labels are probably wrong, what each is worth, who should look again."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import layout_of
from active_learning.data_value.out_of_fold import (
    FOLDS,
    Views,
    find_label_errors,
    honest_design,
)
from active_learning.data_value.pruning import DataValue, split_by_value
from active_learning.label_errors import LabelErrors, label_verdicts, trust_temperature
from active_learning.query_strategies.relabelling import Relabelling, relabel
from active_learning.types import Features, Marks, Probabilities
from backend.consensus.service import ProjectLabels, shown_labels
from backend.core.services import Services
from backend.core.turns import turns
from backend.features.label_features import LabelFeatures
from backend.features.label_weights import FEWEST_LABELS, unswayed_classifier
from backend.features.model_version import TrainedVersion, load_model_version
from backend.features.snapshot import LabelledRecord, TrainingSnapshot, build_snapshot, matrix
from backend.features.store import FeatureStore, learning_facts
from backend.jobs.context import JobContext
from backend.models import ModelVersion, Project
from backend.projects.service import ProjectsService, label_schema_of, policy_of
from backend.suspected_labels import repository as findings
from backend.suspected_labels.people import answers_matrix, probabilities_with_people
from backend.suspected_labels.schemas import AUDIT_GROUP, Assessment
from backend.suspected_labels.service import LabelFindings
from backend.words import Message


@dataclass(frozen=True)
class Judgement:
    """What is said about n training labels followed by m audit labels."""

    labels: tuple[LabelledRecord, ...]
    errors: LabelErrors
    value: DataValue
    """Of the training labels alone."""
    relabelling: Relabelling
    classes: tuple[str, ...]
    probabilities: Probabilities
    """(n + m, classes) by classifiers that did not see the label."""


def assess(
    services: Services,
    features: FeatureStore,
    context: JobContext,
    project_id: int,
    model_version_id: int,
) -> dict[str, Any]:
    """The model version has one finding for each label of now; running it again replaces them.

    Training labels are judged by heads that did not see them; audit labels, from which nothing
    is learnt, by a classifier of all training labels. After fine-tuning that is one on the
    encoder from before, which did not see the labels either.
    """
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
        version = findings.version(session, model_version_id)
        known = LabelFindings(session, services.clock).newest_assessment(project_id)
    if version is None:
        return {"assessed": False, "why": f"there is no model version with id {model_version_id}"}
    if known is not None and known[0].number > version.number:
        return {"assessed": False, "why": f"v{known[0].number} is newer; its labels are judged"}
    shown, schema = shown_labels(services, project), label_schema_of(project)
    snapshot = build_snapshot(shown, schema, seed=policy_of(project).seed)
    assessment = Assessment(
        labels=len(snapshot.training),
        audit_labels=len(snapshot.audit),
        tied=snapshot.tied_tasks,
    )
    trained = load_model_version(services, features, version)
    if len(snapshot.training) < FEWEST_LABELS or trained is None:
        assessment.skipped_message = _why_not(snapshot, version)
        _keep(services, context, version, [], assessment)
        return {"assessed": False, "why": assessment.why_skipped}
    with learning_facts(services.settings.data_dir):
        judgement = _judge(services, features, context, project, trained, shown, snapshot)
    kinds = [str(kind) for kind in judgement.value.kinds]
    suspected = int(judgement.errors.is_suspected.sum())
    assessment.suspected = suspected
    assessment.noise_rate = judgement.errors.noise_rate
    assessment.groups = {kind: kinds.count(kind) for kind in ("important", "redundant", "harmful")}
    assessment.summary_message = Message.of(judgement.value.summary)
    assessment.effects = [asdict(effect) for effect in judgement.value.effects]
    _keep(services, context, version, _rows(project, version, judgement), assessment)
    return {"assessed": True, "version": version.number, "suspected": suspected}


def _judge(
    services: Services,
    features: FeatureStore,
    context: JobContext,
    project: Project,
    trained: TrainedVersion,
    shown: ProjectLabels,
    snapshot: TrainingSnapshot,
) -> Judgement:
    schema, seed, stop = label_schema_of(project), policy_of(project).seed, context.should_stop
    training, audit = snapshot.training, snapshot.audit
    # A fine-tuned encoder has seen the labels it would judge; the one from before has not.
    artifact, untuned = trained.artifact, trained.choice.base
    reader = LabelFeatures(services, features, context, schema, None, untuned)
    rows = reader.matrix(training, artifact.signals)
    marks = matrix([label.faulty_fields for label in training], len(schema.fields))
    classifier = artifact.classifier
    if trained.choice != untuned:
        layout = layout_of(features.encoder(untuned).dimension, artifact.signals)
        classifier = unswayed_classifier(
            layout, schema, rows, [label.grade for label in training], marks, seed, stop
        )
    audit_rows = reader.matrix(audit, artifact.signals) if audit else None
    context.progress(
        0.4, Message.ngettext("judging {n} label", "judging {n} labels", n=len(training))
    )
    codes = _codes(classifier, training)
    errors, probabilities = _out_of_fold(classifier, rows, codes, marks, seed, context)
    all_codes = codes
    if audit_rows is not None:
        audit_codes = _codes(classifier, audit)
        own = trust_temperature(
            classifier.predict_proba(audit_rows), audit_codes, np.zeros(len(audit), bool)
        )
        # Judged together, so that both are on one scale.
        probabilities = np.concatenate([probabilities, own])
        all_codes = np.concatenate([codes, audit_codes])
    labels = (*training, *audit)
    errors = label_verdicts(
        probabilities,
        all_codes,
        list(classifier.classes),
        is_shown=errors.is_shown,
        people=probabilities_with_people(
            shown, schema, labels, list(classifier.classes), probabilities
        ),
    )
    context.progress(0.6, Message("measuring what leaving labels out does"))
    value = split_by_value(
        honest_design(classifier, rows, marks),
        codes,
        len(classifier.classes),
        _first(errors, len(training)),
        seed=seed,
        should_stop=stop,
    )
    answers = answers_matrix(classifier, labels, shown.held)
    return Judgement(
        labels,
        errors,
        value,
        relabel(answers, probabilities, list(classifier.classes)),
        tuple(classifier.classes),
        probabilities,
    )


def _out_of_fold(
    classifier: RecordClassifier,
    rows: Features,
    codes: NDArray[np.intp],
    marks: Marks,
    seed: int,
    context: JobContext,
) -> tuple[LabelErrors, NDArray[np.float64]]:
    """The suspected errors, and (n, classes) probabilities by heads that saw neither the
    label that they judge nor those that are suspected."""
    errors = find_label_errors(
        classifier,
        rows,
        classifier.classes_[codes],
        faulty_fields=marks,
        seed=seed,
        should_stop=context.should_stop,
    )
    suspected = errors.is_suspected
    views = Views(
        honest_design(classifier, rows, marks),
        None,
        len(classifier.classes),
        FOLDS,
        seed,
        context.should_stop,
    )
    return errors, views.probabilities(codes, np.where(suspected, 0.0, 1.0), suspected)


def _first(errors: LabelErrors, count: int) -> LabelErrors:
    return replace(
        errors,
        scores=errors.scores[:count],
        error_probabilities=errors.error_probabilities[:count],
        is_suspected=errors.is_suspected[:count],
        suggested=errors.suggested[:count],
        reasons=errors.reasons[:count],
    )


def _codes(classifier: RecordClassifier, labels: tuple[LabelledRecord, ...]) -> NDArray[np.intp]:
    places = {name: place for place, name in enumerate(classifier.classes)}
    return np.array([places[label.grade] for label in labels], dtype=np.intp)


def _rows(project: Project, version: ModelVersion, judgement: Judgement) -> list[dict[str, Any]]:
    errors, value = judgement.errors, judgement.value
    again = judgement.relabelling
    rows, shares = [], judgement.probabilities.tolist()
    for place, label in enumerate(judgement.labels):
        is_learnt = place < len(value.kinds)
        rows.append(
            {
                "project_id": project.id,
                "model_version_id": version.id,
                "task_id": label.task_id,
                "grade": label.grade,
                "suggested": errors.suggested[place],
                "grade_probabilities": {
                    name: round(share, 6)
                    for name, share in zip(judgement.classes, shares[place], strict=True)
                },
                "suspicion": float(errors.error_probabilities[place]),
                "is_suspect": bool(errors.is_suspected[place]),
                "value": float(value.values[place]) if is_learnt else 0.0,
                "value_group": str(value.kinds[place]) if is_learnt else AUDIT_GROUP,
                "relabel_score": float(again.labelled[place]),
                "reason": Message(
                    "{doubt}. {votes}", doubt=errors.reasons[place], votes=again.reasons[place]
                ),
            }
        )
    return rows


def _keep(
    services: Services,
    context: JobContext,
    version: ModelVersion,
    rows: list[dict[str, Any]],
    assessment: Assessment,
) -> None:
    context.check_cancelled()
    with services.database.reading() as session:
        before = findings.tasks_judged(session, version.id)
    for part in turns(services.database, rows):
        with services.database.transaction() as session:
            findings.put(session, version.id, part)
    gone = sorted(before - {row["task_id"] for row in rows})
    for tasks in turns(services.database, gone):
        with services.database.transaction() as session:
            findings.drop(session, version.id, tasks)
    with services.database.transaction() as session:
        LabelFindings(session, services.clock).keep(version, assessment)


def _why_not(snapshot: TrainingSnapshot, version: ModelVersion) -> Message:
    count = len(snapshot.training)
    if count < FEWEST_LABELS:
        return Message.ngettext(
            "{n} training label is too few to judge each by the others; {needed} are needed",
            "{n} training labels are too few to judge each by the others; {needed} are needed",
            n=count,
            needed=FEWEST_LABELS,
        )
    return Message("model version {number} cannot be read", number=version.number)
