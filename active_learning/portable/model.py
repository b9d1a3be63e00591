"""A portable model in memory: plain records in, verdicts as plain data out."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from active_learning.artifacts import Artifact, load_artifact
from active_learning.encoders.base import DirectEmbeddings, Encoder
from active_learning.encoders.loading import load_encoder, name_today
from active_learning.exceptions import EncoderUnavailable
from active_learning.portable.folder import CLASSIFIER, PortableConfig, read_config
from active_learning.portable.verdict import plain_verdicts
from active_learning.record_scorer import RecordScorer
from active_learning.types import Reason, RecordPredictions

RECORDS_AT_ONCE = 2_000
"""Records whose features are in memory at a time. Chosen: some ten megabytes."""
_PRECISION = re.compile(r"-(?:float32|float16|bfloat16)(-\d+)(?:-[a-z]+)?(?=$|[*|)+])")
"""What an encoder's revision says of number format and device, around its length of text."""


class PortableModel:
    """A model version that was taken along; made by :func:`load_model`."""

    def __init__(self, config: PortableConfig, artifact: Artifact, encoder: Encoder) -> None:
        self.config = config
        self._artifact = artifact
        self._scorer = RecordScorer(artifact, DirectEmbeddings(encoder))

    @property
    def fields(self) -> tuple[str, ...]:
        """What of a record is read."""
        return self._scorer.fields

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade that may be answered; where they are ordered the best first."""
        return tuple(self._artifact.classifier.classes)

    @property
    def issues(self) -> tuple[str, ...]:
        """Every issue that is asked about."""
        return tuple(self._artifact.classifier.issues)

    def predict(self, records: Sequence[Mapping[str, Any]]) -> RecordPredictions:
        """The verdicts on n records as arrays; memory grows with n."""
        return self._scorer.predict(records)

    def score(self, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One verdict a record, in their order, of numbers, texts, lists and dicts only.

        Args:
            records: field name to value. A field that is missing, None or NaN is a missing value;
                fields that the model does not know are not read.

        Returns:
            ``grade`` (the most probable), ``confidence`` (its probability), ``probabilities`` by
            grade, ``issues`` (name and probability of those at .5 or above),
            ``issue_probabilities``, ``faulty_fields`` (likewise), ``field_probabilities``,
            ``risk`` (probability that it is not of the best grade; 1 - confidence where grades
            are not ordered), ``doubt`` (1 - (first - second probability)), ``model_version``.
        """
        verdicts: list[dict[str, Any]] = []
        for start in range(0, len(records), RECORDS_AT_ONCE):
            found = self.predict(records[start : start + RECORDS_AT_ONCE])
            verdicts += plain_verdicts(
                found,
                self.grades,
                self.issues,
                self.fields,
                is_ordered=self.config.is_ordered,
                model_version=self.config.model_version,
            )
        return verdicts


def load_model(
    folder: Path | str,
    *,
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    is_exact: bool = True,
) -> PortableModel:
    """The model in that folder, every file checked against its hash.

    Args:
        folder: what was exported, unpacked.
        device: of a transformer: ``auto``, ``cpu``, ``cuda`` or any torch device.
        dtype: of a transformer: ``auto``, ``float32`` or ``bfloat16``.
        threads: CPU threads of the encoder; the library's own choice by default.
        is_exact: refuse the same encoder on another kind of device or in another number format,
            whose vectors differ in their last digits from those that were learnt from.

    Raises:
        ArtifactMissing: there is no portable model.
        ArtifactCorrupt: a file is missing, altered, or none of the model's.
        EncoderUnavailable: the encoder is not installed or is another one; the message says what
            to install.
        DeviceUnavailable: torch does not see the device.
    """
    place = Path(folder)
    config = read_config(place)
    artifact = load_artifact(place / CLASSIFIER)
    encoder = load_encoder(
        name_today(config.encoder_name, config.encoder_revision),
        device=device,
        dtype=dtype,
        threads=threads,
        fine_tuned=place / config.encoder_folder if config.encoder_folder else None,
    )
    _check_encoder(config, encoder.revision, is_exact=is_exact)
    return PortableModel(config, artifact, encoder)


def _check_encoder(config: PortableConfig, revision: str, *, is_exact: bool) -> None:
    wanted = config.encoder_revision
    if revision == wanted:
        return
    is_same = _PRECISION.sub(r"\1", revision) == _PRECISION.sub(r"\1", wanted)
    if is_same and not is_exact:
        return
    if is_same:
        raise EncoderUnavailable(
            Reason(
                "The model was trained on encoder {wanted}, here it computes as {revision}: name "
                "the device and dtype of then, or give is_exact=False to accept verdicts that "
                "differ in their last digits.",
                wanted=wanted,
                revision=revision,
            )
        )
    packages = [f"{name}=={version}" for name, version in sorted(config.encoder_packages.items())]
    raise EncoderUnavailable(
        Reason(
            "The model was trained on encoder {wanted}, and {name!r} is {revision} here. "
            "It was computed with: {packages}.",
            wanted=wanted,
            name=config.encoder_name,
            revision=revision,
            packages=packages,
        )
    )
