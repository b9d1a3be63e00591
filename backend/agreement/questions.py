"""How far people agree on each question: whole, by part of the data, by pair, by week."""

from collections.abc import Mapping
from datetime import date

import numpy as np

from backend.agreement.answered import SchemaQuestion
from backend.agreement.schemas import (
    AgreementMeasure,
    PairAgreement,
    QuestionAgreement,
    Sentence,
    SliceAgreement,
    WeekAgreement,
)
from backend.words import Message
from labeling.consensus import slices
from labeling.consensus.agreement import Agreement, krippendorff_alpha
from labeling.consensus.base import LabelFrame
from labeling.consensus.kappa import Kappa, fleiss_kappa
from labeling.words import Words

MOST_PAIRS = 300
"""Chosen: a report stays small where there are thousands of pairs."""
MATRIX_PEOPLE = 16
"""Chosen: a matrix of more does not fit on a page."""


def question_agreement(
    question: SchemaQuestion,
    kinds: Mapping[int, str],
    rounds: Mapping[int, int],
    days: Mapping[int, date],
    seed: int,
) -> QuestionAgreement:
    """The same answers and seed give the same numbers."""
    rng = np.random.default_rng(seed)
    frame, order = question.frame, question.order
    by_kind = slices.agreement_by_slice(frame, kinds, rng)
    numbered = {item: f"{number:06d}" for item, number in rounds.items()}
    by_round = slices.agreement_by_slice(frame, numbered, rng)
    weeks = slices.agreement_over_time(frame, days, rng)
    pairs = slices.agreement_by_pair(_of_known_people(frame), rng)
    kept = _worth_listing(pairs, busiest(frame))
    return QuestionAgreement(
        kind=question.kind,
        name=question.name,
        title=question.title,
        title_zh=question.title_zh,
        alpha=_measure(krippendorff_alpha(frame, rng)),
        ordinal=_measure(krippendorff_alpha(frame, rng, order=order)) if order else None,
        fleiss=_measure(fleiss_kappa(frame, rng)),
        slices=[
            SliceAgreement(by="kind", name=name, alpha=_measure(found))
            for name, found in by_kind.items()
        ]
        + [
            SliceAgreement(by="round", name=str(int(name)), alpha=_measure(found))
            for name, found in by_round.items()
        ],
        weeks=[
            WeekAgreement(first=each.first, last=each.last, alpha=_measure(each.agreement))
            for each in weeks
        ],
        pairs=[
            PairAgreement(first=each.first, second=each.second, kappa=_measure(each.kappa))
            for each in kept
        ],
        pairs_left_out=len(pairs) - len(kept),
    )


def busiest(frame: LabelFrame) -> list[int]:
    """The known people who answered most, so many as a matrix shows."""
    people, answers = np.unique(_of_known_people(frame).annotators, return_counts=True)
    return [int(people[place]) for place in np.argsort(-answers, kind="stable")[:MATRIX_PEOPLE]]


def sentence(words: Words | None) -> Sentence | None:
    """The words as they are kept."""
    return None if words is None else Sentence(message=Message.of(words))


def _of_known_people(frame: LabelFrame) -> LabelFrame:
    known = frame.annotators > 0
    return LabelFrame(frame.items[known], frame.annotators[known], frame.labels[known])


def _worth_listing(pairs: list[slices.PairKappa], people: list[int]) -> list[slices.PairKappa]:
    """The least agreeing pairs, and those of the people whom the matrix shows."""
    shown = set(people)
    return [
        pair
        for place, pair in enumerate(pairs)
        if place < MOST_PAIRS or {pair.first, pair.second} <= shown
    ]


def _measure(found: Agreement | Kappa) -> AgreementMeasure:
    return AgreementMeasure(
        value=found.alpha if isinstance(found, Agreement) else found.kappa,
        low=found.low,
        high=found.high,
        percent=found.percent,
        items=found.items,
        why=sentence(found.why),
    )
