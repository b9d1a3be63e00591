"""Simulated annotators: what a person with known habits answers to a record with known truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np

from backend.demo.truth import Truth


@dataclass(frozen=True)
class AnnotatorProfile:
    """The habits of one simulated annotator; all rates are probabilities in [0, 1].

    Attributes:
        error_rate: how often a grade is judged wrongly, when nothing is suggested.
        suggestion_bias: how often a shown suggestion is taken over without a look.
        missed_issue_rate: how often an issue that is there is not ticked.
        missed_field_rate: how often a faulty field is not marked.
        correction_rate: how often a marked field is given its right value.
        seconds: median time for one record.
    """

    name: str
    email: str
    error_rate: float = 0.05
    suggestion_bias: float = 0.05
    missed_issue_rate: float = 0.1
    missed_field_rate: float = 0.15
    correction_rate: float = 0.3
    seconds: float = 12.0

    def __post_init__(self) -> None:
        for name in (
            "error_rate",
            "suggestion_bias",
            "missed_issue_rate",
            "missed_field_rate",
            "correction_rate",
        ):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"{name} of {self.name} is {value}; give a share from 0 to 1")


@dataclass(frozen=True)
class ShownSuggestion:
    """What the form was filled with before the annotator looked."""

    grade: str
    issues: tuple[str, ...] = ()
    faulty_fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class DemoAnswer:
    """What an annotator submits."""

    grade: str
    issues: tuple[str, ...] = ()
    faulty_fields: tuple[str, ...] = ()
    corrected: dict[str, str] = field(default_factory=dict)
    rationale: str | None = None
    seconds: float = 0.0


PROFILES: tuple[AnnotatorProfile, ...] = (
    AnnotatorProfile(
        name="Lin Careful",
        email="lin@annotators.example.com",
        error_rate=0.03,
        suggestion_bias=0.03,
        missed_issue_rate=0.05,
        missed_field_rate=0.08,
        correction_rate=0.6,
        seconds=21.0,
    ),
    AnnotatorProfile(
        name="Maya Steady",
        email="maya@annotators.example.com",
        error_rate=0.08,
        suggestion_bias=0.10,
        missed_issue_rate=0.12,
        missed_field_rate=0.2,
        correction_rate=0.3,
        seconds=13.0,
    ),
    AnnotatorProfile(
        name="Otto Hasty",
        email="otto@annotators.example.com",
        error_rate=0.18,
        suggestion_bias=0.30,
        missed_issue_rate=0.3,
        missed_field_rate=0.5,
        correction_rate=0.05,
        seconds=5.0,
    ),
)
"""Three people with different error rates."""


def answer(
    truth: Truth,
    profile: AnnotatorProfile,
    *,
    grades: Sequence[str],
    issues: Sequence[str],
    seed: int,
    suggestion: ShownSuggestion | None = None,
) -> DemoAnswer:
    """What ``profile`` says about the record; the same for the same arguments.

    A taken-over suggestion is submitted as it stands. Otherwise the grade is right with
    probability ``1 - error_rate``; a wrong grade is a neighbour in the order of ``grades``.
    Somebody who sees nothing wrong ticks nothing, and somebody who grades a good record down
    finds an issue that is not there.

    Args:
        grades: allowed grades, best first.
        issues: allowed issues; issues of the truth that are not among them are left out.
        seed: of the experiment; annotator and record are mixed in.
        suggestion: what the form was filled with, if the annotator saw one.
    """
    chance = _chance(seed, profile.email, truth.record_id)
    seconds = float(profile.seconds * chance.lognormal(0.0, 0.35))
    if suggestion is not None and chance.random() < profile.suggestion_bias:
        return DemoAnswer(
            suggestion.grade,
            suggestion.issues,
            suggestion.faulty_fields,
            seconds=round(seconds / 2, 1),
        )
    grade = truth.grade if truth.grade in grades else grades[-1]
    if chance.random() < profile.error_rate:
        grade = _neighbour(grade, grades, chance)
    if grade == grades[0]:
        return DemoAnswer(grade, seconds=round(seconds, 1))
    seen = [i for i in truth.issues if i in issues and chance.random() >= profile.missed_issue_rate]
    if not seen:
        known = [issue for issue in truth.issues if issue in issues]
        seen = known[:1] or [str(chance.choice(list(issues)))] if issues else []
    marked = [f for f in truth.faulty_fields if chance.random() >= profile.missed_field_rate]
    corrected = {
        name: truth.corrected[name]
        for name in marked
        if truth.corrected.get(name) and chance.random() < profile.correction_rate
    }
    return DemoAnswer(
        grade,
        tuple(seen),
        tuple(marked),
        corrected,
        _rationale(seen, marked) if chance.random() < profile.correction_rate else None,
        round(seconds, 1),
    )


def answers(
    truths: Mapping[str, Truth],
    profile: AnnotatorProfile,
    *,
    grades: Sequence[str],
    issues: Sequence[str],
    seed: int,
) -> dict[str, DemoAnswer]:
    """What ``profile`` says about each record when nothing is suggested."""
    return {
        record_id: answer(truth, profile, grades=grades, issues=issues, seed=seed)
        for record_id, truth in truths.items()
    }


def _chance(seed: int, email: str, record_id: str) -> np.random.Generator:
    digest = sha256(f"{seed}\n{email}\n{record_id}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def _neighbour(grade: str, grades: Sequence[str], chance: np.random.Generator) -> str:
    at = list(grades).index(grade)
    near = [grades[i] for i in (at - 1, at + 1) if 0 <= i < len(grades)]
    return str(chance.choice(near)) if near else grade


def _rationale(issues: Sequence[str], fields: Sequence[str]) -> str:
    what = ", ".join(issue.replace("_", " ") for issue in issues)
    where = ", ".join(fields)
    return f"{what} ({where})" if where else what
