"""Pieces of a value that can be left out one at a time."""

import re
from collections.abc import Iterator
from itertools import pairwise

_PIECE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[^\W_\u3400-\u9fff\uf900-\ufaff]+|[^\w\s]|_+")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
HAN_LENGTH = 2
"""Characters of a Chinese piece: most words have two."""


def token_spans(value: str, most: int) -> list[tuple[int, int]]:
    """[start, end) of the pieces in order: words, numbers, signs, pairs of Chinese characters.

    Values of more than ``most`` pieces are cut into ``most`` runs of neighbouring pieces.

    >>> token_spans("Tea-pot 红茶壶", 10)
    [(0, 3), (3, 4), (4, 7), (8, 10), (10, 11)]
    """
    spans = list(_pieces(value))
    if len(spans) <= most:
        return spans
    edges = [round(place * len(spans) / most) for place in range(most + 1)]
    return [(spans[first][0], spans[last - 1][1]) for first, last in pairwise(edges)]


def _pieces(value: str) -> Iterator[tuple[int, int]]:
    for found in _PIECE.finditer(value):
        start, end = found.span()
        if _HAN.match(found.group()):
            for place in range(start, end, HAN_LENGTH):
                yield place, min(place + HAN_LENGTH, end)
        else:
            yield start, end
