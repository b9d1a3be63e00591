"""Majority vote; a tie is reported, never broken."""

from dataclasses import dataclass

from labeling.consensus.base import LabelFrame


@dataclass(frozen=True)
class Consensus:
    """The outcome of one item's vote.

    ``label`` is None where the most frequent labels tie; ``share`` is the votes of the
    winner (or of each tied label) over all votes.
    """

    label: str | None
    share: float
    votes: int


def majority_vote(frame: LabelFrame) -> dict[int, Consensus]:
    """Item id to the label that most annotators gave.

    >>> rows = [(1, 7, "good"), (1, 8, "poor"), (1, 9, "good"), (2, 7, "good"), (2, 8, "poor")]
    >>> result = majority_vote(LabelFrame.from_rows(rows))
    >>> result[1].label, result[2].label
    ('good', None)
    """
    if not len(frame.items):
        return {}
    items, classes, table = frame.counts()
    votes = table.sum(axis=1)
    largest = table.max(axis=1)
    is_tied = (table == largest[:, None]).sum(axis=1) > 1
    winners = classes[table.argmax(axis=1)]
    return {
        int(item): Consensus(None if tied else str(winner), float(top / total), int(total))
        for item, winner, top, total, tied in zip(
            items, winners, largest, votes, is_tied, strict=True
        )
    }
