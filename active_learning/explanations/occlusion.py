"""Occlusion: what the prediction becomes when a field, or a piece of its value, is not there.

Zeiler and Fergus 2014. A field that is hidden is taken out of the text, and its signals become
those of a typical value of its column; so a missing value has a contribution like any other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import FeatureLayout
from active_learning.columns.signals import Signals
from active_learning.columns.value_parsing import text_of
from active_learning.encoders.record_text import record_text
from active_learning.exceptions import ShapeMismatch
from active_learning.explanations.marks import Explanation, FieldMark, TokenMark, reason_of
from active_learning.explanations.target import Target, fitted_parts
from active_learning.explanations.tokens import token_spans
from active_learning.types import (
    Embeddings,
    Features,
    Fields,
    Scores,
    ShouldStop,
    check_stop,
    never,
)

Embed = Callable[[Sequence[str]], Embeddings]
SignalsOf = Callable[[Sequence[Fields]], Signals]
SHOWN = 5
"""Marks a record. Chosen: as many as a person reads at a glance."""
FAINT = 0.05
"""Log-odds that would be shown as 0.0."""
TOKEN_FIELDS = 2
"""Strongest fields that are taken apart into pieces. Chosen: each piece costs one more text to
encode."""
TOKENS = 16
"""Pieces of one value that are hidden in turn. Chosen: each costs one more text to encode."""


@dataclass(frozen=True)
class TypicalCells:
    """The signals of a typical value of each column."""

    cells: NDArray[np.float32]
    """(fields, cell signals)"""

    @classmethod
    def of(cls, layout: FeatureLayout, features: Features) -> "TypicalCells":
        """The medians over the rows (n, layout.width); take any few hundred of the pool."""
        _, signals = layout.split(features)
        if not len(features):
            raise ShapeMismatch("Typical values need at least one record to look at.")
        return cls(np.median(signals.cells, axis=0).astype(np.float32))


@dataclass(frozen=True)
class _Batch:
    """The records that are explained, with what the classifier reads of them."""

    records: Sequence[Fields]
    embeddings: Embeddings
    signals: Signals


def explain(
    classifier: RecordClassifier,
    records: Sequence[Fields],
    features: Features,
    targets: Sequence[str],
    typical: TypicalCells,
    *,
    embed: Embed | None = None,
    signals_of: SignalsOf | None = None,
    level: Literal["fields", "tokens"] = "fields",
    shown: int = SHOWN,
    should_stop: ShouldStop = never,
) -> list[Explanation]:
    """Why each record gets its target: signed marks on its fields, the strongest first.

    Args:
        classifier: a fitted one.
        records: n records.
        features: (n, layout.width) of the same records.
        targets: n grades or issues to explain, usually the predicted grade.
        typical: signals of a typical value of each column.
        embed: texts to embeddings, as the features were made. Without it the text stays as it is
            and marks show the effect of signals alone: much faster.
        signals_of: records to signals (``ColumnSignals.transform``); lets pieces of a value show
            what they do to the signals too.
        level: ``tokens`` also hides pieces of the two strongest fields of each record.
        shown: marks a record at most.

    Raises:
        NotFitted: the classifier has learnt nothing.
        UnknownLabel: a target is neither a grade nor an issue.
        ShapeMismatch: records, features and targets are not of the same length or layout.
        Cancelled: ``should_stop`` answered True.
    """
    if not len(records) == len(features) == len(targets):
        raise ShapeMismatch(
            f"{len(records)} records, {len(features)} rows and {len(targets)} targets: one each "
            "is needed."
        )
    parts = fitted_parts(classifier)
    if not len(records):
        return []
    known = {name: Target.of(classifier, name) for name in dict.fromkeys(targets)}
    embeddings, signals = classifier.layout.split(features)
    batch = _Batch(records, embeddings, signals)
    if parts.design.scales.embedding == 0.0:
        reads_text, embed = False, None  # the head does not read the text at all
    else:
        reads_text = True
    wanted = [known[name] for name in targets]
    faults = parts.faults.predict_proba(signals.cells)
    scores = _scores(classifier, wanted, embeddings, signals, faults)
    effects = _field_effects(classifier, batch, faults, wanted, scores, typical, embed, should_stop)
    strongest = np.argsort(-np.abs(effects), axis=1, kind="stable")[:, :shown]
    tokens: dict[tuple[int, int], list[TokenMark]] = {}
    if level == "tokens" and (embed or signals_of):
        pairs = [(row, int(f)) for row, order in enumerate(strongest) for f in order[:TOKEN_FIELDS]]
        tokens = _token_marks(
            classifier, batch, wanted, scores, pairs, embed, signals_of, should_stop
        )
    names = classifier.layout.fields
    explanations = []
    for row, record in enumerate(records):
        marks = []
        for place in strongest[row].tolist():
            value, effect = text_of(record.get(names[place])), float(effects[row, place])
            if abs(effect) < FAINT:
                continue
            reason = reason_of(names[place], value, targets[row], effect)
            marks.append(
                FieldMark(names[place], value, effect, reason, tokens.get((row, place), []))
            )
        explanations.append(
            Explanation(targets[row], float(scores[row]), marks, not reads_text or bool(embed))
        )
    return explanations


def _field_effects(
    classifier: RecordClassifier,
    batch: _Batch,
    faults: NDArray[np.float64],
    wanted: list[Target],
    scores: Scores,
    typical: TypicalCells,
    embed: Embed | None,
    should_stop: ShouldStop,
) -> NDArray[np.float64]:
    """(n, fields) score less the score without the field."""
    layout, parts = classifier.layout, fitted_parts(classifier)
    usual = parts.faults.predict_proba(typical.cells[None])[0]
    effects = np.zeros((len(batch.records), len(layout.fields)))
    for place, name in enumerate(layout.fields):
        check_stop(should_stop, "explaining predictions")
        cells, suspicion = batch.signals.cells.copy(), faults.copy()
        cells[:, place], suspicion[:, place] = typical.cells[place], usual[place]
        hidden = Signals(_summary(layout, batch.signals, cells), cells)
        embeddings = batch.embeddings
        if embed is not None:
            texts = [
                record_text({key: value for key, value in record.items() if key != name})
                for record in batch.records
            ]
            embeddings = embed(texts)
        without = _scores(classifier, wanted, embeddings, hidden, suspicion)
        effects[:, place] = scores - without
    return effects


def _token_marks(
    classifier: RecordClassifier,
    batch: _Batch,
    wanted: list[Target],
    scores: Scores,
    pairs: list[tuple[int, int]],
    embed: Embed | None,
    signals_of: SignalsOf | None,
    should_stop: ShouldStop,
) -> dict[tuple[int, int], list[TokenMark]]:
    """Marks of the pieces of these (record, field) values, strongest kept, in text order."""
    names, parts = classifier.layout.fields, fitted_parts(classifier)
    rows: list[int] = []
    variants: list[Fields] = []
    places: list[tuple[tuple[int, int], int, int, str]] = []
    for row, place in pairs:
        record, name = batch.records[row], names[place]
        value = text_of(record.get(name))
        for start, end in token_spans(value, TOKENS):
            rows.append(row)
            variants.append({**record, name: value[:start] + value[end:]})
            places.append(((row, place), start, end, value[start:end]))
    if not rows:
        return {}
    check_stop(should_stop, "explaining predictions")
    embeddings = batch.embeddings[rows]
    if embed is not None:
        embeddings = embed([record_text(variant) for variant in variants])
    signals = Signals(batch.signals.record[rows], batch.signals.cells[rows])
    if signals_of is not None:
        signals = signals_of(variants)
    faults = parts.faults.predict_proba(signals.cells)
    without = _scores(classifier, [wanted[row] for row in rows], embeddings, signals, faults)
    found: dict[tuple[int, int], list[TokenMark]] = {}
    for (key, start, end, text), row, score in zip(places, rows, without.tolist(), strict=True):
        effect = float(scores[row]) - score
        if effect:
            found.setdefault(key, []).append(TokenMark(start, end, text, effect))
    for key, marks in found.items():
        strongest = sorted(marks, key=lambda mark: -abs(mark.contribution))[:SHOWN]
        found[key] = sorted(strongest, key=lambda mark: mark.start)
    return found


def _scores(
    classifier: RecordClassifier,
    wanted: list[Target],
    embeddings: Embeddings,
    signals: Signals,
    faults: NDArray[np.float64],
) -> Scores:
    """(n,) log-odds, each row of its own target."""
    design = fitted_parts(classifier).design.transform(embeddings, signals, faults)
    weights = np.stack([target.weights for target in wanted])
    references = np.array([target.reference for target in wanted])
    scores: Scores = np.einsum("nd,nd->n", design.astype(np.float64), weights) + references
    return scores


def _summary(
    layout: FeatureLayout, signals: Signals, cells: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Record signals after the cells changed: as ``ColumnSignals.transform`` sums them up."""
    if layout.record_signals != 2 * layout.cell_signals + 2:
        return signals.record
    return np.concatenate(
        [
            cells.max(axis=1),
            cells.mean(axis=1),
            signals.record[:, -2:-1],
            cells[:, :, 0].sum(axis=1, keepdims=True),
        ],
        axis=1,
        dtype=np.float32,
    )
