"""Model versions as classifiers in memory."""

import logging

from active_learning.artifacts import Artifact, load_artifact
from active_learning.exceptions import ArtifactError
from active_learning.types import Features
from backend.core.services import Services
from backend.features.store import FeatureStore, PoolFeatures
from backend.jobs.context import JobContext
from backend.models import ModelVersion, Project
from labeling.label_schema import LabelSchema

logger = logging.getLogger(__name__)


def load_model_version(services: Services, version: ModelVersion | None) -> Artifact | None:
    """The version's artifact; None, and a word in the log, where it cannot be read."""
    if version is None:
        return None
    try:
        return load_artifact(services.settings.models_dir / version.artifact)
    except ArtifactError as error:
        # A lost champion cannot be compared with; the challenger takes its place, and says so.
        logger.warning("model version %d cannot be read: %s", version.number, error)
        return None


def pool_matrix(
    artifact: Artifact | None,
    features: FeatureStore,
    context: JobContext,
    project: Project,
    schema: LabelSchema,
    pool: PoolFeatures,
    encoder_folder: str | None,
) -> Features:
    """The pool as that classifier sees it: with the columns it was trained against."""
    if artifact is None or artifact.signals.fingerprint() == pool.signals.fingerprint():
        return pool.matrix
    _, records = features.records(project.dataset_id, schema.fields)
    return features.transform(
        artifact.signals, records, context.progress, context.should_stop, encoder_folder
    )
