"""What removing labelled records does to the score, measured, and the split that follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from threadpoolctl import threadpool_limits

from active_learning.classifiers.logistic_heads import fit_heads
from active_learning.exceptions import NoLabels
from active_learning.label_errors import LabelErrors
from active_learning.types import Reason, Scores, ShouldStop, check_stop, never

SHARES = (0.1, 0.2, 0.3, 0.5)
"""Of the unsuspected labels. Chosen: finer steps would differ by less than their intervals."""
HELD_OUT = 0.25
"""Share of the records that score. Chosen: three quarters are left to learn from."""
TOLERANCE = 0.005
"""Accuracy that may be lost. Chosen: half a per cent, as little as is worth a label elsewhere
(``stopping.WORTHWHILE``)."""
FEWEST = 20
"""Chosen: a quarter of them, five, are the least to score by."""


class ValueKind(StrEnum):
    """What a labelled record is to the classifier."""

    IMPORTANT = "important"
    REDUNDANT = "redundant"
    HARMFUL = "harmful"


@dataclass(frozen=True)
class RemovalEffect:
    """Change of held-out accuracy when a share of the records is left out, with 95 % intervals."""

    share: float
    chosen: tuple[float, float, float]
    """(mean, low, high) where the surest records were removed."""
    random: tuple[float, float, float]
    """(mean, low, high) where as many were removed at random."""


@dataclass(frozen=True)
class DataValue:
    """The split of n labelled records; it claims no more than ``effects`` measured."""

    kinds: list[ValueKind]
    values: Scores
    """(n,) from 0, most harmful, to 1."""
    weights: NDArray[np.float64]
    """(n,) for ``RecordClassifier.fit(sample_weight=)``: probability that the label is right."""
    effects: list[RemovalEffect]
    summary: Reason


def value_weights(errors: LabelErrors) -> NDArray[np.float64]:
    """(n,) how much each label counts: the probability that it is right, never quite nothing."""
    return np.clip(1.0 - errors.error_probabilities, 0.01, 1.0)


def split_by_value(
    matrix: NDArray[np.float32],
    codes: NDArray[np.intp],
    classes: int,
    errors: LabelErrors,
    *,
    shares: Sequence[float] = SHARES,
    repeats: int = 10,
    tolerance: float = TOLERANCE,
    seed: int = 0,
    should_stop: ShouldStop = never,
) -> DataValue:
    """Harmful are suspected labels; redundant those whose removal was measured to cost nothing.

    The surest labels are left out first, in growing shares, and the heads trained on the rest are
    scored on held-out records, against random removal of the same size. Redundant is the largest
    share whose loss stays within ``tolerance`` at the lower end of its interval.

    Args:
        matrix: (n, d) what the heads read.
        codes: (n,) labels.
        classes: how many there are.
        errors: of the same labels.
        shares: of the unsuspected records to try to remove.
        repeats: random held-out parts; intervals are corrected for their overlap.
        tolerance: accuracy that may be lost.
        seed: of the parts.

    Raises:
        NoLabels: fewer than twenty records, too few to measure on.
        Cancelled: ``should_stop`` answered True.
    """
    if len(codes) < FEWEST:
        raise NoLabels(f"{len(codes)} labelled records are too few to measure: {FEWEST} needed.")
    effects = removal_effects(
        matrix, codes, classes, errors, shares, repeats=repeats, seed=seed, should_stop=should_stop
    )
    free = [effect for effect in effects if effect.chosen[1] >= -tolerance]
    kinds = np.full(len(codes), ValueKind.IMPORTANT, dtype=object)
    best = max(free, key=lambda effect: effect.share, default=None)
    if best is not None:
        kinds[_surest(errors, np.arange(len(codes)), best.share)] = ValueKind.REDUNDANT
    kinds[errors.is_suspected] = ValueKind.HARMFUL
    return DataValue(
        kinds.tolist(),
        1.0 - errors.scores,
        value_weights(errors),
        effects,
        _summary(effects, best, tolerance, int(errors.is_suspected.sum())),
    )


def removal_effects(
    matrix: NDArray[np.float32],
    codes: NDArray[np.intp],
    classes: int,
    errors: LabelErrors,
    shares: Sequence[float],
    *,
    repeats: int,
    seed: int,
    should_stop: ShouldStop = never,
) -> list[RemovalEffect]:
    """The measured effect of every share; held-out records are scored by unsuspected labels.

    ``matrix`` is (n, d), ``codes`` (n,): the class number of every label."""
    rng = np.random.default_rng(seed)
    n = len(codes)
    changes = np.zeros((repeats, len(shares), 2))
    for repeat in range(repeats):
        check_stop(should_stop, "measuring data value")
        order = rng.permutation(n)
        held, kept = order[: round(HELD_OUT * n)], order[round(HELD_OUT * n) :]
        held = held[~errors.is_suspected[held]]
        kept = kept[~errors.is_suspected[kept]]
        whole = _accuracy(matrix, codes, classes, kept, held)
        for place, share in enumerate(shares):
            surest = _surest(errors, kept, share)
            chance = rng.permutation(kept)[: len(surest)]
            for column, removed in enumerate((surest, chance)):
                rest = np.setdiff1d(kept, removed)
                score = _accuracy(matrix, codes, classes, rest, held)
                changes[repeat, place, column] = score - whole
    return [
        RemovalEffect(share, _interval(changes[:, place, 0]), _interval(changes[:, place, 1]))
        for place, share in enumerate(shares)
    ]


def _surest(errors: LabelErrors, rows: NDArray[np.intp], share: float) -> NDArray[np.intp]:
    """The share of the unsuspected rows whose labels are least in doubt."""
    sound = rows[~errors.is_suspected[rows]]
    order = np.argsort(errors.scores[sound], kind="stable")
    surest: NDArray[np.intp] = sound[order[: round(share * len(sound))]]
    return surest


def _accuracy(
    matrix: NDArray[np.float32],
    codes: NDArray[np.intp],
    classes: int,
    rows: NDArray[np.intp],
    held: NDArray[np.intp],
) -> float:
    if not len(rows) or not len(held):
        return 0.0
    marks = np.zeros((len(rows), 0), np.int8)
    with threadpool_limits(1):
        heads = fit_heads(matrix[rows], codes[rows], classes, marks, iterations=60)
    return float((heads.logits(matrix[held])[0].argmax(axis=1) == codes[held]).mean())


def _interval(changes: NDArray[np.float64]) -> tuple[float, float, float]:
    """(mean, low, high), t interval corrected for overlapping parts (Nadeau and Bengio 2003)."""
    mean, n = float(changes.mean()), len(changes)
    if n < 2:
        return mean, -1.0, 1.0
    spread = float(changes.std(ddof=1)) * np.sqrt(1.0 / n + HELD_OUT / (1.0 - HELD_OUT))
    half = float(stats.t.ppf(0.975, n - 1)) * spread
    return mean, mean - half, mean + half


def _summary(
    effects: Sequence[RemovalEffect], best: RemovalEffect | None, tolerance: float, harmful: int
) -> Reason:
    shown = best or effects[0]
    (mean, low, high), random = shown.chosen, shown.random[0]
    verdict = (
        Reason("measured to cost at most {points:.1f} points", points=100 * tolerance)
        if best
        else Reason("not shown to be free, so none is called redundant")
    )
    return Reason(
        "{suspected}. Leaving out the surest {share:.0f} % of the others: {mean:+.1f} points "
        "[{low:+.1f}, {high:+.1f}] of held-out accuracy ({random:+.1f} when as many are left out "
        "at random): {verdict}. Pruning is not free in general; this holds for these records and "
        "this head.",
        suspected=Reason.ngettext("{n:,} label suspected", "{n:,} labels suspected", n=harmful),
        share=100 * shown.share,
        mean=100 * mean,
        low=100 * low,
        high=100 * high,
        random=100 * random,
        verdict=verdict,
    )
