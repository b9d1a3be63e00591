"""A trained classifier as a directory: safetensors, the column signals, a manifest. No pickle.

The directory is written beside its place, synced, and renamed: it is there whole or not at all.
The manifest holds the SHA-256 of every file, and everything that traces the classifier back:
encoder revision, snapshot fingerprint, annotation ids, metrics and parent.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from errno import EDQUOT, ENOSPC
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from active_learning.classifiers.design import DesignMatrix
from active_learning.classifiers.faulty_fields import FaultyFieldModel
from active_learning.classifiers.head_training import FittedParts
from active_learning.classifiers.logistic_heads import LogisticHeads
from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import FeatureLayout
from active_learning.columns.signals import ColumnSignals
from active_learning.exceptions import (
    ArtifactCorrupt,
    ArtifactExists,
    ArtifactMissing,
    DiskFull,
    NotFitted,
)
from active_learning.types import Reason

FORMAT = 2
"""Of the folder; raised when what is written can no longer be read by what read it before."""
READABLE = (1, 2)
"""Formats that are understood. 1 kept more columns of the trees than anything needs."""
WEIGHTS, SIGNALS, MANIFEST = "weights.safetensors", "signals.json", "manifest.json"


@dataclass(frozen=True)
class TrainingFacts:
    """Where a classifier comes from; kept in its manifest."""

    encoder_name: str
    encoder_revision: str
    snapshot: str
    """Fingerprint of the training snapshot."""
    annotation_ids: list[int] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)
    parent: str | None = None


@dataclass(frozen=True)
class Artifact:
    """A classifier read from disk, with what it needs and where it comes from."""

    classifier: RecordClassifier
    signals: ColumnSignals
    facts: TrainingFacts
    manifest: dict[str, Any]
    directory: Path


def save_artifact(
    directory: Path, classifier: RecordClassifier, signals: ColumnSignals, facts: TrainingFacts
) -> None:
    """The directory holds the classifier, whole and synced.

    Raises:
        NotFitted: the classifier has not learnt anything.
        ArtifactExists: there is an artifact already; artifacts are never overwritten.
        DiskFull: no space left; nothing of this artifact remains.
    """
    parts = classifier.fitted_
    if parts is None:
        raise NotFitted("A classifier that has seen no label cannot be saved.")
    if directory.exists():
        raise ArtifactExists(
            Reason(
                "{directory} exists; give each model version its own directory.",
                directory=directory,
            )
        )
    directory.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    try:
        contents = {
            WEIGHTS: save(_to_arrays(parts)),
            SIGNALS: signals.to_json().encode(),
        }
        manifest = {
            "format": FORMAT,
            "classes": list(classifier.classes),
            "issues": list(classifier.issues),
            "seed": classifier.seed,
            "layout": asdict(classifier.layout),
            "facts": asdict(facts),
            "files": {name: sha256(data).hexdigest() for name, data in contents.items()},
        }
        text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True)
        for name, data in {**contents, MANIFEST: text.encode()}.items():
            _write(beside / name, data)
        _sync(beside)
        beside.rename(directory)
        _sync(directory.parent)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        if error.errno in (ENOSPC, EDQUOT):
            raise DiskFull(
                Reason(
                    "The disk is full while saving {directory}: free space and train again; "
                    "nothing half-written was left.",
                    directory=directory,
                )
            ) from error
        raise
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def load_artifact(directory: Path) -> Artifact:
    """The classifier that :func:`save_artifact` wrote, its files checked against the manifest.

    Raises:
        ArtifactMissing: no artifact there.
        ArtifactCorrupt: a file is missing, altered, unreadable or of another format.
    """
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ArtifactMissing(
            Reason("There is no classifier in {directory}.", directory=directory)
        ) from error
    except (ValueError, OSError) as error:
        raise ArtifactCorrupt(
            Reason("{file} cannot be read: {error}", file=directory / MANIFEST, error=error)
        ) from error
    try:
        if manifest["format"] not in READABLE:
            raise ArtifactCorrupt(
                Reason(
                    "{directory} has format {format}, this version reads {readable}: train again.",
                    directory=directory,
                    format=manifest["format"],
                    readable=list(READABLE),
                )
            )
        for name, digest in manifest["files"].items():
            _check(directory / name, digest)
        layout = FeatureLayout(
            **{**manifest["layout"], "fields": tuple(manifest["layout"]["fields"])}
        )
        classifier = RecordClassifier(
            layout, manifest["classes"], manifest["issues"], seed=manifest["seed"]
        )
        classifier.fitted_ = _from_arrays(load_file(directory / WEIGHTS), len(classifier.classes))
        facts = TrainingFacts(**manifest["facts"])
    except (KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise ArtifactCorrupt(
            Reason(
                "The classifier in {directory} cannot be read: {error}",
                directory=directory,
                error=error,
            )
        ) from error
    signals = ColumnSignals.load(directory / SIGNALS)
    return Artifact(classifier, signals, facts, manifest, directory)


def _to_arrays(parts: FittedParts) -> dict[str, NDArray[Any]]:
    arrays = {
        "heads.weights": parts.heads.weights,
        "heads.biases": parts.heads.biases,
        "temperature": np.array([parts.temperature]),
        "issue_scaling": parts.issue_scaling,
        **{f"design.{name}": value for name, value in parts.design.to_arrays().items()},
        **{f"faults.{name}": value for name, value in parts.faults.to_arrays().items()},
    }
    return {name: np.ascontiguousarray(value) for name, value in arrays.items()}


def _from_arrays(arrays: Mapping[str, NDArray[Any]], classes: int) -> FittedParts:
    return FittedParts(
        DesignMatrix.from_arrays(_below("design.", arrays)),
        LogisticHeads(arrays["heads.weights"], arrays["heads.biases"], classes),
        float(arrays["temperature"][0]),
        arrays["issue_scaling"],
        FaultyFieldModel.from_arrays(_below("faults.", arrays)),
    )


def _below(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(prefix): value
        for name, value in arrays.items()
        if name.startswith(prefix)
    }


def _check(path: Path, digest: str) -> None:
    try:
        found = sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ArtifactCorrupt(
            Reason("{path} cannot be read: {error}", path=path, error=error)
        ) from error
    if found != digest:
        raise ArtifactCorrupt(
            Reason(
                "{path} was altered since it was written: roll back to another model version, or "
                "train again.",
                path=path,
            )
        )


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
