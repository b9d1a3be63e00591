"""Consensus labels of a whole project, from the answers that count."""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backend.loop.answers import RecordAnswers
from backend.models import Annotation
from labeling.consensus.automatic import automatic
from labeling.consensus.base import LabelFrame
from labeling.consensus.classifier_prior import ItemPriors
from labeling.consensus.posterior import ConsensusResult
from labeling.label_schema import LabelSchema

SURE = 0.9
"""Probability from which a tie of votes is broken."""
ENOUGH = 50
"""Records with several answers from which so much is known of the annotators that it may be."""


@dataclass(frozen=True)
class RecordConsensus:
    """What the answers to one record say together. ``grade`` is None for a tie or no grade."""

    grade: str | None
    confidence: float | None
    probabilities: Mapping[str, float]
    issues: Mapping[str, float]
    faulty_fields: Mapping[str, float]
    votes: int
    skips: int
    is_complete: bool
    method: str

    def fingerprint(self) -> str:
        """SHA-256, hex, of everything that it says."""
        content = {
            "grade": self.grade,
            "probabilities": _rounded(self.probabilities),
            "issues": _rounded(self.issues),
            "faulty_fields": _rounded(self.faulty_fields),
            "votes": self.votes,
            "skips": self.skips,
            "is_complete": self.is_complete,
            "method": self.method,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def consensus_of(
    held: Mapping[int, RecordAnswers],
    opinions: Mapping[int, Mapping[str, float]],
    schema: LabelSchema,
    *,
    annotators_per_record: int,
    sure: float = SURE,
) -> dict[int, RecordConsensus]:
    """First task's id to the consensus of its answers.

    Nobody's grade is never the consensus: a classifier's opinion weighs between grades that people
    gave. Where as many people gave one grade as another, the consensus is a tie unless what is
    known of the annotators, and the classifier, make one of them ``sure``. The only answer to a
    record has no confidence while no record has two: nothing tells how often people are right.

    Args:
        held: the answers of every record.
        opinions: first task's id to the probabilities that a classifier gave its grades before
            anyone had answered; they are the prior where there are several votes to weigh.
        schema: answers with grades that it does not have are not counted.
        annotators_per_record: who are asked where a task does not say otherwise.
        sure: probability from which a tie of votes is broken.
    """
    frame = grade_frame(held, schema)
    found = automatic(frame, priors=_priors(held, opinions, schema))
    posteriors, sureness = _posteriors(found), _sureness(found)
    checked = sum(len(each.answers) > 1 for each in held.values())
    consensus: dict[int, RecordConsensus] = {}
    for place, each in held.items():
        if not each.responses:
            continue
        counted = [row for row in each.answers if row.grade in schema.grades]
        votes = Counter(str(row.grade) for row in counted)
        shares = posteriors.get(place, {})
        grade = _grade(votes, shares, sure if checked >= ENOUGH else math.inf)
        is_checked = checked > 0 or len(counted) > 1
        consensus[place] = RecordConsensus(
            grade=grade,
            confidence=sureness[place].get(grade, shares[grade]) if grade and is_checked else None,
            probabilities={name: shares.get(name, 0.0) for name in schema.grades} if votes else {},
            issues=_said(counted, schema.issue_values, lambda row: row.issues),
            faulty_fields=_said(counted, schema.fields, lambda row: row.faulty_fields),
            votes=len(counted),
            skips=each.responses - len(counted),
            is_complete=each.is_complete(annotators_per_record),
            method=found.method,
        )
    return consensus


def _grade(votes: Counter[str], shares: Mapping[str, float], sure: float) -> str | None:
    if not votes:
        return None
    best = max(votes, key=lambda name: shares[name])
    top = max(votes.values())
    is_tied = sum(count == top for count in votes.values()) > 1
    return None if is_tied and shares[best] < sure else best


def _posteriors(found: ConsensusResult) -> dict[int, dict[str, float]]:
    names = found.classes.tolist()
    return {
        item: dict(zip(names, row, strict=True))
        for item, row in zip(found.item_ids.tolist(), found.probabilities.tolist(), strict=True)
    }


def _sureness(found: ConsensusResult) -> dict[int, dict[str, float]]:
    """Item to its most probable grade and how sure the method is of it."""
    best = found.probabilities.argmax(axis=1) if found.probabilities.size else []
    return {
        item: {str(found.classes[code]): sure}
        for item, code, sure in zip(
            found.item_ids.tolist(), best, found.confidence.tolist(), strict=True
        )
    }


def _priors(
    held: Mapping[int, RecordAnswers],
    opinions: Mapping[int, Mapping[str, float]],
    schema: LabelSchema,
) -> ItemPriors | None:
    """What the classifier thought; None where no record has two answers to weigh."""
    places = [
        place
        for place, shares in opinions.items()
        if place in held
        and math.isclose(sum(shares.get(g, 0.0) for g in schema.grades), 1, abs_tol=1e-3)
    ]
    if not places or max(len(each.answers) for each in held.values()) < 2:
        return None
    table = np.array([[opinions[place].get(g, 0.0) for g in schema.grades] for place in places])
    return ItemPriors(
        np.array(places, dtype=np.int64), schema.grades, table / table.sum(axis=1, keepdims=True)
    )


def _said(
    rows: Sequence[Annotation], names: Sequence[str], chosen: Callable[[Annotation], Sequence[str]]
) -> dict[str, float]:
    """Share of the answers that chose each name."""
    if not rows:
        return {}
    return {name: sum(name in chosen(row) for row in rows) / len(rows) for name in names}


def _rounded(shares: Mapping[str, float]) -> dict[str, float]:
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
            (place, row.annotator_id or -(row.id or 0), str(row.grade))
            for place, each in held.items()
            for row in each.answers
            if row.grade in schema.grades or (row.grade is not None and not only_known)
        ]
    )
