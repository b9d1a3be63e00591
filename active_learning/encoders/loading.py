"""Encoders by their names: the bundled ones, any of Hugging Face's, and fine-tuned successors."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from active_learning.encoders.base import Encoder
from active_learning.encoders.bundled import (
    CharacterEncoder,
    SentenceEncoder,
    bundled_english_folder,
)
from active_learning.encoders.bundled_e5 import bundled_e5_folder
from active_learning.encoders.combined import CentredEncoder, JoinedEncoder, ScriptEncoder, has_han
from active_learning.encoders.transformer_encoder import TransformerEncoder
from active_learning.exceptions import EncoderUnavailable
from active_learning.types import Reason

Part: TypeAlias = Callable[[str, Path | None], Encoder]
"""Loads the encoder of that name, perhaps trained further, as the whole is to be loaded."""
BESIDE, CHARACTER_WEIGHT = 256, 0.5
"""Hashed characters beside what knows meaning: how many columns, how loud. Chosen."""
FORMER = {"auto": ("bundled-fast",)}
"""What names meant in earlier releases, by names of today: model versions were trained on those."""


def meanings(name: str) -> tuple[str, ...]:
    """Names of what that name loads: today, and in earlier releases."""
    return (name, *FORMER.get(name, ()))


def name_today(name: str, revision: str) -> str:
    """The name of today for what ``name`` computed as that revision; nothing is loaded.

    >>> name_today("auto", "script(all-MiniLM|use)*1+characters-256-v1*0.5")
    'bundled-fast'
    """
    return "bundled-fast" if name == "auto" and not revision.startswith("centred(") else name


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
        name: ``auto`` (multilingual-e5-small, the Universal Sentence Encoder and hashed characters
            side by side, for every script; ``bundled-fast`` where the first is not installed),
            ``bundled-fast`` (English by all-MiniLM-L6-v2, Chinese by the Universal Sentence
            Encoder, beside hashed characters; these alone where neither is installed),
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

    def part(name: str, folder: Path | None) -> Encoder:
        return load_encoder(name, device=device, dtype=dtype, threads=threads, fine_tuned=folder)

    if _is_by_script(name):
        return _by_script(part, fine_tuned)
    if name == "auto":
        return _automatic(part, fine_tuned)
    path = str(fine_tuned or transformer_folder(name))
    return TransformerEncoder(path, device=device, dtype=dtype, threads=threads)


def transformer_folder(name: str) -> str | None:
    """Name or folder of the transformer in the encoder of that name, to train it further.

    None where the encoder has none: hashed characters, or a bundled model that is not installed.
    """
    if name in {"characters", "bundled-multilingual"}:
        return None
    if _is_by_script(name):
        return _folder_or_none(bundled_english_folder)
    if name in {"auto", "bundled-e5"}:
        return str(bundled_e5_folder())
    return str(bundled_english_folder()) if name == "bundled-en" else name


def reads(name: str, text: str) -> bool:
    """Whether the transformer of that encoder sees the text: some give Chinese to another."""
    return not _is_by_script(name) or not has_han(text)


def _folder_or_none(folder: Callable[[], Path]) -> str | None:
    try:
        return str(folder())
    except EncoderUnavailable:
        return None


def _is_by_script(name: str) -> bool:
    return name == "bundled-fast" or (name == "auto" and _folder_or_none(bundled_e5_folder) is None)


def _automatic(part: Part, fine_tuned: Path | None) -> Encoder:
    """Those that read every script: meaning twice, where both are installed, and characters."""
    found: list[tuple[Encoder, float]] = [(CentredEncoder(part("bundled-e5", fine_tuned)), 1.0)]
    with suppress(EncoderUnavailable):
        found.append((part("bundled-multilingual", None), 1.0))
    return JoinedEncoder([*found, (CharacterEncoder(BESIDE), CHARACTER_WEIGHT)])


def _by_script(part: Part, fine_tuned: Path | None) -> Encoder:
    """What is installed, each for its script, beside characters; these alone where nothing is."""
    found: list[Encoder] = []
    for name, folder in (("bundled-en", fine_tuned), ("bundled-multilingual", None)):
        try:
            found.append(part(name, folder))
        except EncoderUnavailable:
            if folder is not None:
                raise  # left out, the vectors would silently be others
    if not found:
        return CharacterEncoder()
    reader = ScriptEncoder(*found) if len(found) == 2 else found[0]
    return JoinedEncoder([(reader, 1.0), (CharacterEncoder(BESIDE), CHARACTER_WEIGHT)])
