"""Model versions as classifiers in memory, each with the encoder that it was trained on."""

import logging
from dataclasses import dataclass

from active_learning.artifacts import Artifact, load_artifact
from active_learning.exceptions import ArtifactError
from backend.core.exceptions import ConfigurationError
from backend.core.services import Services
from backend.features.encoder_choice import EncoderChoice, encoders_of
from backend.features.store import FeatureStore
from backend.models import ModelVersion

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedVersion:
    """A model version that can answer."""

    artifact: Artifact
    choice: EncoderChoice
    """Its own encoder, whatever the settings name now."""


def load_model_version(
    services: Services, features: FeatureStore, version: ModelVersion | None
) -> TrainedVersion | None:
    """The version with its own encoder; None, and a word in the log, where it cannot answer.

    It cannot where its artifact is unreadable, where its encoder cannot be loaded any more, or
    where what that name loads today is another one: its vectors would mean nothing to the heads.

    Raises:
        ConfigurationError: the encoder that the settings name cannot be loaded; nothing works then.
    """
    if version is None:
        return None
    try:
        artifact = load_artifact(services.settings.models_dir / version.artifact)
    except ArtifactError as error:
        # A lost champion cannot be compared with; the challenger takes its place, and says so.
        logger.warning("model version %d cannot be read: %s", version.number, error)
        return None
    refusals = []
    for choice in encoders_of(artifact.facts, version.encoder_folder, features.own.name):
        try:
            revision = features.encoder(choice).revision
        except ConfigurationError as error:
            if choice == features.own:
                raise
            refusals.append(f"encoder {choice.name} cannot be loaded: {error}")
            continue
        if revision == version.encoder:
            return TrainedVersion(artifact, choice)
        refusals.append(f"{choice.name} is {revision} now")
    logger.warning(
        "model version %d cannot answer: it was trained on encoder %s, and %s",
        version.number,
        version.encoder,
        "; ".join(refusals),
    )
    return None
