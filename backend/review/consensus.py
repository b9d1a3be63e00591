"""Consensus labels of a whole project, from the answers that count."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from backend.annotations.answers import RecordAnswers
from backend.models import Annotation
from labeling.consensus.base import LabelFrame
from labeling.consensus.majority_vote import majority_vote
from labeling.label_schema import LabelSchema


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
) -> dict[int, RecordConsensus]:
    """First task's id to the consensus of its answers.

    Args:
        held: the answers of every record.
        opinions: first task's id to the probabilities that a classifier gave its grades before
            anyone had answered; they are the prior where there are several votes to weigh.
        schema: answers with grades that it does not have are not counted.
        annotators_per_record: who are asked where a task does not say otherwise.
    """
    votes = majority_vote(grade_frame(held, schema))
    found: dict[int, RecordConsensus] = {}
    for place, each in held.items():
        if not each.responses:
            continue
        counted = [row for row in each.answers if row.grade in schema.grades]
        vote = votes.get(place)
        shares = Counter(str(row.grade) for row in counted)
        found[place] = RecordConsensus(
            grade=vote.label if vote else None,
            confidence=vote.share if vote and vote.label is not None else None,
            probabilities={g: shares[g] / len(counted) for g in schema.grades} if counted else {},
            issues=_said(counted, schema.issue_values, lambda row: row.issues),
            faulty_fields=_said(counted, schema.fields, lambda row: row.faulty_fields),
            votes=len(counted),
            skips=each.responses - len(counted),
            is_complete=each.is_complete(annotators_per_record),
            method="majority",
        )
    return found


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
