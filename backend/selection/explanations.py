"""What spoke for and against each suggestion of a batch, for the people who see it."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from active_learning.artifacts import Artifact
from active_learning.columns.value_parsing import text_of
from active_learning.encoders.base import Encoder
from active_learning.explanations.marks import Explanation
from active_learning.explanations.occlusion import (
    TOKEN_FIELDS,
    TOKENS,
    Embed,
    TypicalCells,
    explain,
)
from active_learning.explanations.tokens import token_spans
from active_learning.types import (
    Embeddings,
    FeatureRows,
    Features,
    Fields,
    SelectedBatch,
    ShouldStop,
)
from backend.core.services import Services
from backend.features import repository as features_repository
from backend.jobs.context import JobContext
from backend.models import Project
from backend.projects.service import label_schema_of, policy_of

TYPICAL_RECORDS = 500
"""Of the pool, for the medians: any few hundred do (``TypicalCells.of``)."""
TEXTS_READ = 200
"""Texts that are encoded anew for one batch, so that explaining does not keep people waiting: some
five seconds of one core with ``auto``, the slowest bundled encoder (``benchmarks.encoders``)."""
ROUNDED = 4
"""Decimals that are kept. Chosen: people see one."""

Level = Literal["fields", "tokens"]
StoredExplanation = list[dict[str, Any]]


def is_explained(record_id: int, *, is_audit: bool, share: float, seed: int) -> bool:
    """True if people see why this record's suggestion was made.

    Never on audit records; on the others by a draw that only the seed and the record decide,
    so that answers with and without an explanation can be compared at any time.
    """
    return not is_audit and bool(np.random.default_rng([seed, record_id]).random() < share)


def explain_batch(
    services: Services,
    project: Project,
    artifact: Artifact,
    encoder: Encoder,
    selected: SelectedBatch,
    rows: Features,
    pool: FeatureRows,
    context: JobContext,
) -> dict[int, StoredExplanation]:
    """Record id to the explanation, for those records of the batch that show one.

    ``rows`` are the features of the selected records, ``pool`` those of all.
    """
    schema, policy = label_schema_of(project), policy_of(project)
    places = [
        place
        for place, (record_id, is_audit) in enumerate(
            zip(selected.record_ids, selected.is_audit, strict=True)
        )
        if is_explained(
            record_id, is_audit=is_audit, share=policy.explanation_share, seed=policy.seed
        )
    ]
    ids = [selected.record_ids[place] for place in places]
    with services.database.reading() as session:
        held = features_repository.records_by_id(session, ids)
    explanations = explain_suggestions(
        artifact,
        encoder,
        [{name: held[key].fields.get(name) for name in schema.fields} for key in ids],
        rows[places],
        pool,
        context.should_stop,
    )
    return dict(zip(ids, explanations, strict=True))


def explain_suggestions(
    artifact: Artifact,
    encoder: Encoder,
    records: Sequence[dict[str, Any]],
    rows: Features,
    pool: FeatureRows,
    should_stop: ShouldStop,
) -> list[StoredExplanation]:
    """Why each record gets the grade that is suggested, strongest field first.

    Args:
        artifact: the champion.
        encoder: the one that made the features.
        records: n records with the values of the schema's fields.
        rows: (n, width) features of them.
        pool: (m, width) features of all records, where typical values are looked up.
        should_stop: asked between two fields.
    """
    if not len(records):
        return []
    classifier = artifact.classifier
    best = classifier.predict_all(rows).grades.argmax(axis=1)
    grades = [classifier.classes[place] for place in best.tolist()]
    places = np.unique(np.linspace(0, len(pool) - 1, TYPICAL_RECORDS).astype(int))
    typical = TypicalCells.of(classifier.layout, np.asarray(pool[places]))
    embed = _reader(encoder, should_stop)
    with_tokens, with_text = _depths(records, classifier.layout.fields)
    found: list[Explanation] = []
    parts: tuple[tuple[int, int, Level, Embed | None], ...] = (
        (0, with_tokens, "tokens", embed),
        (with_tokens, with_text, "fields", embed),
        (with_text, len(records), "fields", None),
    )
    for start, end, level, read in parts:
        found += explain(
            classifier,
            records[start:end],
            rows[start:end],
            grades[start:end],
            typical,
            embed=read,
            signals_of=artifact.signals.transform,
            level=level,
            should_stop=should_stop,
        )
    return [_to_stored(explanation) for explanation in found]


def _depths(records: Sequence[Fields], fields: Sequence[str]) -> tuple[int, int]:
    """How many records get tokens, and how many at least fields, of those that come first.

    Every record's fields go before the first one's tokens. Records beyond ``TEXTS_READ`` are
    explained by their columns' signals alone.
    """
    with_text = min(len(records), TEXTS_READ // len(fields))
    left = TEXTS_READ - len(records) * len(fields)
    for place, record in enumerate(records):
        pieces = sorted(len(token_spans(text_of(record.get(name)), TOKENS)) for name in fields)
        left -= sum(pieces[-TOKEN_FIELDS:])
        if left < 0:
            return place, with_text
    return len(records), with_text


def _reader(encoder: Encoder, should_stop: ShouldStop) -> Embed:
    """Texts to embeddings, each distinct text once; what is hidden is not worth keeping on disk."""
    known: dict[str, Embeddings] = {}

    def embed(texts: Sequence[str]) -> Embeddings:
        missing = list(dict.fromkeys(text for text in texts if text not in known))
        if missing:
            known.update(
                zip(missing, encoder.encode(missing, should_stop=should_stop), strict=True)
            )
        return np.stack([known[text] for text in texts])

    return embed


def _to_stored(explanation: Explanation) -> StoredExplanation:
    marks: StoredExplanation = explanation.to_json()["marks"]
    tokens = [token for mark in marks for token in mark["tokens"]]
    for entry in (*marks, *tokens):
        entry["contribution"] = round(entry["contribution"], ROUNDED)
    return marks
