"""Encoders made of encoders: side by side, centred, or each text by the one that can read it."""

import re
from collections.abc import Sequence

import numpy as np

from active_learning.encoders.base import Encoder, bytes_of, texts_at_once, unit_rows
from active_learning.encoders.neutral_texts import NEUTRAL_TEXTS
from active_learning.types import Embeddings, Progress, Reason, ShouldStop, never, silent

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


class JoinedEncoder:
    """Several encoders side by side, each with a weight; the whole has length one."""

    def __init__(self, parts: Sequence[tuple[Encoder, float]]) -> None:
        self._parts = [(part, weight) for part, weight in parts]
        self.dimension = sum(part.dimension for part, _ in parts)
        self.revision = "+".join(f"{part.revision}*{weight:g}" for part, weight in parts)
        self.texts_at_once = max(texts_at_once(part) for part, _ in parts)
        self.weight_bytes = sum(bytes_of(part) for part, _ in parts)

    def encode(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        """(n, dimension) float32, rows of length one."""
        count = len(self._parts)
        blocks = []
        for number, (part, weight) in enumerate(self._parts):

            def share(fraction: float, message: Reason, done: int = number) -> None:
                progress((done + fraction) / count, message)

            blocks.append(part.encode(texts, share, should_stop) * np.float32(weight))
        return unit_rows(np.concatenate(blocks, axis=1))


class CentredEncoder:
    """An encoder without the direction that all its vectors share; what is left has length one.

    Vectors of e5 are all alike (cosines from .7 on), so the little that tells texts apart would be
    drowned beside another encoder's, and too quiet for heads that expect vectors of length one.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._centre = encoder.encode(NEUTRAL_TEXTS).mean(axis=0)
        self.dimension = encoder.dimension
        self.revision = f"centred({encoder.revision})"
        self.texts_at_once = texts_at_once(encoder)
        self.weight_bytes = bytes_of(encoder)

    def encode(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        """(n, dimension) float32, rows of length one."""
        return unit_rows(self._encoder.encode(texts, progress, should_stop) - self._centre)


class ScriptEncoder:
    """Each text by the encoder that can read it: ``han`` if it is partly Chinese, else ``latin``.

    Both have columns of their own; those of the encoder not asked are zero. One pass instead
    of two over every text, and none through a model that would see unknown characters only.
    """

    def __init__(self, latin: Encoder, han: Encoder) -> None:
        self._latin, self._han = latin, han
        self.dimension = latin.dimension + han.dimension
        self.revision = f"script({latin.revision}|{han.revision})"
        self.texts_at_once = max(texts_at_once(latin), texts_at_once(han))
        self.weight_bytes = bytes_of(latin) + bytes_of(han)

    def encode(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        """(n, dimension) float32, rows of length one."""
        is_han = np.array([has_han(text) for text in texts], dtype=bool)
        out = np.zeros((len(texts), self.dimension), dtype=np.float32)
        done = 0
        for encoder, rows, columns in (
            (self._latin, np.flatnonzero(~is_han), slice(0, self._latin.dimension)),
            (self._han, np.flatnonzero(is_han), slice(self._latin.dimension, None)),
        ):
            if not len(rows):
                continue

            def share(
                fraction: float, message: Reason, before: int = done, mine: int = len(rows)
            ) -> None:
                progress((before + fraction * mine) / len(texts), message)

            part = encoder.encode([texts[row] for row in rows], share, should_stop)
            out[rows, columns] = part
            done += len(rows)
        return out


def has_han(text: str) -> bool:
    """True if at least one letter in twenty is Chinese."""
    letters = sum(map(str.isalpha, text))
    return 20 * len(_HAN.findall(text)) >= max(letters, 1)
