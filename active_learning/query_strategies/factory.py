"""From the name in a setting to the query strategy."""

from collections.abc import Callable

from active_learning.exceptions import UnknownStrategy
from active_learning.query_strategies.base import QueryStrategy
from active_learning.query_strategies.cold_start import ColdStart
from active_learning.query_strategies.diverse_margin import DiverseMargin
from active_learning.query_strategies.random_sampling import RandomSampling
from active_learning.query_strategies.uncertainty import entropy, least_confidence, margin

_STRATEGIES: dict[str, Callable[[int], QueryStrategy]] = {
    "default": lambda seed: DiverseMargin(seed=seed),
    "cold_start": lambda seed: ColdStart(seed=seed),
    "diverse_margin": lambda seed: DiverseMargin(seed=seed),
    "entropy": entropy,
    "least_confidence": least_confidence,
    "margin": margin,
    "random": lambda seed: RandomSampling(seed=seed),
}


def strategy_names() -> tuple[str, ...]:
    """Every name that :func:`make_strategy` knows; ``default`` is ``diverse_margin``."""
    return tuple(_STRATEGIES)


def make_strategy(name: str, *, seed: int = 0) -> QueryStrategy:
    """The query strategy of that name.

    Raises:
        UnknownStrategy: there is none; the message lists all.
    """
    if name not in _STRATEGIES:
        raise UnknownStrategy(
            f"Unknown query strategy {name!r}; choose one of {', '.join(_STRATEGIES)}."
        )
    return _STRATEGIES[name](seed)
