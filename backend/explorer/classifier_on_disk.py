"""A model version's classifier as a process that serves pages reads it: without an encoder."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from sqlmodel import Session

from active_learning.artifacts import Artifact, load_artifact
from active_learning.encoders.record_text import record_text
from active_learning.encoders.stored_embeddings import StoredEmbeddings
from active_learning.exceptions import ArtifactError
from active_learning.explanations.occlusion import TypicalCells, explain
from active_learning.verdicts.verdict_files import VerdictFiles
from backend.core.services import Services
from backend.features.repository import records_by_id
from backend.models import ModelVersion, Record
from backend.projects.field_effects import FieldEffect, strongest_of
from backend.scoring.verdict_folder import VerdictFolder
from labeling.label_schema import LabelSchema

TYPICAL_RECORDS = 200
"""Of all, for the medians of their cells: any few hundred do (``TypicalCells.of``), and so many
are read in the time of one page."""
KEPT = 2
"""Classifiers in memory, some megabytes each: before and after a promotion. Chosen."""

_load = lru_cache(maxsize=KEPT)(load_artifact)
_typical: dict[Path, TypicalCells] = {}


@dataclass(frozen=True)
class VerdictExplanation:
    """Which fields speak for and against the grade, by their columns' signals alone."""

    effects: list[FieldEffect]
    """The strongest first; empty where no field changes anything worth showing."""
    reads_text: bool
    """The classifier also reads the fields' text, whose effect is not in the bars."""


def explain_verdict(
    session: Session,
    services: Services,
    version: ModelVersion,
    record: Record,
    grade: str,
    schema: LabelSchema,
) -> VerdictExplanation | None:
    """Why the model version gives the record that grade.

    None where the classifier cannot be read, or the record's embedding is not on disk.
    """
    try:
        artifact = _load(services.settings.models_dir / version.artifact)
    except ArtifactError:
        return None
    fields = artifact.classifier.layout.fields
    values = {name: record.fields.get(name) for name in fields}
    held = StoredEmbeddings(
        services.settings.embeddings_dir, version.encoder, artifact.classifier.layout.embedding
    )
    places = held.places([record_text(values)])
    verdicts = VerdictFolder(services.settings.verdicts_dir, version.project_id).current()
    if places[0] < 0 or verdicts is None or grade not in artifact.classifier.classes:
        return None
    row = artifact.classifier.layout.join(
        held.vectors(places), artifact.signals.transform([values])
    )
    (found,) = explain(
        artifact.classifier, [values], row, [grade], _typical_cells(session, artifact, verdicts)
    )
    marks: Sequence[dict[str, Any]] = found.to_json()["marks"]
    strongest = strongest_of(marks)
    return VerdictExplanation(
        effects=[FieldEffect.of_mark(mark, strongest, schema) for mark in marks],
        reads_text=not found.is_text_judged,
    )


def _typical_cells(session: Session, artifact: Artifact, verdicts: VerdictFiles) -> TypicalCells:
    """Of records spread over all that were judged; kept while these verdicts are read."""
    known = _typical.get(verdicts.folder)
    if known is not None:
        return known
    places = np.unique(np.linspace(0, len(verdicts) - 1, TYPICAL_RECORDS).astype(int))
    held = records_by_id(session, verdicts.record_ids[places].tolist())
    names = artifact.classifier.layout.fields
    signals = artifact.signals.transform(
        [{name: each.fields.get(name) for name in names} for each in held.values()]
    )
    found = TypicalCells(np.median(signals.cells, axis=0).astype(np.float32))
    if len(_typical) >= KEPT:
        _typical.clear()
    _typical[verdicts.folder] = found
    return found
