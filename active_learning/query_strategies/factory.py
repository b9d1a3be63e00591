"""From the name in a setting to the query strategy."""

from collections.abc import Callable

from active_learning.exceptions import UnknownStrategy
from active_learning.query_strategies.badge import Badge
from active_learning.query_strategies.base import QueryStrategy
from active_learning.query_strategies.cold_start import ColdStart
from active_learning.query_strategies.committee import CommitteeDisagreement
from active_learning.query_strategies.contrastive import ContrastiveSampling
from active_learning.query_strategies.core_set import KCenter
from active_learning.query_strategies.default import DefaultChoice
from active_learning.query_strategies.diverse_margin import DiverseMargin
from active_learning.query_strategies.dropout_disagreement import Bald
from active_learning.query_strategies.random_sampling import RandomSampling
from active_learning.query_strategies.ranked_batch import RankedBatch
from active_learning.query_strategies.rare_classes import RareClasses
from active_learning.query_strategies.typiclust import TypiClust
from active_learning.query_strategies.uncertainty import entropy, least_confidence, margin
from active_learning.query_strategies.weighted_kmeans import WeightedKMeans
from active_learning.types import Reason

_STRATEGIES: dict[str, Callable[[int], QueryStrategy]] = {
    "default": lambda seed: DefaultChoice(seed=seed),
    "badge": lambda seed: Badge(seed=seed),
    "bald": lambda seed: Bald(seed=seed),
    "cal": lambda seed: ContrastiveSampling(seed=seed),
    "cold_start": lambda seed: ColdStart(seed=seed),
    "committee": lambda seed: CommitteeDisagreement(seed=seed),
    "diverse_margin": lambda seed: DiverseMargin(seed=seed),
    "entropy": entropy,
    "k_center": lambda seed: KCenter(seed=seed),
    "least_confidence": least_confidence,
    "margin": margin,
    "random": lambda seed: RandomSampling(seed=seed),
    "ranked_batch": lambda seed: RankedBatch(seed=seed),
    "rare_classes": lambda seed: RareClasses(seed=seed),
    "typiclust": lambda seed: TypiClust(seed=seed),
    "weighted_kmeans": lambda seed: WeightedKMeans(seed=seed),
}

_PURPOSES: dict[str, str] = {
    "default": "needs no choosing: typical, doubtful and rare records, mixed by the labels so far",
    "badge": "doubtful and unlike each other: k-means++ over gradient embeddings (Ash 2020)",
    "bald": "where the classifier contradicts itself under dropout (Gal 2017)",
    "cal": "where like labelled records get other probabilities (Margatina 2021)",
    "cold_start": "for the first labels: a sample in which every kind of record has its share",
    "committee": "where classifiers on resampled labels disagree most (Seung 1992)",
    "diverse_margin": "small margin, then spread by k-means (Zhdanov 2019)",
    "entropy": "largest entropy of the class probabilities",
    "k_center": "farthest from all labelled records (Sener 2018); needs no classifier",
    "least_confidence": "smallest probability of the most probable class (Lewis 1994)",
    "margin": "smallest gap between the two most probable classes (Scheffer 2001)",
    "random": "every record alike; what the others are compared with",
    "ranked_batch": "unsure and far from known records, one after the other (Cardoso 2017)",
    "rare_classes": "most likely of the classes with the fewest labels",
    "typiclust": "typical records of clusters without labels (Hacohen 2022); needs no classifier",
    "weighted_kmeans": "k-means of the whole pool weighted by uncertainty (Zhdanov 2019)",
}


def strategy_names() -> tuple[str, ...]:
    """Every name that :func:`make_strategy` knows; ``default`` needs no choosing."""
    return tuple(_STRATEGIES)


def strategy_purpose(name: str) -> str:
    """One line about the strategy: which records it chooses.

    Raises:
        KeyError: there is no strategy of that name.
    """
    return _PURPOSES[name]


def make_strategy(name: str, *, seed: int = 0) -> QueryStrategy:
    """The query strategy of that name.

    Raises:
        UnknownStrategy: there is none; the message lists all.
    """
    if name not in _STRATEGIES:
        raise UnknownStrategy(
            Reason(
                "Unknown query strategy {name!r}; choose one of {strategies}.",
                name=name,
                strategies=list(_STRATEGIES),
            )
        )
    return _STRATEGIES[name](seed)
