"""What a portable model's folder holds, and whether it is all there and unaltered.

``model.json`` names every file with its SHA-256 and carries a digest of its own: damage and
half-copied folders are noticed. It is no signature; whoever can write the folder can forge it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from active_learning.exceptions import ArtifactCorrupt, ArtifactMissing
from active_learning.types import Reason

FORMAT = 1
"""Of the folder; raised when what is written can no longer be read by what read it before."""
CONFIG, SCHEMA, REPORT, CARD = "model.json", "label_schema.json", "report.json", "MODEL_CARD.md"
CLASSIFIER, ENCODER = "classifier", "encoder"
DIGEST = "digest"
PIECE = 1 << 20
"""Bytes that are read at a time. Chosen: bounds memory."""


@dataclass(frozen=True)
class PortableConfig:
    """What ``model.json`` says besides the files."""

    project: str
    model_version: int
    made_at: str
    """ISO 8601, of the model version."""
    encoder_name: str
    """As :func:`active_learning.encoders.loading.load_encoder` takes it."""
    encoder_revision: str
    encoder_folder: str | None
    """Below the folder: the fine-tuned transformer; None where the name says all."""
    encoder_packages: Mapping[str, str]
    """Package to the version that the vectors were computed with."""
    is_ordered: bool
    """The grades are ordered, the best first."""


@dataclass(frozen=True)
class PackedFile:
    """A file on its way into the folder: its place there, and what it holds."""

    place: str
    """Below the folder, with ``/``."""
    content: bytes | Path

    def pieces(self) -> Iterator[bytes]:
        """What it holds, bounded pieces of it."""
        if isinstance(self.content, bytes):
            yield self.content
            return
        with self.content.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece


def files_below(folder: Path, place: str) -> list[PackedFile]:
    """Every file of ``folder``, to lie below ``place``, in the order of their names."""
    return [
        PackedFile(f"{place}/{path.relative_to(folder).as_posix()}", path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def with_config(
    config: PortableConfig, files: Sequence[PackedFile]
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """(place, pieces) of every file, and last of ``model.json`` with their hashes.

    The pieces of one are to be read before the next is asked for.
    """
    hashes: dict[str, str] = {}
    for file in files:
        yield file.place, _hashed_pieces(file, hashes)
    told = {"format": FORMAT, **asdict(config), "files": hashes}
    told[DIGEST] = _digest(told)
    yield CONFIG, iter([json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True).encode()])


def read_config(folder: Path) -> PortableConfig:
    """What ``model.json`` says, when every file is there and as it was written.

    Raises:
        ArtifactMissing: there is no portable model.
        ArtifactCorrupt: a file is missing, altered, or none of the model's.
    """
    if folder.is_file():
        raise ArtifactMissing(Reason("{folder} is a file: unpack it first.", folder=folder))
    try:
        told = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactMissing(
            Reason(
                "There is no portable model in {folder}: {file} is missing.",
                folder=folder,
                file=CONFIG,
            )
        ) from error
    except (ValueError, OSError) as error:
        raise ArtifactCorrupt(
            Reason("{file} cannot be read: {error}", file=folder / CONFIG, error=error)
        ) from error
    try:
        if told["format"] != FORMAT:
            raise ArtifactCorrupt(
                Reason(
                    "{folder} has format {format}, this version reads {readable}: download the "
                    "model again, or install the version that wrote it.",
                    folder=folder,
                    format=told["format"],
                    readable=FORMAT,
                )
            )
        if told.pop(DIGEST) != _digest(told):
            raise ArtifactCorrupt(_alteration(folder / CONFIG))
        hashes = {str(place): str(digest) for place, digest in told.pop("files").items()}
        config = PortableConfig(**{key: told[key] for key in told if key != "format"})
    except (KeyError, TypeError, AttributeError) as error:
        raise ArtifactCorrupt(
            Reason("{file} cannot be read: {error}", file=folder / CONFIG, error=error)
        ) from error
    _check_files(folder, hashes)
    return config


def _check_files(folder: Path, hashes: Mapping[str, str]) -> None:
    for place, digest in hashes.items():
        parts = PurePosixPath(place)
        if parts.is_absolute() or ".." in parts.parts:
            raise ArtifactCorrupt(Reason("{place} is no place below the folder.", place=place))
        if not (folder / place).is_file():
            raise ArtifactCorrupt(
                Reason("{path} is missing: download the model again.", path=folder / place)
            )
        found = sha256()
        for piece in PackedFile(place, folder / place).pieces():
            found.update(piece)
        if found.hexdigest() != digest:
            raise ArtifactCorrupt(_alteration(folder / place))
    for part in (CLASSIFIER, ENCODER):
        # What lies beside the weights, a library may load in their place.
        for packed in files_below(folder / part, part):
            if packed.place not in hashes:
                raise ArtifactCorrupt(
                    Reason(
                        "{path} is no part of the model: take it away.", path=folder / packed.place
                    )
                )


def _alteration(path: Path) -> Reason:
    return Reason("{path} was altered since it was written: download the model again.", path=path)


def _hashed_pieces(file: PackedFile, hashes: dict[str, str]) -> Iterator[bytes]:
    digest = sha256()
    for piece in file.pieces():
        digest.update(piece)
        yield piece
    hashes[file.place] = digest.hexdigest()


def _digest(told: Mapping[str, Any]) -> str:
    text = json.dumps(told, ensure_ascii=False, sort_keys=True)
    return sha256(text.encode()).hexdigest()
