"""Majority vote; a tie is reported, never broken."""

from labeling.consensus.base import CodedLabels, LabelFrame, Table
from labeling.consensus.posterior import ConsensusResult


def majority_vote(frame: LabelFrame) -> ConsensusResult:
    """The label that most annotators gave; the probabilities are the shares of the votes.

    >>> rows = [(1, 7, "good"), (1, 8, "poor"), (1, 9, "good"), (2, 7, "good"), (2, 8, "poor")]
    >>> result = majority_vote(LabelFrame.from_rows(rows))
    >>> result[1].label, result[2].label
    ('good', None)
    """
    coded = frame.codes
    votes = coded.votes()
    return ConsensusResult(
        method="majority",
        item_ids=coded.items,
        classes=coded.classes,
        probabilities=vote_shares(coded),
        votes=votes,
    )


def vote_shares(coded: CodedLabels) -> Table:
    """(I, K) share of each class among the item's votes; even where it has none."""
    votes = coded.votes()
    totals = votes.sum(axis=1, keepdims=True)
    shares: Table = votes / totals.clip(min=1)
    shares[totals[:, 0] == 0] = 1 / max(1, votes.shape[1])
    return shares
