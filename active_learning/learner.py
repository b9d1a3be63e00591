"""The active learner: a classifier, a query strategy, and which records to label next."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from modAL.models import ActiveLearner as ModalLearner
from numpy.typing import NDArray

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.exceptions import EmptyPool, ShapeMismatch, UnknownLabel
from active_learning.pool import Pool
from active_learning.query_strategies.base import Candidates, QueryStrategy
from active_learning.query_strategies.candidate_facts import CandidateFacts
from active_learning.query_strategies.cold_start import ColdStart
from active_learning.query_strategies.core_set import KCenter
from active_learning.query_strategies.factory import make_strategy
from active_learning.query_strategies.random_sampling import AUDIT_REASON, RandomSampling
from active_learning.types import (
    FeatureRows,
    Features,
    Marks,
    Positions,
    Progress,
    Reason,
    RecordId,
    Scores,
    SelectedBatch,
    ShouldStop,
    check_stop,
    never,
    silent,
)

EARLY_LABELS = 100
EARLY_RANDOM = 0.3
LATE_RANDOM = 0.05
"""Share of random records besides the audit: 30 % before 100 labels, then 5 %. Chosen: doubt means
little while labels are few; later some chance still guards against what the scores miss."""


class ActiveLearner:
    """modAL's ``ActiveLearner`` around a record classifier, plus an audit sample and reasons.

    Args:
        classifier: fitted or not; without labels the batch is a cold start.
        strategy: a name of :func:`strategy_names`.
        audit_share: share of each batch drawn uniformly at random from the unlabelled pool, before
            anything else is chosen; accuracy on these records is unbiased for the pool.
        random_share: further random share; 30 % below 100 labelled records and 5 % later when None.
            The first batch has none: it holds a random sample of its own.
        seed: of every random choice.
        device: where distances are computed: ``auto`` takes a GPU where this process has loaded
            torch and torch sees one; ``cpu`` never does.
    """

    def __init__(
        self,
        classifier: RecordClassifier,
        *,
        strategy: str = "default",
        audit_share: float = 0.1,
        random_share: float | None = None,
        seed: int = 0,
        device: str = "auto",
    ) -> None:
        for name, share in (("audit_share", audit_share), ("random_share", random_share or 0.0)):
            if not 0.0 <= share <= 1.0:
                raise ValueError(f"{name} is {share}; give a share from 0 to 1.")
        make_strategy(strategy)
        self._strategy_name = strategy
        self._device = device
        self._audit_share = audit_share
        self._random_share = random_share
        self._seeds = np.random.SeedSequence(seed)
        self._modal: Any = ModalLearner(classifier, query_strategy=self._query)

    @property
    def classifier(self) -> RecordClassifier:
        """The classifier inside."""
        classifier: RecordClassifier = self._modal.estimator
        return classifier

    def teach(
        self,
        X: Features,
        y: Any,
        *,
        issues: Marks | None = None,
        faulty_fields: Marks | None = None,
        progress: Progress = silent,
        should_stop: ShouldStop = never,
    ) -> None:
        """The classifier has learnt from exactly these labels: give all of them each time.

        ``X`` is (n, width), ``issues`` (n, issues), ``faulty_fields`` (n, fields).
        """
        self._modal.fit(
            X,
            np.asarray(y),
            issues=issues,
            faulty_fields=faulty_fields,
            progress=progress,
            should_stop=should_stop,
        )

    def select(
        self,
        pool: Pool,
        X: FeatureRows,
        budget: int,
        *,
        labels: Mapping[RecordId, str] | None = None,
        progress: Progress = silent,
        should_stop: ShouldStop = never,
    ) -> SelectedBatch:
        """The next batch; the pool itself is unchanged.

        Args:
            pool: which records may be chosen.
            X: (len(pool), width), labelled records included, in pool order; rows that lie on disk
                are read in pieces.
            budget: records wanted. Where fewer are left, all that are left come back, and
                ``len(batch) < budget`` says so.
            labels: of the records labelled so far; ids outside the pool are ignored. They tell
                how many labels each class has, and strategy ``committee`` trains on them. Without
                them the classifier's expectation over ``pool.labelled`` stands in.

        Raises:
            EmptyPool: no record is left.
            ShapeMismatch: ``X`` does not have a row for each record.
            NonFiniteFeatures: ``X`` holds NaN or infinite values.
            UnknownLabel: a label is not a class of the classifier.
            NoLabels: the strategy compares with labels, and there is none.
            Cancelled: ``should_stop`` answered True.
        """
        if len(X) != len(pool):
            raise ShapeMismatch(f"X has {len(X)} rows for {len(pool)} records of the pool.")
        rows = pool.unlabelled
        if len(rows) == 0:
            raise EmptyPool(f"All {len(pool)} records of the pool are labelled or in a batch.")
        if budget < 1:
            raise ValueError(f"budget is {budget}; give at least 1.")
        check_stop(should_stop, "selecting")
        progress(0.1, Reason.ngettext("scoring {n:,} record", "scoring {n:,} records", n=len(rows)))
        audit_seed, query_seed = (int(child.generate_state(1)[0]) for child in self._seeds.spawn(2))
        budget = min(budget, len(rows))
        chance = np.random.default_rng(audit_seed).random(len(pool))
        audit = _draw(rows, _share(budget, self._audit_share), chance[rows])
        rows = np.setdiff1d(rows, audit)
        wanted = budget - len(audit)
        parts = [_Part(audit, np.zeros(len(audit)), [AUDIT_REASON] * len(audit), True)]
        if wanted:
            check_stop(should_stop, "selecting")
            facts = CandidateFacts(
                self.classifier,
                X,
                pool.labelled,
                self._codes(pool, labels),
                seed=query_seed,
                device=self._device,
                progress=lambda share, message: progress(0.1 + 0.6 * share, message),
                should_stop=should_stop,
            )
            parts += self._choose(facts, rows, wanted, query_seed, len(pool.labelled), progress)
        progress(1.0, Reason.ngettext("{n:,} record chosen", "{n:,} records chosen", n=budget))
        return SelectedBatch(
            pool.ids(np.concatenate([part.rows for part in parts])),
            [float(score) for part in parts for score in part.scores],
            [reason for part in parts for reason in part.reasons],
            [part.is_audit for part in parts for _ in part.reasons],
        )

    def _choose(
        self,
        facts: CandidateFacts,
        rows: Positions,
        wanted: int,
        query_seed: int,
        labelled: int,
        progress: Progress,
    ) -> "list[_Part]":
        """The strategy's part, then the random part."""
        strategy = self._strategy(facts, query_seed)
        candidates = facts.candidates(rows, strategy.needs)
        progress(
            0.7,
            Reason.ngettext(
                "choosing {wanted:,} of {n:,} record",
                "choosing {wanted:,} of {n:,} records",
                n=len(rows),
                wanted=wanted,
            ),
        )
        share = self._random_share
        if share is None:
            share = EARLY_RANDOM if labelled < EARLY_LABELS else LATE_RANDOM
        if isinstance(strategy, RandomSampling | ColdStart):
            share = 0.0  # they draw by chance themselves
        by_chance = _share(wanted, share)
        chosen, _, scores = self._modal.query(
            np.arange(len(rows)),
            candidates=candidates,
            strategy=strategy,
            count=wanted - by_chance,
            return_metrics=True,
        )
        reasons = [strategy.reason(candidates, scores, row) for row in chosen.tolist()]
        parts = [_Part(rows[chosen], scores[chosen], reasons, False)]
        if by_chance:
            left = np.setdiff1d(np.arange(len(rows)), chosen)
            chance = RandomSampling(seed=query_seed)
            drawn = _draw(left, by_chance, chance.score(candidates)[left])
            parts.append(
                _Part(
                    rows[drawn],
                    scores[drawn],
                    [chance.reason(candidates, scores, row) for row in drawn.tolist()],
                    False,
                )
            )
        return parts

    def _strategy(self, facts: CandidateFacts, seed: int) -> QueryStrategy:
        """The named one; where it needs a classifier and there is none yet, one that does not.

        While all labels are of one class, no probability leads to the others: what is least like
        the known records does, and meets a rare class sooner than chance.
        """
        strategy = make_strategy(self._strategy_name, seed=seed)
        if strategy.needs and facts.classes_met == 1:
            return KCenter(seed=seed)
        if strategy.needs and not self.classifier.is_fitted:
            return ColdStart(seed=seed)
        return strategy

    @staticmethod
    def _query(
        _classifier: RecordClassifier,
        _rows: Positions,
        *,
        candidates: Candidates,
        strategy: QueryStrategy,
        count: int,
    ) -> tuple[Positions, Scores]:
        """modAL's query strategy: (chosen rows, scores of all rows)."""
        scores = strategy.score(candidates)
        if count == 0:  # a small batch whose audit and random shares take it all
            return np.zeros(0, dtype=np.intp), scores
        return strategy.select(candidates, scores, count), scores

    def _codes(self, pool: Pool, labels: Mapping[RecordId, str] | None) -> NDArray[np.intp] | None:
        """(rows of the pool,) the class of each as a number, -1 where it has no label."""
        if labels is None:
            return None
        numbers = {name: number for number, name in enumerate(self.classifier.classes)}
        unknown = sorted(set(labels.values()) - set(numbers))
        if unknown:
            raise UnknownLabel(
                f"Labels {unknown} are not among {list(numbers)}: declare them or correct them."
            )
        return pool.codes({record: numbers[label] for record, label in labels.items()})


class _Part:
    """Rows that were chosen for the same purpose."""

    def __init__(
        self, rows: Positions, scores: Scores, reasons: list[Reason], is_audit: bool
    ) -> None:
        self.rows, self.scores, self.reasons, self.is_audit = rows, scores, reasons, is_audit


def _share(budget: int, share: float) -> int:
    """At least one record where the share is above zero."""
    return min(budget, max(1, round(budget * share))) if share > 0 else 0


def _draw(rows: Positions, count: int, chance: Scores) -> Positions:
    """The ``count`` rows with the highest uniform numbers: every subset is equally likely."""
    return rows[np.argsort(-chance, kind="stable")[:count]]
