"""What counts for each record beside its verdict: a decision, people's label, a machine label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from active_learning.types import Positions

Source = Literal["decision", "people", "machine", "model"]
SOURCES: tuple[Source, ...] = ("model", "machine", "people", "decision")
"""The later one goes before the earlier ones; its place is its code."""
NO_LABEL = -1


@dataclass(frozen=True)
class VerdictLabels:
    """Of n records, in the order of their verdicts."""

    sources: NDArray[np.uint8]
    """(n,) place in ``SOURCES``"""
    grades: NDArray[np.int16]
    """(n,) place of the label's grade among the verdicts' grades; ``NO_LABEL`` where there is
    none, or it is none of them."""

    def disagree(self, verdicts: NDArray[np.uint16]) -> NDArray[np.bool_]:
        """(n,) whether people gave another grade than the verdicts (n,)."""
        by_people = self.sources >= SOURCES.index("people")
        found: NDArray[np.bool_] = (
            by_people & (self.grades != NO_LABEL) & (self.grades != verdicts.astype(np.int16))
        )
        return found


def labels_by_record(
    count: int,
    grades: Sequence[str],
    machine: tuple[Positions, Sequence[str]],
    people: Mapping[int, str | None],
    decided: Mapping[int, str | None],
) -> VerdictLabels:
    """What counts for each of ``count`` records.

    Args:
        count: of records.
        grades: of the verdicts.
        machine: places of records and the grades that the machine gave them.
        people: place of a record to the consensus of its answers, None for a tie or no grade.
        decided: place of a record to the grade that a person decided, None where it has none.
    """
    codes = {name: code for code, name in enumerate(grades)}
    sources = np.zeros(count, dtype=np.uint8)
    found = np.full(count, NO_LABEL, dtype=np.int16)
    places, given = machine
    sources[places] = SOURCES.index("machine")
    found[places] = [codes.get(name, NO_LABEL) for name in given]
    for labels, code in (
        (people, SOURCES.index("people")),
        (decided, SOURCES.index("decision")),
    ):
        for place, grade in labels.items():
            sources[place] = code
            found[place] = NO_LABEL if grade is None else codes.get(grade, NO_LABEL)
    return VerdictLabels(sources, found)
