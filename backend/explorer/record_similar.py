"""Records like one record, by the embeddings that are on disk."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

from active_learning.embedding_map.codes import nearest
from active_learning.embedding_map.map_files import MapFiles
from active_learning.encoders.record_text import record_text
from active_learning.encoders.stored_embeddings import StoredEmbeddings
from active_learning.types import Embeddings
from backend.core.services import Services
from backend.explorer.map_folder import MapFolder
from backend.models import Project, Record
from backend.projects.service import label_schema_of
from backend.records.service import RecordsService
from backend.scoring.schemas import VerdictPublic
from backend.scoring.service import Verdicts

SIMILAR = 10
"""Chosen: as many as are read at a glance."""
CANDIDATES = 60
"""Records found by their codes whose embeddings are then compared; the ten nearest of a million
are among the sixty nearest codes (tests/active_learning/embedding_map/test_codes.py)."""


@dataclass(frozen=True)
class SimilarRecord:
    """A current record that resembles another."""

    record: Record
    similarity: float
    """Cosine of the embeddings."""
    verdict: VerdictPublic | None


def similar_records(
    session: Session, services: Services, project: Project, record: Record
) -> list[SimilarRecord] | None:
    """The current records most like this one, the most similar first; never itself.

    None where there is no map yet to find them by, or the record's embedding is not on disk.
    """
    drawn = MapFolder(services.settings.maps_dir, project.id).current()
    if drawn is None:
        return None
    facts = drawn.facts
    held = StoredEmbeddings(services.settings.embeddings_dir, facts.encoder, facts.dimension)
    fields = label_schema_of(project).fields
    own = held.places([_text(record, fields)])
    if own[0] < 0:
        return None
    vector = held.vectors(own)
    candidates = _candidates(session, services, drawn, vector, record)
    places = held.places([_text(each, fields) for each in candidates])
    is_there = places >= 0
    others = [each for each, there in zip(candidates, is_there, strict=True) if there]
    cosines = _cosines(held.vectors(places[is_there]), vector[0])
    order = np.argsort(-cosines, kind="stable")[:SIMILAR].tolist()
    verdicts = Verdicts(session, services).of_records(project, [others[row].id for row in order])
    return [
        SimilarRecord(others[row], round(float(cosines[row]), 4), verdicts.get(others[row].id))
        for row in order
    ]


def _candidates(
    session: Session,
    services: Services,
    drawn: MapFiles,
    vector: Embeddings,
    record: Record,
) -> list[Record]:
    reduced = drawn.reduction.transform(vector)[0]
    rows = nearest(drawn.codes, drawn.scales(), reduced, CANDIDATES)
    ids = drawn.record_ids()[rows].tolist()
    held = RecordsService(session, services.clock).by_ids(ids)
    return [
        held[each]
        for each in ids
        if each in held and held[each].is_current and held[each].external_id != record.external_id
    ]


def _cosines(vectors: Embeddings, vector: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
    products: NDArray[np.float32] = vectors @ vector
    cosines: NDArray[np.float32] = np.divide(
        products, lengths, out=np.zeros_like(products), where=lengths > 0
    )
    return cosines


def _text(record: Record, fields: tuple[str, ...]) -> str:
    return record_text({name: record.fields.get(name) for name in fields})
