"""One simulated learning curve: choose, ask simulated annotators, train, score, repeat."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.classifiers.record_features import FeatureLayout
from active_learning.evaluation import macro_f1
from active_learning.exceptions import NoLabels, ShapeMismatch
from active_learning.learner import ActiveLearner
from active_learning.pool import Pool
from active_learning.simulation.oracle import SimulatedAnnotator, consensus
from active_learning.types import Embeddings, Features, Positions

Metric = Literal["accuracy", "macro_f1"]
SPLIT_SEED = 41
"""Any number, as the next two: keeps the draws of splits, answers and rounds apart."""
ANSWER_SEED = 43
ROUND_SEED = 47


@dataclass(frozen=True)
class LabelledData:
    """Records as features, and the truth."""

    features: Features
    layout: FeatureLayout
    labels: NDArray[np.str_]

    @classmethod
    def of_embeddings(cls, embeddings: Embeddings, labels: NDArray[np.str_]) -> "LabelledData":
        """Records that are known by their embeddings (n, d) alone: one cell signal, always 0."""
        blank = np.zeros((len(embeddings), 1), dtype=np.float32)
        layout = FeatureLayout(embeddings.shape[1], 0, ("text",), 1)
        return cls(np.hstack([embeddings, blank]).astype(np.float32), layout, labels)

    @property
    def classes(self) -> list[str]:
        """Every label that occurs, in order."""
        return sorted(set(self.labels.tolist()))


@dataclass(frozen=True)
class Plan:
    """What every run of a simulation does.

    Args:
        initial: labels before the first training.
        batch: labels a round after that.
        budget: labels in all.
        test_share: of the records, held out by seed and never chosen.
        metric: score on the held-out records, against the truth.
        noise: share of wrong answers of each annotator.
        annotators: who answer each record; the majority is learnt.
        confusion: true class to answer, rows sum to one; replaces the even spread of ``noise``.
        audit_share: share of each batch drawn at random; learnt from like the others.
    """

    initial: int = 25
    batch: int = 25
    budget: int = 500
    test_share: float = 0.25
    metric: Metric = "macro_f1"
    noise: float = 0.0
    annotators: int = 1
    confusion: tuple[tuple[float, ...], ...] | None = None
    audit_share: float = 0.1

    def __post_init__(self) -> None:
        """Refuses what cannot be run."""
        for name in ("initial", "batch", "budget", "annotators"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; give at least 1.")
        if not 0.0 <= self.noise <= 1.0:
            raise ValueError(f"noise is {self.noise}; give a share from 0 to 1.")
        if not 0.0 < self.test_share < 1.0:
            raise ValueError(f"test_share is {self.test_share}; give a share between 0 and 1.")
        if self.initial > self.budget:
            raise ValueError(f"initial is {self.initial}, above the budget of {self.budget}.")

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


@dataclass(frozen=True)
class Round:
    """What a chooser sees: the pool's features, what is labelled and with which answers."""

    features: Features
    layout: FeatureLayout
    classes: list[str]
    labelled: list[int]
    answers: list[str]
    classifier: RecordClassifier
    seed: int

    @property
    def unlabelled(self) -> Positions:
        """(unlabelled,): rows that may be chosen, ascending."""
        return np.setdiff1d(np.arange(len(self.features)), np.array(self.labelled, dtype=np.intp))


Chooser = Callable[[Round, int], list[int]]
"""Rows of the pool to label next: exactly the number asked for, none of them labelled."""


def chooser(strategy: str, audit_share: float) -> Chooser:
    """The library's own learner with that query strategy.

    Raises:
        UnknownStrategy: there is none of that name.
    """
    ActiveLearner(None, strategy=strategy)  # type: ignore[arg-type] # only the name is checked

    def choose(state: Round, count: int) -> list[int]:
        learner = ActiveLearner(
            state.classifier,
            strategy=strategy,
            audit_share=audit_share,
            seed=state.seed,
            device="cpu",  # curves are the same on every machine, and many processes share a GPU
        )
        labels = dict(zip(state.labelled, state.answers, strict=True))
        pool = Pool(range(len(state.features)), labels)
        return list(learner.select(pool, state.features, count, labels=labels).record_ids)

    return choose


@dataclass(frozen=True)
class Split:
    """One seed's records: rows of the pool, their answers, rows of the test."""

    pool: Positions
    answers: NDArray[np.str_]
    test: Positions

    @classmethod
    def of(cls, data: LabelledData, plan: Plan, seed: int) -> "Split":
        """The split and the answers depend on the seed alone, so strategies are paired.

        Raises:
            NoLabels: only one class.
            ShapeMismatch: fewer records outside the test than the budget.
        """
        if len(data.classes) < 2:
            raise NoLabels(f"All labels are {data.classes}; a simulation needs two classes.")
        order = np.random.default_rng([SPLIT_SEED, seed]).permutation(len(data.labels))
        tested = max(1, round(len(order) * plan.test_share))
        test, pool = np.sort(order[:tested]), np.sort(order[tested:])
        if len(pool) < plan.budget:
            raise ShapeMismatch(
                f"{len(pool)} of {len(order)} records are left outside the test, fewer than the "
                f"budget of {plan.budget}; lower the budget."
            )
        return cls(pool, _answers(data, plan, seed, pool), test)


def run_curve(data: LabelledData, plan: Plan, seed: int, choose: Chooser) -> list[list[float]]:
    """[labels, score] after every round up to the budget.

    Rounds whose labels hold one class only are scored as the constant prediction of that class.

    Raises:
        ShapeMismatch: the chooser gave another number of rows, or one twice or labelled before.
    """
    split = Split.of(data, plan, seed)
    features = data.features[split.pool]
    classifier = RecordClassifier(data.layout, data.classes, seed=seed)
    labelled: list[int] = []
    points: list[list[float]] = []
    while len(labelled) < plan.budget:
        count = min(plan.batch if labelled else plan.initial, plan.budget - len(labelled))
        state = Round(
            features,
            data.layout,
            data.classes,
            list(labelled),
            split.answers[labelled].tolist() if labelled else [],
            classifier,
            int(np.random.SeedSequence([ROUND_SEED, seed, len(labelled)]).generate_state(1)[0]),
        )
        chosen = [int(row) for row in choose(state, count)]
        if len(set(chosen)) != count or set(chosen) & set(labelled):
            raise ShapeMismatch(
                f"{count} new records were asked for; {len(chosen)} came, "
                f"{len(set(chosen) - set(labelled))} of them new."
            )
        labelled += sorted(chosen)
        answers = split.answers[labelled]
        classifier = RecordClassifier(data.layout, data.classes, seed=seed)
        classifier.fit(features[labelled], answers)
        points.append([len(labelled), _score(data, plan, split, classifier)])
    return points


def full_score(data: LabelledData, plan: Plan, seed: int) -> float:
    """Score after learning from the annotators' answers for every record of the pool."""
    split = Split.of(data, plan, seed)
    classifier = RecordClassifier(data.layout, data.classes, seed=seed)
    classifier.fit(data.features[split.pool], split.answers)
    return _score(data, plan, split, classifier)


def _score(data: LabelledData, plan: Plan, split: Split, classifier: RecordClassifier) -> float:
    truth = data.labels[split.test]
    predicted = np.asarray(classifier.predict(data.features[split.test]), dtype=np.str_)
    if plan.metric == "accuracy":
        return float((truth == predicted).mean())
    return macro_f1(truth, predicted)


def _answers(data: LabelledData, plan: Plan, seed: int, rows: Positions) -> NDArray[np.str_]:
    truth = data.labels[rows]
    if plan.noise == 0 and plan.confusion is None:
        return truth
    confusion = None if plan.confusion is None else np.asarray(plan.confusion, dtype=np.float64)
    said = [
        SimulatedAnnotator(
            data.classes,
            plan.noise,
            seed=int(np.random.SeedSequence([ANSWER_SEED, seed, who]).generate_state(1)[0]),
            confusion=confusion,
        ).grades(truth.tolist())
        for who in range(plan.annotators)
    ]
    return np.array(consensus(said, seed=seed))
