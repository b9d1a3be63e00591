"""Challengers that are all alike: the worst case of a model that is chosen and certified on the
same audit sample.

Each challenger is right on a record with the same chance, a little too low for the target at every
confidence. The gate compares them one after the other on the audit sample, so its winner looks
better there than it is. Asked is how often the labels that the winner is then certified for break
the promise: corrected for the number of challengers, and as if the winner were the only one.
``independent`` challengers have nothing in common; of ``similar`` ones each differs from the
champion of the moment on a few records and takes over what that was lucky with, so that the choices
add up: more than the bound is proven for, and more than a loop does that learns from all labels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from active_learning.acceptance import certify, share_of_candidate
from active_learning.gate import decide

AUDIT, POOL = 150, 2_000
CHALLENGERS = 15
TOO_MANY_ERRORS = 1.2
"""Errors of every challenger, as a multiple of the target."""
CHANGED = 0.15
"""Share of the records that a similar challenger answers anew."""


@dataclass(frozen=True)
class AlikeModel:
    """Confidences that say nothing, and which answers are right: both (audit + pool,)."""

    confidence: NDArray[np.float64]
    right: NDArray[np.bool_]

    def answers(self) -> list[str]:
        """Of the audit sample, where the truth is ``yes`` everywhere."""
        return ["yes" if right else "no" for right in self.right[:AUDIT].tolist()]


def broken_by_choice(seed: int, *, target: float, delta: float) -> dict[str, float]:
    """1 where the promise is broken, 0 where not, for each kind of challengers and correction."""
    found: dict[str, float] = {}
    for kind, changed in (("independent", 1.0), ("similar", CHANGED)):
        champion = _winner(np.random.default_rng(seed), target, changed)
        share = share_of_candidate(CHALLENGERS)
        for name, part in (("", share), ("_uncorrected", 1.0)):
            rule = certify(
                champion.confidence[:AUDIT],
                champion.right[:AUDIT],
                champion.confidence[AUDIT:],
                target=target,
                delta=delta,
                share=part,
            )
            threshold = np.inf if rule.threshold is None else rule.threshold
            taken = champion.right[AUDIT:][champion.confidence[AUDIT:] >= threshold]
            is_broken = len(taken) > 0 and (~taken).mean() > target
            found[f"{kind}_challengers_broken{name}"] = float(is_broken)
    return found


def _winner(rng: np.random.Generator, target: float, changed: float) -> AlikeModel:
    """The champion after every challenger has passed the gate or not."""
    size, error = AUDIT + POOL, TOO_MANY_ERRORS * target
    champion = AlikeModel(rng.uniform(0.5, 1.0, size), rng.random(size) >= error)
    for _ in range(CHALLENGERS - 1):
        anew = rng.random(size) < changed
        challenger = AlikeModel(
            np.where(anew, rng.uniform(0.5, 1.0, size), champion.confidence),
            np.where(anew, rng.random(size) >= error, champion.right),
        )
        if decide(["yes"] * AUDIT, challenger.answers(), champion.answers()).promote:
            champion = challenger
    return champion
