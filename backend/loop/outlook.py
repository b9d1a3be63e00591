"""How far a project's loop is from its next training and its next batch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LoopProgress:
    """Where the labelling of a project stands; tasks are first tasks of records."""

    complete_tasks: frozenset[int]
    open: int
    open_in_rounds: int
    """Without the records that people chose: those neither hold up the next round nor bring it
    nearer."""
    open_in_last_batch: int
    last_round: int

    @property
    def complete(self) -> int:
        """How many tasks have all the answers that are wanted."""
        return len(self.complete_tasks)


@dataclass(frozen=True)
class Outlook:
    """What has come in, and what the policy waits for."""

    progress: LoopProgress
    new: int
    """Records that have another label than the newest model version learnt, or may have."""
    new_state: str
    """What these are in a word: the same until somebody answers or decides again."""
    wanted: int
    refill_at: int
    max_rounds: int | None

    @property
    def is_batch_finished(self) -> bool:
        """True if so few tasks of the rounds are open that the next batch is wanted."""
        return self.progress.open_in_rounds <= self.refill_at

    @property
    def is_training_due(self) -> bool:
        """True with enough new labels, and with any where the batch is finished.

        After the last round no batch ends any more: then what people chose counts as one, or
        each answer to it would be a training of its own.
        """
        is_over = self.progress.open <= self.refill_at
        is_finished = is_over if self.is_last_round else self.is_batch_finished
        return self.new >= self.wanted or (self.new > 0 and is_finished)

    @property
    def is_last_round(self) -> bool:
        """True if the policy wants no further batch."""
        return self.max_rounds is not None and self.progress.last_round >= self.max_rounds
