"""Consensus labels of a whole project, from the answers that count."""

import hashlib
import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backend.loop.answers import RecordAnswers
from backend.models import Annotation
from labeling.consensus.automatic import fit_consensus
from labeling.consensus.base import LabelFrame
from labeling.consensus.consensus_model import ConsensusModel
from labeling.consensus.item_priors import ItemPriors
from labeling.consensus.posterior import UNCHECKED, ConsensusResult
from labeling.label_schema import LabelSchema

SURE = 0.9
"""Probability from which a tie of votes is broken, where a policy says nothing else: the default
of its ``confidence_wanted``."""


@dataclass(frozen=True)
class RecordConsensus:
    """What the answers to one record say together. ``grade`` is None for a tie or no grade.

    ``confidence`` is the grade's probability; ``sureness`` puts records in order and is none.
    """

    grade: str | None
    confidence: float | None
    probabilities: Mapping[str, float]
    issues: Mapping[str, float]
    faulty_fields: Mapping[str, float]
    votes: int
    skips: int
    is_complete: bool
    method: str
    sureness: float | None = None

    def fingerprint(self) -> str:
        """SHA-256, hex, of everything that it says."""
        content = {
            "grade": self.grade,
            "probabilities": _round(self.probabilities),
            "issues": _round(self.issues),
            "faulty_fields": _round(self.faulty_fields),
            "votes": self.votes,
            "skips": self.skips,
            "is_complete": self.is_complete,
            "method": self.method,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def fit_grades(
    held: Mapping[int, RecordAnswers],
    opinions: Mapping[int, Mapping[str, float]],
    schema: LabelSchema,
) -> ConsensusModel:
    """What the answers of a whole project say of its annotators and grades.

    Args:
        held: the answers of every record.
        opinions: first task's id to the probabilities that a classifier gave its grades before
            anyone had answered; they are the prior where there are several votes to weigh.
        schema: answers with grades that it does not have are not counted.
    """
    return fit_consensus(
        grade_frame(held, schema),
        classifier_priors(held, opinions, schema),
        classes=schema.grades,
    )


def weigh_grades(
    model: ConsensusModel,
    held: Mapping[int, RecordAnswers],
    opinions: Mapping[int, Mapping[str, float]],
    schema: LabelSchema,
) -> ConsensusResult:
    """The consensus on the grades of these records, by a model of the whole project."""
    return model.consensus(grade_frame(held, schema), classifier_priors(held, opinions, schema))


def consensus_of(
    held: Mapping[int, RecordAnswers],
    opinions: Mapping[int, Mapping[str, float]],
    schema: LabelSchema,
    *,
    annotators_per_record: int,
    sure: float = SURE,
    model: ConsensusModel | None = None,
) -> dict[int, RecordConsensus]:
    """First task's id to the consensus of its answers.

    Nobody's grade is never the consensus: a classifier's opinion weighs between grades that people
    gave. Where as many people gave one grade as another, the consensus is a tie unless what is
    known of the annotators, and the classifier, make one of them ``sure``. The only answer to a
    record has no confidence while no record has two: nothing tells how often people are right.

    Args:
        held: the answers of every record, or of those wanted where there is a ``model``.
        opinions: first task's id to the probabilities that a classifier gave its grades before
            anyone had answered.
        schema: answers with grades that it does not have are not counted.
        annotators_per_record: who are asked where a task does not say otherwise.
        sure: probability from which a tie of votes is broken.
        model: of the whole project; by default ``fit_grades`` of these records.
    """
    model = model or fit_grades(held, opinions, schema)
    found = weigh_grades(model, held, opinions, schema)
    rows = {item: row for row, item in enumerate(found.item_ids.tolist())}
    names, codes = found.classes.tolist(), found.settled_codes(sure).tolist()
    confidence, shares = found.confidence.tolist(), found.probabilities.tolist()
    sureness = found.sureness.tolist()
    consensus: dict[int, RecordConsensus] = {}
    for place, each in held.items():
        if not each.responses:
            continue
        counted = [answer for answer in each.answers if answer.grade in schema.grades]
        row = rows.get(place)
        has_grade = row is not None and codes[row] >= 0
        consensus[place] = RecordConsensus(
            grade=names[codes[row]] if has_grade else None,
            confidence=confidence[row] if has_grade and found.method != UNCHECKED else None,
            probabilities={} if row is None else dict(zip(names, shares[row], strict=True)),
            issues=_shares_of_choices(counted, schema.issue_values, lambda answer: answer.issues),
            faulty_fields=_shares_of_choices(
                counted, schema.fields, lambda answer: answer.faulty_fields
            ),
            votes=len(counted),
            skips=each.responses - len(counted),
            is_complete=each.is_complete(annotators_per_record),
            method=found.method,
            sureness=None if row is None else sureness[row],
        )
    return consensus


def classifier_priors(
    places: Collection[int],
    opinions: Mapping[int, Mapping[str, float]],
    schema: LabelSchema,
) -> ItemPriors | None:
    """What the classifier thought of these records; None where it thought of none.

    Opinions whose probabilities are not all of the schema's grades are left out.
    """
    known = [
        place
        for place in places
        if place in opinions
        and math.isclose(sum(opinions[place].get(g, 0.0) for g in schema.grades), 1, abs_tol=1e-3)
    ]
    if not known:
        return None
    table = np.array([[opinions[place].get(g, 0.0) for g in schema.grades] for place in known])
    return ItemPriors(
        np.array(known, dtype=np.int64), schema.grades, table / table.sum(axis=1, keepdims=True)
    )


def _shares_of_choices(
    rows: Sequence[Annotation], names: Sequence[str], chosen: Callable[[Annotation], Sequence[str]]
) -> dict[str, float]:
    """Share of the answers that chose each name."""
    if not rows:
        return {}
    return {name: sum(name in chosen(row) for row in rows) / len(rows) for name in names}


def _round(shares: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in shares.items()}


def grade_frame(
    held: Mapping[int, RecordAnswers], schema: LabelSchema, *, only_known: bool = True
) -> LabelFrame:
    """Who gave which grade to what; by default only grades that the schema still has.

    Items are first tasks' ids. An annotator whom Label Studio no longer knows is one person an
    annotation, with a negative id.
    """
    return LabelFrame.from_rows(
        [
            (place, row.annotator_id or -row.id, str(row.grade))
            for place, each in held.items()
            for row in each.answers
            if row.grade in schema.grades or (row.grade is not None and not only_known)
        ]
    )
