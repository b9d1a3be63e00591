"""A map on disk: points in a plane, and a code of every record to find similar ones by.

The folder is made beside its place and renamed: it is there whole or not at all.
"""

import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning.embedding_map.codes import encode
from active_learning.embedding_map.plane import Method
from active_learning.embedding_map.reduction import Reduction
from active_learning.exceptions import ArtifactCorrupt
from active_learning.row_file import RowFile
from active_learning.types import Embeddings, Positions, Reason

FORMAT = 1
"""Of the files; raised when what is written can no longer be read by what read it before."""
FACTS, IDS, CODES, SCALES = "facts.json", "ids.i64", "codes.i1", "scales.f32"
REDUCTION, POINTS, PLACES = "reduction.npz", "points.i64", "places.f32"


@dataclass(frozen=True)
class MapFacts:
    """What was drawn, by whose embeddings."""

    records: int
    state: tuple[int, ...]
    """Of the records; changes whenever they do."""
    encoder: str
    """Revision of the encoder."""
    dimension: int
    """Of its embeddings."""
    seed: int
    made_at: str
    """ISO 8601."""
    points: int = 0
    method: Method = "pca"

    def is_of(self, other: "MapFacts") -> bool:
        """True if maps with either facts are the same, whenever they were made."""
        return replace(self, made_at="", points=0, method="pca") == replace(
            other, made_at="", points=0, method="pca"
        )


class MapFiles:
    """A map that is there whole.

    Raises:
        ArtifactCorrupt: there is none in the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            held = json.loads((folder / FACTS).read_text("utf-8"))
            if held.pop("format") != FORMAT:
                raise ArtifactCorrupt(Reason("{folder} has another format.", folder=folder))
            self.facts = MapFacts(**{**held, "state": tuple(held["state"])})
            self.reduction = Reduction.load(folder / REDUCTION)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtifactCorrupt(
                Reason("There is no map in {folder}: {error}", folder=folder, error=error)
            ) from error
        self.codes = RowFile(folder / CODES, np.int8, self.reduction.dimensions)
        """(records, dimensions)"""

    def record_ids(self) -> NDArray[np.int64]:
        """(records,) ascending."""
        return np.fromfile(self.folder / IDS, dtype=np.int64)

    def scales(self) -> NDArray[np.float32]:
        """(records,) of the codes."""
        return np.fromfile(self.folder / SCALES, dtype=np.float32)

    def points(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """(m,) ids of the records that are drawn, ascending, and (m, 2) where, within -1 and 1."""
        places = np.fromfile(self.folder / PLACES, dtype=np.float32)
        return np.fromfile(self.folder / POINTS, dtype=np.int64), places.reshape(-1, 2)


def write_map(
    folder: Path,
    facts: MapFacts,
    record_ids: NDArray[np.int64],
    reduction: Reduction,
    drawn: tuple[Positions, NDArray[np.float32], Method],
    pieces: Iterable[Embeddings],
) -> MapFiles:
    """The folder holds the map; one that was there before is replaced.

    Args:
        folder: where it shall be.
        facts: of it, without what ``drawn`` tells.
        record_ids: (n,) ascending.
        reduction: of the embeddings.
        drawn: positions (m,) of the records that are drawn, (m, 2) where, and by which method.
        pieces: the n embeddings, reduced, in the order of the records.
    """
    beside = folder.with_name(f".{folder.name}")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    chosen, places, method = drawn
    record_ids.astype(np.int64).tofile(beside / IDS)
    record_ids[chosen].astype(np.int64).tofile(beside / POINTS)
    places.astype(np.float32).tofile(beside / PLACES)
    reduction.save(beside / REDUCTION)
    with (beside / CODES).open("wb") as codes, (beside / SCALES).open("wb") as scales:
        for piece in pieces:
            code, scale = encode(piece)
            codes.write(np.ascontiguousarray(code).data)
            scales.write(np.ascontiguousarray(scale).data)
    told: dict[str, Any] = asdict(replace(facts, points=len(chosen), method=method))
    (beside / FACTS).write_text(json.dumps({"format": FORMAT, **told}), "utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)
    return MapFiles(folder)
