"""A loop without people: batches by margin, random audits, and a gate that picks the champion."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from active_learning.classifiers.calibration import temperature_for
from active_learning.classifiers.logistic_heads import softmax
from active_learning.gate import decide

FIRST, BATCH = 60, 60


@dataclass(frozen=True)
class Settings:
    """What every run has in common."""

    pool: int
    audit: int
    rounds: int
    target: float
    delta: float
    is_reserved: bool


@dataclass(frozen=True)
class Snapshot:
    """A model after one batch: its answers on the whole file, and who was seen by then."""

    known: Any
    audited: Any
    open_rows: Any
    raw: Any
    scaled: Any
    right: Any
    classes: list[str]

    @property
    def audit_answers(self) -> list[str]:
        """Its answers on the audit sample of the moment."""
        return [self.classes[place] for place in self.scaled[self.audited].argmax(axis=1).tolist()]

    @property
    def sure(self) -> Any:
        """(n,) scaled confidence."""
        return self.scaled.max(axis=1)

    def accepted_errors(self, accepted: Any) -> tuple[int, int]:
        """(wrong, all) of these places among the open records."""
        taken = self.right[self.open_rows[accepted]]
        return int((~taken).sum()), len(taken)


def audited_history(
    x: Any, y: Any, settings: Settings, rng: np.random.Generator
) -> tuple[list[Snapshot], list[Snapshot]]:
    """The champion and the newest version after each batch.

    The first ``pool`` rows are the pool: ``x`` is (n, width), ``y`` the (n,) answers.
    """
    pool = min(settings.pool, 2 * len(y) // 3)
    known, audited = np.zeros(0, np.intp), np.zeros(0, np.intp)
    history: list[Snapshot] = []
    versions: list[Snapshot] = []
    for turn in range(settings.rounds + 1):
        rest = np.setdiff1d(np.arange(pool), np.concatenate([known, audited]))
        due = settings.rounds + 1 if settings.is_reserved else turn + 1
        share = settings.audit * due // (settings.rounds + 1) - len(audited)
        audited = np.concatenate([audited, rng.choice(rest, share, replace=False)])
        rest = np.setdiff1d(rest, audited)
        if history:
            p = np.sort(history[-1].raw[rest], axis=1)
            batch = rest[np.argsort(p[:, -1] - p[:, -2])[:BATCH]]
        else:
            batch = rng.choice(rest, FIRST, replace=False)
        known = np.concatenate([known, batch])
        model = _trained_head(x[known], y[known])
        raw, scaled = _probabilities(model, x, x[known], y[known])
        right = model.classes_[scaled.argmax(axis=1)] == y
        open_rows = np.setdiff1d(rest, known)
        classes = list(model.classes_)
        versions.append(Snapshot(known, audited, open_rows, raw, scaled, right, classes))
        history.append(_champion(y, versions[-1], history[-1] if history else None))
    return history, versions


def _champion(y: Any, challenger: Snapshot, former: Snapshot | None) -> Snapshot:
    """The challenger, or the champion of before on the records of now."""
    if former is None:
        return challenger
    seen = {name: getattr(challenger, name) for name in ("known", "audited", "open_rows")}
    kept = replace(former, **seen)
    truth = y[challenger.audited].tolist()
    found = decide(truth, challenger.audit_answers, kept.audit_answers)
    return challenger if found.promote else kept


def _trained_head(x: Any, y: Any) -> LogisticRegression:
    return LogisticRegression(C=10.0, max_iter=200, class_weight="balanced").fit(x, y)


def _logits(probabilities: Any) -> Any:
    return np.log(np.maximum(probabilities, 1e-12))


def _probabilities(model: LogisticRegression, x: Any, seen: Any, labels: Any) -> tuple[Any, Any]:
    """Raw and temperature-scaled; the temperature is out-of-fold where every class has 3 rows."""
    raw = model.predict_proba(x)
    codes = np.searchsorted(model.classes_, labels)
    if np.bincount(codes).min() < 3:
        return raw, raw
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    held_out = cross_val_predict(
        LogisticRegression(C=10.0, max_iter=200, class_weight="balanced"),
        seen,
        labels,
        cv=folds,
        method="predict_proba",
    )
    return raw, softmax(_logits(raw) / temperature_for(_logits(held_out), codes))
