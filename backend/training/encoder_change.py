"""From the champion's encoder to the settings': behind the loop, through the gate."""

from typing import Any

from sqlmodel import Session

from backend.core.clock import Clock
from backend.core.services import Services
from backend.features.encoder_choice import EncoderChoice
from backend.features.model_version import TrainedVersion, load_model_version
from backend.features.snapshot import take_snapshot
from backend.features.store import FeatureStore, learning_facts
from backend.jobs.context import JobContext
from backend.jobs.queue import enqueue_if_none_waiting
from backend.models import Project
from backend.projects.service import ProjectsService
from backend.registry.service import RegistryService
from backend.training.background_challenge import challenge, embed_all, go_on, not_trained
from backend.training.challenger import plan_on

CHANGE_ENCODER = "training.change_encoder"
CHANGED_TO, CHANGED_ON = "encoder_changed_to", "encoder_changed_on"
"""Metrics of a challenger on the settings' encoder: its name, and how many labels it learnt."""
GROWTH = 1.25
"""Labels, over those of a challenger that the gate refused, that make another one worth its time.
Chosen: two to three tries while the labels double."""
EMBEDDING_SHARE = 0.9
"""Of the job's progress."""


def request_encoder_change(
    session: Session,
    clock: Clock,
    project: Project,
    trained: TrainedVersion | None,
    own: EncoderChoice,
    labels: int,
) -> str | None:
    """A challenger on the settings' encoder is asked for if the champion has another; its job id.

    Args:
        session: with a transaction.
        clock: now.
        project: whose.
        trained: the champion; one that cannot answer is replaced by the loop itself.
        own: the settings' encoder.
        labels: to learn from now.
    """
    if trained is None or not _is_due(session, clock, project, trained, own, labels):
        return None
    return enqueue_if_none_waiting(session, CHANGE_ENCODER, project_id=project.id, now=clock())


def change_encoder(
    services: Services, features: FeatureStore, context: JobContext, project_id: int
) -> dict[str, Any]:
    """A model version on the settings' encoder exists, and the gate has decided about it.

    Meanwhile the loop goes on with the champion and its encoder: only the last step, heads and
    gate, holds the project's training lease. Killed, it goes on with what is not embedded yet.
    """
    own = features.own
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
    if not _is_still_due(services, features, project):
        # Killed between the decision and the end, it has done all but this.
        snapshot = take_snapshot(services, project)
        go_on(services, project, plan_on(features, own).fingerprint(snapshot))
        return not_trained("the champion has the encoder, or labels are too few for another try")
    with learning_facts(services.settings.data_dir):
        embed_all(features, context, project, own, 0.0, EMBEDDING_SHARE)
        with context.lease(f"train:{project_id}"):
            # Embedding takes its time; a fine-tuned version may have moved the project meanwhile.
            if not _is_still_due(services, features, project):
                return not_trained("the champion has the encoder by now")
            labels = len(take_snapshot(services, project).training)
            metrics = {CHANGED_TO: own.name, CHANGED_ON: labels}
            return challenge(services, features, context, project, own, metrics)


def _is_still_due(services: Services, features: FeatureStore, project: Project) -> bool:
    labels = len(take_snapshot(services, project).training)
    with services.database.reading() as session:
        champion = RegistryService(session, services.clock).champion(project.id)
    trained = load_model_version(services, features, champion)
    if trained is None:
        return False
    if features.encoder(trained.choice.base).revision == features.encoder().revision:
        return False  # two names for one encoder, as where a part of ``auto`` is not installed
    with services.database.reading() as session:
        return _is_due(session, services.clock, project, trained, features.own, labels)


def _is_due(
    session: Session,
    clock: Clock,
    project: Project,
    trained: TrainedVersion,
    own: EncoderChoice,
    labels: int,
) -> bool:
    if trained.choice.base == own:
        return False
    versions = RegistryService(session, clock).list_versions(project.id)
    tries = [
        int(version.metrics[CHANGED_ON])
        for version in versions
        if version.metrics.get(CHANGED_TO) == own.name
    ]
    return labels >= GROWTH * max(tries, default=0)
