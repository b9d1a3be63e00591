"""Encoders by their names: the bundled ones, any of Hugging Face's, and fine-tuned successors."""

from pathlib import Path

from active_learning.encoders.base import Encoder
from active_learning.encoders.bundled import (
    CharacterEncoder,
    SentenceEncoder,
    bundled_english_folder,
)
from active_learning.encoders.bundled_e5 import bundled_e5_folder
from active_learning.encoders.combined import JoinedEncoder, ScriptEncoder, has_han
from active_learning.encoders.transformer_encoder import TransformerEncoder
from active_learning.exceptions import EncoderUnavailable
from active_learning.types import Reason


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
            ``bundled-e5`` (multilingual-e5-small), ``bundled-en`` (all-MiniLM-L6-v2),
            ``bundled-multilingual`` (Universal Sentence Encoder), ``characters`` (always there), or
            any Hugging Face name or folder.
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
            Reason(
                "Encoder {name!r} has no transformer that {fine_tuned} could take the place of: "
                "choose auto, bundled-e5, bundled-en or a Hugging Face name.",
                name=name,
                fine_tuned=fine_tuned,
            )
        )
    if name == "characters":
        return CharacterEncoder()
    if name == "bundled-multilingual":
        return SentenceEncoder(threads)
    if name == "auto":
        return _automatic(device, dtype, threads, fine_tuned)
    path = str(fine_tuned or transformer_folder(name))
    return TransformerEncoder(path, device=device, dtype=dtype, threads=threads)


def transformer_folder(name: str) -> str | None:
    """Name or folder of the transformer in the encoder of that name, to train it further.

    None where the encoder has none: hashed characters, or a bundled model that is not installed.
    """
    if name in {"characters", "bundled-multilingual"}:
        return None
    if name == "bundled-e5":
        return str(bundled_e5_folder())
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
