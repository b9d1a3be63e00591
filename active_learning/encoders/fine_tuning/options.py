"""How an encoder is trained further, and what came of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

RESULT = "fine_tuning.json"
"""In the folder of a fine-tuned encoder: the result, the options, and the caller's facts."""


@dataclass(frozen=True)
class FineTuningOptions:
    """Settings of one fine-tuning; the defaults were chosen on no single data set."""

    method: Literal["full", "lora"] = "full"
    """Train every weight, or low-rank additions (LoRA, Hu et al. 2022) that are merged at the end.
    """
    epochs: int = 10
    batch_size: int = 16
    learning_rate: float | None = None
    """Peak, after warm-up; 1e-4 for ``full`` and 1e-3 for ``lora`` by default."""
    warm_up: float = 0.1
    """Share of the steps over which the learning rate rises."""
    weight_decay: float = 0.01
    dropout: float = 0.1
    max_tokens: int = 128
    validation_share: float = 0.15
    """Rows held out of the training: they stop it early and calibrate what is built on it."""
    patience: int = 4
    """Epochs below the best validation accuracy before it stops."""
    lora_rank: int = 16
    seed: int = 0

    @property
    def peak_rate(self) -> float:
        """The learning rate after warm-up."""
        if self.learning_rate is not None:
            return self.learning_rate
        return 1e-4 if self.method == "full" else 1e-3


@dataclass(frozen=True)
class FineTunedEncoder:
    """A fine-tuned transformer on disk.

    ``load_encoder(name, fine_tuned=folder)`` reads it; its revision changes with its weights.
    """

    folder: Path
    held_out: tuple[int, ...]
    """Rows that it was not trained on, ascending: calibrate on these."""
    epochs: int
    steps: int
    validation_loss: float | None
    """At the epoch that was kept."""
    validation_accuracy: float | None
    """Of its own head on the rows held out; None where labels are too few to hold any out."""
