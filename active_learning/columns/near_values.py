"""Is a rare string one typing slip away from a frequent one?

Strings within one insertion, deletion, substitution or swap of neighbours share a string that is
obtained by deleting at most one character from each (the symmetric delete idea of SymSpell).
"""

from collections.abc import Mapping
from math import log

INDEX_LIMIT = 20_000
"""Frequent strings that others are compared with. Chosen: bounds memory, as each is held once for
every character that can be left out."""
SHORTEST = 3
"""Chosen: of two characters one slip changes half, so that codes would be neighbours of each
other."""


class NearFrequent:
    """Answers how much more frequent the nearest neighbour of a string is.

    Args:
        counts: how often each string occurs.
        longest: longer strings are not compared.
    """

    def __init__(self, counts: Mapping[str, int], longest: int) -> None:
        self._longest = longest
        frequent = sorted(
            (
                (count, text)
                for text, count in counts.items()
                if count >= 3 and SHORTEST <= len(text) <= longest
            ),
            key=lambda pair: (-pair[0], pair[1]),
        )[:INDEX_LIMIT]
        self._index: dict[str, tuple[tuple[int, str], ...]] = {}
        for count, text in frequent:
            for key in dict.fromkeys(_deletions(text.lower())):
                held = self._index.get(key, ())
                if len(held) < 2:  # the most frequent one and, where that is asked for, the next
                    self._index[key] = (*held, (count, text))

    def nearest(self, text: str) -> tuple[str, int] | None:
        """The most frequent other string within one slip, with its count."""
        if not self._index or not SHORTEST <= len(text) <= self._longest + 1:
            return None
        best: tuple[int, str] | None = None
        for held in filter(None, map(self._index.get, _deletions(text.lower()))):
            for found in held:
                if found[1] != text and (best is None or found[0] > best[0]):
                    best = found
        return None if best is None else (best[1], best[0])

    def ratio(self, text: str, count: int) -> float:
        """Logarithm of (neighbour's count / own count); 0 without a more frequent neighbour."""
        found = self.nearest(text)
        if found is None or found[1] <= count:
            return 0.0
        return log(found[1] / max(count, 1))


def _deletions(text: str) -> list[str]:
    """The string and every string with one character less."""
    return [text, *[text[:place] + text[place + 1 :] for place in range(len(text))]]
