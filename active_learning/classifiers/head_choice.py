"""How loud the blocks speak and how much rare grades weigh: chosen out of fold."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.calibration import temperature_for
from active_learning.classifiers.design import BlockScales
from active_learning.classifiers.logistic_heads import Matrix, divide_by_temperature, softmax

SCALES = (
    BlockScales(0.0, 0.03),
    BlockScales(0.0, 0.15),
    BlockScales(1.0, 0.1),
    BlockScales(2.0, 0.1),
)
"""Candidates, quietest first. Chosen: each costs one more training, so there are few."""
CLASS_BALANCES = (0.5, 1.0)
"""Candidates for ``fit_heads``, mildest first. Unbalanced heads find fewer rare grades, also where
the rows were chosen actively; full balance costs accuracy where labels are many or noisy."""
SCALE_MARGIN, BALANCE_MARGIN = 0.5, 1.0
"""Standard errors by which a louder scale, or more balance, must lower the loss. Chosen."""


class Judge:
    """Compares logits of rows that the heads did not see (one-standard-error rule).

    A candidate is preferred if it lowers the log loss, after temperature scaling, by more than
    its margin of standard errors of the paired difference (Breiman et al. 1984).

    Args:
        codes: (n,) true classes, -1 where the row may not judge.
        sample_weight: (n,) how much each row counts.
    """

    def __init__(self, codes: NDArray[np.intp], sample_weight: Matrix) -> None:
        self._codes, self._sample_weight = codes, sample_weight

    def temperature(self, logits: Matrix) -> float:
        """The divisor of the logits (n, classes) with the least log loss."""
        return temperature_for(logits, self._codes)

    def prefers_scale(self, logits: Matrix, present: Matrix) -> bool:
        """Whether these (n, classes) logits are clearly better; every class counts the same."""
        return self._is_lower(logits, present, 1.0, SCALE_MARGIN)

    def prefers_balance(self, logits: Matrix, present: Matrix) -> bool:
        """The same of (n, classes) where a class counts by the square root of its rows.

        With all classes alike, full balance would win by its own measure.
        """
        return self._is_lower(logits, present, 0.5, BALANCE_MARGIN)

    def _is_lower(self, logits: Matrix, present: Matrix, balance: float, margin: float) -> bool:
        gaps = self._losses(present, balance) - self._losses(logits, balance)
        return len(gaps) > 0 and bool(gaps.mean() > margin * gaps.std() / np.sqrt(len(gaps)))

    def _losses(self, logits: Matrix, balance: float) -> Matrix:
        """Log losses of the rows that count, a rare class weighted as in ``fit_heads``."""
        counted = self._codes >= 0
        codes, weights = self._codes[counted], self._sample_weight[counted]
        scaled = softmax(divide_by_temperature(logits[counted], self.temperature(logits)))
        if len(codes) == 0:
            return np.zeros(0)
        weights = weights * np.bincount(codes, weights)[codes] ** -balance
        chosen = np.maximum(scaled[np.arange(len(codes)), codes], 1e-12)
        losses: Matrix = -np.log(chosen) * weights * len(codes) / weights.sum()
        return losses


def candidates(known: BlockScales | None, *, has_signals: bool) -> Sequence[BlockScales]:
    """All scales for a cold fit; for a warm one the known scales and those that are louder.

    Few labels, or labels of one class, ask for quiet scales; kept for ever, these would drown
    what later labels teach. Scales that are no candidates any more are chosen anew. Where the text
    is all there is, it is never silent: heads that read nothing give every record the same grade,
    and of few labels drawn far apart the left out ones seem unpredictable. The temperature says
    how little is known.
    """
    scales = SCALES[SCALES.index(known) :] if known in SCALES else SCALES
    return scales if has_signals else [scale for scale in scales if scale.embedding > 0.0]


def is_shared(codes: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(n,) whether another row has the class too.

    A class of one row is unknown to the heads that judge this row out of fold: its loss is without
    bound whatever the scales and the temperature, and would drown all that the others say.
    """
    counts = np.bincount(codes[codes >= 0], minlength=1)
    return np.asarray((codes >= 0) & (counts[np.maximum(codes, 0)] > 1))
