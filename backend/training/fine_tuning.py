"""A fine-tuned challenger: the encoder itself learns, behind the loop, and must win at the gate."""

from collections.abc import Sequence
from hashlib import sha256
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
from backend.models import Project
from backend.projects.service import ProjectsService, label_schema_of, policy_of
from backend.training.background_challenge import challenge, embed_all, not_trained
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
        return not_trained(f"encoder {services.settings.encoder!r} has no transformer to train")
    snapshot = take_snapshot(services, project)
    readable = _readable(services, project, snapshot)
    if len(readable) < FEWEST_TEXTS or len({label.grade for label, _ in readable}) < 2:
        return not_trained(
            f"{len(readable)} labelled texts that the transformer reads are too few; "
            f"{FEWEST_TEXTS} of two grades are needed"
        )
    # Named by both: the same labels may have tuned another transformer before a change.
    learnt = sha256("\0".join([snapshot.fingerprint, base]).encode()).hexdigest()
    folder = f"project-{project_id}/encoder-{learnt[:16]}"
    with learning_facts(services.settings.models_dir):
        _train_encoder(services, context, project, readable, base, folder)
        choice = EncoderChoice(features.own.name, folder)
        embed_all(features, context, project, choice, TRAINING_SHARE, EMBEDDING_SHARE)
        with context.lease(f"train:{project_id}"):
            metrics = {FINE_TUNED_ON: len(readable)}
            return challenge(services, features, context, project, choice, metrics)


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
