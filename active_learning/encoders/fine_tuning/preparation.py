"""Before a fine-tuning: is the input sound, what is held out, what starts it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from active_learning.encoders.fine_tuning.options import FineTuningOptions
from active_learning.encoders.model_hub import check_obtainable
from active_learning.exceptions import EncoderUnavailable, NoLabels, ShapeMismatch
from active_learning.types import Marks, Reason

MIN_HELD_OUT = 20
"""Fewer rows tell nothing about when to stop. Chosen: one of 20 is 5 points of accuracy."""


def check_input(
    texts: Sequence[str], grades: NDArray[np.intp], classes: int, issues: Marks | None
) -> None:
    """Returns if the labels can teach something: grades (n,), issues (n, issues).

    Raises:
        NoLabels: there is no text, or all are of one grade.
        ShapeMismatch: arrays that do not belong together.
    """
    if len(texts) == 0 or len(np.unique(grades)) < 2:
        raise NoLabels(
            f"{len(texts)} texts of {len(np.unique(grades))} grades teach nothing: give texts of "
            "at least two grades."
        )
    if grades.shape != (len(texts),) or (issues is not None and len(issues) != len(texts)):
        raise ShapeMismatch(
            f"{len(texts)} texts, but grades have shape {grades.shape} and issues "
            f"{None if issues is None else issues.shape}."
        )
    if grades.min() < 0 or grades.max() >= classes:
        raise ShapeMismatch(
            f"Grades run from {grades.min()} to {grades.max()}; they must be numbers from 0 to "
            f"{classes - 1}."
        )


def split(
    grades: NDArray[np.intp], options: FineTuningOptions
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows held out (h,) and trained on (n - h,), ascending; every grade keeps one to train on."""
    rows = np.random.default_rng([options.seed, 1]).permutation(len(grades))
    count = round(options.validation_share * len(grades))
    if count < MIN_HELD_OUT:
        return np.zeros(0, dtype=np.intp), np.arange(len(grades))
    held: list[int] = []
    left = np.bincount(grades)
    for row in rows.tolist():
        if len(held) < count and left[grades[row]] > 1:
            held.append(row)
            left[grades[row]] -= 1
    held_out = np.sort(np.array(held, dtype=np.intp))
    return held_out, np.setdiff1d(np.arange(len(grades)), held_out)


def fingerprint_of(
    texts: Sequence[str],
    grades: NDArray[np.intp],
    classes: int,
    issues: Marks | None,
    base: str,
    options: FineTuningOptions,
) -> str:
    """Equal for equal input, base and options; grades are (n,), issues (n, issues)."""
    digest = sha256(json.dumps([base, classes, asdict(options), list(texts)]).encode())
    digest.update(grades.tobytes())
    if issues is not None:
        digest.update(np.ascontiguousarray(issues).tobytes())
    return digest.hexdigest()


def load_transformer(base: str) -> tuple[Any, Any]:
    """(model, tokenizer) of that name or folder.

    Raises:
        EncoderUnavailable: it cannot be loaded.
    """
    from transformers import AutoModel, AutoTokenizer

    check_obtainable(base)
    try:
        # Half precision of a checkpoint would not hold the small steps of the training.
        model = AutoModel.from_pretrained(base, dtype=torch.float32)
        return model, AutoTokenizer.from_pretrained(base)
    except (OSError, ValueError, KeyError) as error:
        raise EncoderUnavailable(
            Reason(
                "Transformer {base!r} cannot be loaded to train it further: {error}",
                base=base,
                error=error,
            )
        ) from error
