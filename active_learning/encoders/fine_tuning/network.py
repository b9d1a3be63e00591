"""The network that is fine-tuned: transformer, masked mean, a linear head for each question."""

from typing import Any

import torch
from torch import nn

IGNORED = -1
"""An issue that nobody answered, as ``Marks`` say it."""


class EncoderWithHeads(nn.Module):
    """Logits of the grade and of each issue from the mean of the last layer.

    The mean is the one that ``TransformerEncoder`` computes, so what the heads pull apart here
    is apart in the embeddings.
    """

    def __init__(self, encoder: nn.Module, width: int, classes: int, issues: int, dropout: float):
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.grade = nn.Linear(width, classes)
        self.issues = nn.Linear(width, issues) if issues else None

    def forward(self, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor | None]:
        """((n, classes), (n, issues) or None) logits."""
        hidden = self.encoder(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1.0)
        mean = self.dropout(mean)
        return self.grade(mean), None if self.issues is None else self.issues(mean)


def loss_of(
    logits: tuple[torch.Tensor, torch.Tensor | None],
    grades: torch.Tensor,
    issues: torch.Tensor | None,
    class_weights: torch.Tensor,
) -> torch.Tensor:
    """Weighted cross-entropy of the grade plus the mean binary one of the answered issues.

    Logits are (n, classes) and (n, issues), ``grades`` (n,), ``issues`` (n, issues).
    """
    loss = nn.functional.cross_entropy(logits[0].float(), grades, weight=class_weights)
    if logits[1] is None or issues is None:
        return loss
    answered = issues != IGNORED
    if not answered.any():
        return loss
    binary = nn.functional.binary_cross_entropy_with_logits(
        logits[1].float()[answered], issues[answered].float()
    )
    return loss + binary


def with_low_rank_additions(encoder: Any, rank: int) -> Any:
    """The encoder frozen, with trainable low-rank additions to its attention (PEFT).

    Raises:
        ImportError: PEFT is not installed.
    """
    from peft import LoraConfig, get_peft_model

    settings = LoraConfig(
        r=rank, lora_alpha=2 * rank, lora_dropout=0.05, target_modules="all-linear"
    )
    return get_peft_model(encoder, settings)
