"""What people said about machine labels that were drawn to be checked."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.models import Annotation
from labeling.consensus.base import LabelFrame
from labeling.consensus.majority_vote import majority_vote

CHECK_REASON = "random check of a machine label"
CHECK_REASON_ZH = "随机抽检机器标注"


@dataclass(frozen=True)
class Check:
    """One machine label that people have answered for."""

    machine: str
    people: str

    @property
    def is_right(self) -> bool:
        """True if people gave the same grade."""
        return self.machine == self.people


def answered(drawn: Mapping[int, str], revisions: Sequence[Annotation], wanted: int) -> list[Check]:
    """The checks with all ``wanted`` answers and a majority, in the order they were completed.

    Args:
        drawn: task id to the machine's grade.
        revisions: that count, of these tasks.
        wanted: people that each task asks for; a skip counts as an answer given.
    """
    people: dict[int, set[int | None]] = defaultdict(set)
    rows: list[tuple[int, int, str]] = []
    completed_by: dict[int, int] = {}
    for row in revisions:
        people[row.task_id].add(row.annotator_id)
        completed_by[row.task_id] = max(completed_by.get(row.task_id, 0), row.id or 0)
        if not row.was_cancelled and row.grade is not None:
            rows.append((row.task_id, row.annotator_id or 0, row.grade))
    votes = majority_vote(LabelFrame.from_rows(rows))
    found = [
        (completed_by[task_id], Check(machine, vote.label))
        for task_id, machine in drawn.items()
        if len(people[task_id]) >= wanted
        and (vote := votes.get(task_id)) is not None
        and vote.label is not None
    ]
    return [check for _, check in sorted(found, key=lambda item: item[0])]
