"""A fine-tuned challenger: the encoder itself learns, behind the loop, and must win at the gate."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from active_learning.encoders.fine_tuning.options import FineTuningOptions
from active_learning.encoders.loading import reads, transformer_folder
from active_learning.encoders.record_text import record_text
from backend.core.services import Services
from backend.features import repository as features_repository
from backend.features.encoder_choice import EncoderChoice
from backend.features.snapshot import LabelledRecord, TrainingSnapshot, matrix, take_snapshot
from backend.features.store import FeatureStore, learning_facts
from backend.jobs.context import JobContext
from backend.loop.service import LoopService
from backend.machine_labels.service import request_acceptance
from backend.model_reports.service import request_measuring
from backend.models import Project
from backend.projects.service import ProjectsService, label_schema_of, policy_of
from backend.registry.service import RegistryService
from backend.suspected_labels.service import request_assessment
from backend.training.challenger import ChallengerTraining, plan_on
from backend.training.encoder_folder import RECORDS, is_finished
from backend.training.fine_tuning_request import FINE_TUNED_ON

FEWEST_TEXTS = 50
"""Chosen: of fewer, a held-out part would be too small to tell when to stop."""
TRAINING_SHARE, EMBEDDING_SHARE = 0.7, 0.95
"""Of the job's progress: the encoder is trained, records are embedded; then heads are trained."""


def fine_tune_challenger(
    services: Services, features: FeatureStore, context: JobContext, project_id: int
) -> dict[str, Any]:
    """A model version on a fine-tuned encoder exists, and the gate has decided about it.

    Meanwhile the loop goes on with the champion: only the last step, heads and gate, holds the
    project's training lease. Embeddings of all records are computed before, so that a promotion
    turns the cache over without a pause. Killed, it goes on from the last epoch.
    """
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
    base = transformer_folder(services.settings.encoder)
    if base is None:
        return _not_trained(f"encoder {services.settings.encoder!r} has no transformer to train")
    snapshot = take_snapshot(services, project)
    readable = _readable(services, project, snapshot)
    if len(readable) < FEWEST_TEXTS or len({label.grade for label, _ in readable}) < 2:
        return _not_trained(
            f"{len(readable)} labelled texts that the transformer reads are too few; "
            f"{FEWEST_TEXTS} of two grades are needed"
        )
    folder = f"project-{project_id}/encoder-{snapshot.fingerprint[:16]}"
    with learning_facts(services.settings.models_dir):
        _train_encoder(services, context, project, readable, base, folder)
        _embed_all(features, context, project, folder)
        with context.lease(f"train:{project_id}"):
            return _challenge(services, features, context, project, folder, len(readable))


def _not_trained(why: str) -> dict[str, Any]:
    return {"trained": False, "why": why}


def _readable(
    services: Services, project: Project, snapshot: TrainingSnapshot
) -> list[tuple[LabelledRecord, str]]:
    """The training labels whose records' texts go through the transformer."""
    fields = label_schema_of(project).fields
    with services.database.reading() as session:
        records = features_repository.records_by_id(
            session, [label.record_id for label in snapshot.training]
        )
    texts = [
        record_text({name: records[label.record_id].fields.get(name) for name in fields})
        for label in snapshot.training
    ]
    return [
        (label, text)
        for label, text in zip(snapshot.training, texts, strict=True)
        if reads(services.settings.encoder, text)
    ]


def _train_encoder(
    services: Services,
    context: JobContext,
    project: Project,
    readable: Sequence[tuple[LabelledRecord, str]],
    base: str,
    folder: str,
) -> None:
    from active_learning.encoders.fine_tuning.training import fine_tune

    place = services.settings.models_dir / folder
    if is_finished(place):
        return
    schema, policy = label_schema_of(project), policy_of(project)
    labels = [label for label, _ in readable]
    place.parent.mkdir(parents=True, exist_ok=True)
    fine_tune(
        [text for _, text in readable],
        np.array([schema.grades.index(label.grade) for label in labels], dtype=np.intp),
        len(schema.grades),
        place,
        base=base,
        issues=matrix([label.issues for label in labels], len(schema.issues)),
        options=FineTuningOptions(method=policy.fine_tune_method, seed=policy.seed),
        device=services.settings.device,
        facts={RECORDS: [label.record_id for label in labels]},
        progress=lambda share, message: context.progress(TRAINING_SHARE * share, message),
        should_stop=context.should_stop,
    )


def _embed_all(features: FeatureStore, context: JobContext, project: Project, folder: str) -> None:
    """Every current record's embedding by the new encoder is cached on disk."""
    span = EMBEDDING_SHARE - TRAINING_SHARE
    features.embed_all(
        project.dataset_id,
        label_schema_of(project).fields,
        EncoderChoice(features.own.name, folder),
        lambda share, message: context.progress(TRAINING_SHARE + span * share, message),
        context.should_stop,
    )


def _challenge(
    services: Services,
    features: FeatureStore,
    context: JobContext,
    project: Project,
    folder: str,
    trained_on: int,
) -> dict[str, Any]:
    snapshot = take_snapshot(services, project)
    plan = plan_on(
        features,
        EncoderChoice(features.own.name, folder),
        is_cold=True,
        metrics={FINE_TUNED_ON: trained_on},
    )
    with services.database.reading() as session:
        registry = RegistryService(session, services.clock)
        champion = registry.champion(project.id)
        known = registry.find_by_fingerprint(project.id, plan.fingerprint(snapshot))
    if known is None:
        result = ChallengerTraining(services, features, context, project, snapshot, champion).run(
            plan
        )
    else:
        result = _not_trained("these labels were learnt already")
    with services.database.reading() as session:
        steps = LoopService(session, services.clock).steps_due(project, is_retrained=True)
    with services.database.transaction() as session:
        # Before the next batch: checks of machine labels belong to the acceptance that stands.
        request_acceptance(session, project, services.clock())
        LoopService(session, services.clock).queue_step(project, steps)
        version = RegistryService(session, services.clock).find_by_fingerprint(
            project.id, plan.fingerprint(snapshot)
        )
        if version is not None:
            request_measuring(session, project.id, version.id, services.clock())
            request_assessment(session, project.id, version.id, services.clock())
    return result
