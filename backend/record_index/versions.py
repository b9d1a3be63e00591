"""Which records something was made of, and what has changed since."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RULES = 1
"""Of what is stored of a record. With another number everything is stored anew by the next job; the
migration that comes with it empties ``record_index_state``, so that there is one."""
DIGITS = 14
"""Hex digits of a content's hash that tell it from others: 56 bits, of one record's versions."""


def digest_of(content_hash: str) -> int:
    """Of a content and of our rules, in 60 bits."""
    return int(content_hash[:DIGITS], 16) << 4 | RULES


@dataclass(frozen=True)
class Versions:
    """Records by ascending id, and the digest of each one's content."""

    ids: NDArray[np.int64]
    digests: NDArray[np.int64]

    @classmethod
    def of_parts(
        cls, ids: Sequence[NDArray[np.int64]], digests: Sequence[NDArray[np.int64]]
    ) -> "Versions":
        """All of them, in this order."""
        empty = np.empty(0, dtype=np.int64)
        return cls(np.concatenate([empty, *ids]), np.concatenate([empty, *digests]))

    def __len__(self) -> int:
        return len(self.ids)

    def are_in(self, other: "Versions") -> NDArray[np.bool_]:
        """(n,) whether ``other`` has the record with the same content."""
        if not len(other):
            return np.zeros(len(self), dtype=bool)
        places = np.minimum(np.searchsorted(other.ids, self.ids), len(other) - 1)
        is_there: NDArray[np.bool_] = (other.ids[places] == self.ids) & (
            other.digests[places] == self.digests
        )
        return is_there
