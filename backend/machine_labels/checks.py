"""What people said about machine labels that were drawn to be checked."""

from collections.abc import Mapping
from dataclasses import dataclass

from active_learning.types import Reason
from backend.loop.answers import RecordAnswers

CHECK_REASON = Reason("random check of a machine label")


@dataclass(frozen=True)
class MachineLabelCheck:
    """One machine label that people have answered for."""

    machine: str
    people: str | None
    """None where they skipped the record, tie, or found it ambiguous."""

    @property
    def is_right(self) -> bool:
        """True if people gave the same grade: what they do not confirm counts as an error.

        The promise was certified by the same count, see ``ChampionAnswers``.
        """
        return self.machine == self.people


def completed_checks(
    drawn: Mapping[int, str],
    held: Mapping[int, RecordAnswers],
    labels: Mapping[int, str | None],
) -> list[MachineLabelCheck]:
    """The checks that people have answered for, in the order they were completed.

    Args:
        drawn: first task's id to the machine's grade.
        held: first task's id to the answers of the record.
        labels: first task's id to what the desk shows as the label of the record, of those where
            nobody's answer is waited for; None for a tie.
    """
    found = []
    for task_id, machine in drawn.items():
        if task_id in held and task_id in labels:
            rows = (*held[task_id].answers, *held[task_id].skips)
            completed = max((row.id for row in rows), default=0)
            found.append((completed, MachineLabelCheck(machine, labels[task_id])))
    return [check for _, check in sorted(found, key=lambda item: item[0])]
