"""One question: which records may the champion label alone?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning.acceptance import AcceptedRecords
from active_learning.artifacts import Artifact
from active_learning.types import FeatureRows, Features
from backend.core.services import Services
from backend.core.turns import turns
from backend.features.label_features import LabelFeatures
from backend.features.model_version import TrainedVersion, load_model_version
from backend.features.snapshot import take_snapshot
from backend.features.store import FeatureStore, learning_facts
from backend.jobs.context import JobContext
from backend.loop import repository as loop_repository
from backend.machine_labels import repository
from backend.machine_labels.decision import (
    AcceptanceDecisions,
    AcceptanceQuestion,
    ChampionAnswers,
    label_rows,
)
from backend.models import Project
from backend.projects.service import ProjectsService, label_schema_of, policy_of
from backend.records.repository import generation
from backend.registry.service import RegistryService
from backend.words import Message

CHUNK = 20_000
"""Records graded at once: about 40 MB of features of 500 columns. Chosen: bounds memory."""
LABELS_PER_TURN = 2_000
"""Machine labels a transaction: they take SQLite some twenty milliseconds."""


def accept(
    services: Services,
    features: FeatureStore,
    context: JobContext,
    project_id: int,
    *,
    is_asked: bool = False,
) -> dict[str, Any]:
    """The project has a decision about the champion's own labels, and broken promises are off.

    Running it again on the same answers changes nothing. ``is_asked``: a person wants a
    decision even where too little is new for one by itself.
    """
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
    snapshot, policy = take_snapshot(services, project), policy_of(project)
    with services.database.transaction() as session:
        withdrawn = AcceptanceDecisions(session, services.clock).watch(project)
    with services.database.reading() as session:
        champion = RegistryService(session, services.clock).champion(project_id)
        if champion is None or policy.accept_error is None:
            return {
                "state": "off",
                "reason": "no champion, or the policy has no accept_error",
            }
        registry = RegistryService(session, services.clock)
        audit: list[tuple[int, str | None]] = [
            *((label.record_id, label.grade) for label in snapshot.audit),
            *((record_id, None) for record_id in snapshot.audit_unlabelled),
        ]
        question = AcceptanceQuestion(
            champion,
            policy,
            audit,
            generation(session, project.dataset_id),
            len(registry.list_versions(project_id)),
        )
        decisions = AcceptanceDecisions(session, services.clock)
        why_not = decisions.why_not(question, is_asked=is_asked)
        taken = loop_repository.tasked_record_ids(session, project_id)
    if why_not is not None and withdrawn is not None:
        return {"state": withdrawn.state, "reason": str(withdrawn.reason)}
    if why_not is not None:
        return {"state": "unchanged", "reason": why_not}
    trained = load_model_version(services, features, champion)
    if trained is None:
        return {"state": "unchanged", "reason": f"model version {champion.number} cannot be read"}
    with learning_facts(services.settings.data_dir):
        answers = _answers(services, features, context, project, trained, question.audit, taken)
    context.check_cancelled()
    _clear_up(services, project_id)
    with services.database.transaction() as session:
        decisions = AcceptanceDecisions(session, services.clock)
        row, chosen = decisions.decide(project, question, answers)
    if row.state == repository.PREPARING:
        _write_labels(services, row.id, answers, chosen)
        with services.database.transaction() as session:
            row = AcceptanceDecisions(session, services.clock).accept(row.id)
    return {"state": row.state, "records": row.records, "reason": str(row.reason)}


def _clear_up(services: Services, project_id: int) -> None:
    """What an attempt that ended early has written is gone."""
    with services.database.reading() as session:
        left = repository.labels_in_preparation(session, project_id)
    for part in turns(services.database, left, LABELS_PER_TURN):
        with services.database.transaction() as session:
            repository.drop_labels(session, part)
    with services.database.transaction() as session:
        repository.drop_preparations(session, project_id)


def _write_labels(
    services: Services, acceptance_id: int, answers: ChampionAnswers, chosen: AcceptedRecords
) -> None:
    for places in turns(services.database, chosen.accepted.tolist(), LABELS_PER_TURN):
        rows = label_rows(acceptance_id, answers, chosen, places)
        with services.database.transaction() as session:
            repository.add_labels(session, rows)


def _answers(
    services: Services,
    features: FeatureStore,
    context: JobContext,
    project: Project,
    trained: TrainedVersion,
    audit: Sequence[tuple[int, str | None]],
    taken: set[int],
) -> ChampionAnswers:
    """What the champion says about the audit sample and about every record without a task."""
    schema, artifact, choice = label_schema_of(project), trained.artifact, trained.choice
    pool = features.pool(
        project.dataset_id,
        schema.fields,
        context.progress,
        context.should_stop,
        choice,
        artifact.signals,
    )
    reader = LabelFeatures(services, features, context, schema, pool, choice)
    context.progress(
        0.6,
        Message.ngettext(
            "grading {n} record", "grading {n} records", n=len(pool.record_ids) - len(taken)
        ),
    )
    rows = np.array([row for row, record in enumerate(pool.record_ids) if record not in taken], int)
    audited = [record_id for record_id, _ in audit]
    grades, confidence = _best(artifact, reader.records(audited, artifact.signals))
    pool_grades, pool_confidence = _grades(artifact, pool.matrix, rows, context)
    return ChampionAnswers(
        confidence=confidence,
        is_right=np.array(
            [given == grade for (_, given), grade in zip(audit, grades, strict=True)],
            dtype=bool,
        ),
        record_ids=[pool.record_ids[row] for row in rows],
        grades=pool_grades.tolist(),
        pool_confidence=pool_confidence,
    )


def _grades(
    artifact: Artifact, seen: FeatureRows, rows: NDArray[np.intp], context: JobContext
) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """(m,) grades and (m,) confidences of these m rows, a part of the pool in memory at a time."""
    grades: list[NDArray[np.str_]] = [np.zeros(0, np.str_)]
    confidences: list[NDArray[np.float64]] = [np.zeros(0)]
    for start in range(0, len(rows), CHUNK):
        context.check_cancelled()
        context.progress(
            0.6 + 0.4 * start / len(rows),
            Message.ngettext(
                "{done} of {n} record graded",
                "{done} of {n} records graded",
                n=len(rows),
                done=start,
            ),
        )
        best, confidence = _best(artifact, seen[rows[start : start + CHUNK]])
        grades.append(best)
        confidences.append(confidence)
    return np.concatenate(grades), np.concatenate(confidences)


def _best(artifact: Artifact, X: Features) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """(n,) the most probable grades of (n, width) rows and (n,) their probabilities."""
    if not len(X):
        return np.zeros(0, np.str_), np.zeros(0)
    probabilities = artifact.classifier.predict_proba(X)
    classes = np.array([str(name) for name in artifact.classifier.classes_])
    return classes[probabilities.argmax(axis=1)], probabilities.max(axis=1)
