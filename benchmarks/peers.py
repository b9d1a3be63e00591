"""Query strategies of modAL, small-text and scikit-activeml on our features and our head.

Each is a chooser of ``active_learning.simulation``: it gets the same classifier, fitted on the same
answers, and only decides which rows come next. Peers that need a fitted classifier start from the
same random rows as random choice does.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning.simulation.experiment import Chooser, Plan, Round, chooser


def make_chooser(name: str, plan: Plan) -> Chooser:
    """``PACKAGE.STRATEGY`` of a peer, else a strategy of this library as its learner runs it."""
    if name not in PEERS:
        return chooser(name, plan.audit_share)
    start, choose = chooser("random", plan.audit_share), PEERS[name]

    def peer(state: Round, count: int) -> list[int]:
        if not state.labelled:
            return start(state, count)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [int(row) for row in choose(state, count)]

    return peer


def _modal(measure: str) -> Callable[[Round, int], Any]:
    def choose(state: Round, count: int) -> Any:
        from modAL import uncertainty

        rows = state.unlabelled
        chosen, _ = getattr(uncertainty, measure)(
            state.classifier, state.features[rows], n_instances=count
        )
        return rows[np.asarray(chosen)]

    return choose


def _modal_ranked(state: Round, count: int) -> Any:
    from modAL.batch import uncertainty_batch_sampling
    from modAL.models import ActiveLearner

    rows = state.unlabelled
    learner = ActiveLearner(
        state.classifier,
        X_training=state.features[state.labelled],
        y_training=np.array(state.answers),
    )
    chosen, _ = uncertainty_batch_sampling(learner, state.features[rows], count)
    return rows[np.asarray(chosen)]


class _Dataset:
    """The little of a small-text dataset that its strategies read."""

    def __init__(self, x: NDArray[np.float32]) -> None:
        self.x = x

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: Any) -> "_Dataset":
        return _Dataset(self.x[rows])


class _Classifier:
    """The little of a small-text classifier that its strategies call."""

    def __init__(self, state: Round) -> None:
        self._state = state

    def predict_proba(self, data: _Dataset) -> Any:
        return self._state.classifier.predict_proba(data.x)

    def embed(self, data: _Dataset, *, return_proba: bool = False, **_: Any) -> Any:
        vectors = data.x[:, : self._state.layout.embedding]
        return (vectors, self.predict_proba(data)) if return_proba else vectors


def _small_text(name: str) -> Callable[[Round, int], Any]:
    def choose(state: Round, count: int) -> Any:
        from small_text import query_strategies

        np.random.seed(state.seed % 2**32)
        options = {"pbar": None} if name == "ContrastiveActiveLearning" else {}
        strategy = getattr(query_strategies, name)(**options)
        codes = np.searchsorted(state.classes, state.answers)
        return strategy.query(
            _Classifier(state),
            _Dataset(state.features),
            state.unlabelled,
            np.array(state.labelled),
            codes,
            n=count,
        )

    return choose


def _skactiveml(name: str, **options: Any) -> Callable[[Round, int], Any]:
    def choose(state: Round, count: int) -> Any:
        from skactiveml import pool

        strategy = getattr(pool, name)(
            missing_label=np.nan, random_state=state.seed % 2**31, **options
        )
        codes = np.full(len(state.features), np.nan)
        codes[state.labelled] = np.searchsorted(state.classes, state.answers)
        vectors = state.features[:, : state.layout.embedding]
        if name in {"UncertaintySampling", "Badge"}:
            head = _head(state)
            return strategy.query(vectors, codes, head, fit_clf=False, batch_size=count)
        return strategy.query(vectors, codes, batch_size=count)

    return choose


def _head(state: Round) -> Any:
    """Our fitted head in scikit-activeml's clothes."""
    from skactiveml.base import SkactivemlClassifier

    class Head(SkactivemlClassifier):  # type: ignore[misc] # the package is untyped
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:  # noqa: ARG002
            return self

        def predict_proba(self, X: Any) -> Any:
            blank = np.zeros((len(X), state.layout.width - X.shape[1]), dtype=np.float32)
            whole = np.hstack([X, blank]).astype(np.float32)
            return state.classifier.predict_proba(whole)

    head = Head(classes=list(range(len(state.classes))), missing_label=np.nan)
    head.classes_ = np.arange(len(state.classes))
    return head


PEERS: dict[str, Callable[[Round, int], Any]] = {
    "modal.uncertainty": _modal("uncertainty_sampling"),
    "modal.margin": _modal("margin_sampling"),
    "modal.entropy": _modal("entropy_sampling"),
    "modal.ranked_batch": _modal_ranked,
    "small_text.BreakingTies": _small_text("BreakingTies"),
    "small_text.ContrastiveActiveLearning": _small_text("ContrastiveActiveLearning"),
    "small_text.GreedyCoreset": _small_text("GreedyCoreset"),
    "skactiveml.margin": _skactiveml("UncertaintySampling", method="margin_sampling"),
    "skactiveml.Badge": _skactiveml("Badge"),
    "skactiveml.TypiClust": _skactiveml("TypiClust"),
    "skactiveml.CoreSet": _skactiveml("CoreSet"),
}
QUICK_PEERS = ("modal.margin", "small_text.BreakingTies", "skactiveml.margin")
