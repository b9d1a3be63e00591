"""Columns from a spool of values, one at a time."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from backend.core.plain_numbers import PLAIN_NUMBER, exact_number
from backend.record_index.column import MISSING, OTHER, ColumnFiles
from backend.record_index.value_spool import VALUE_CHARACTERS

EXACT_DIGITS = 15
"""Every decimal of so many digits is a float of its own."""
TEXTS_AT_ONCE = 65_536
"""Chosen: bounds memory while texts are written in their order."""

Codes = NDArray[np.int32]


class ColumnWriter:
    """Writes the columns of one folder.

    Args:
        folder: where they will lie.
        by_id: the spool's rows by ascending record id.
    """

    def __init__(self, folder: Path, by_id: NDArray[np.intp]) -> None:
        self._folder, self._by_id = folder, by_id
        self.written: list[ColumnFiles] = []

    def add(
        self, name: str, values: pa.ChunkedArray, *, is_number: bool = False, is_text: bool = False
    ) -> None:
        """The column of that name is written.

        Args:
            name: unlike those of the others.
            values: a text a record, null where it is missing, in the spool's order.
            is_number: its source said so; else it is one if every value is exactly a number.
            is_text: it is none, whatever its values are.
        """
        codes, distinct = _encode(values)
        number = len(self.written)
        floats = None if is_text else _floats(distinct, is_number)
        longest = pc.max(pc.utf8_length(distinct)).as_py() or 0
        if floats is not None:
            known = np.unique(floats[~np.isnan(floats)])
            ranks = np.where(np.isnan(floats), OTHER, np.searchsorted(known, floats))
            files = ColumnFiles(name, number, "number", len(known))
            known.astype("<f8").tofile(files.path(self._folder, "numbers.f64"))
        else:
            order = pc.sort_indices(distinct).to_numpy().astype(np.int64)
            ranks = np.empty(len(order), dtype=np.int64)
            ranks[order] = np.arange(len(order))
            is_long = longest > VALUE_CHARACTERS
            files = ColumnFiles(name, number, "long" if is_long else "text", len(order))
            if not is_long:
                self._write_texts(files, distinct, order)
        del distinct
        self._write_codes(files, np.append(ranks, MISSING).astype("<i4")[codes])
        self.written.append(files)

    def _write_codes(self, files: ColumnFiles, codes: Codes) -> None:
        codes = codes[self._by_id]
        codes.tofile(files.path(self._folder, "codes.i32"))
        last = np.where(codes < 0, np.iinfo(np.int32).max, codes)
        order = np.argsort(last, kind="stable").astype("<i4")
        order.tofile(files.path(self._folder, "order.i32"))

    def _write_texts(
        self, files: ColumnFiles, distinct: pa.Array, order: NDArray[np.int64]
    ) -> None:
        written = 0
        with (
            files.path(self._folder, "texts.utf8").open("wb") as texts,
            files.path(self._folder, "ends.i64").open("wb") as ends,
        ):
            for start in range(0, len(order), TEXTS_AT_ONCE):
                part = distinct.take(pa.array(order[start : start + TEXTS_AT_ONCE]))
                lengths = pc.binary_length(part).to_numpy(zero_copy_only=False)
                part_ends = written + np.cumsum(lengths, dtype=np.int64)
                ends.write(part_ends.astype("<i8").data)
                texts.write("".join(part.to_pylist()).encode())
                written = int(part_ends[-1])


def _encode(values: pa.ChunkedArray) -> tuple[Codes, pa.Array]:
    """(n,) places among the distinct values, -1 where missing; the distinct values."""
    encoded = values.dictionary_encode().unify_dictionaries()
    if not encoded.num_chunks:
        return np.empty(0, dtype=np.int32), pa.array([], type=pa.string())
    places = [
        chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in encoded.chunks
    ]
    return np.concatenate(places).astype(np.int32), encoded.chunk(0).dictionary


def _floats(distinct: pa.Array, is_number: bool) -> NDArray[np.float64] | None:
    """The texts as numbers, NaN where one is none; None if the column is one of texts."""
    if not len(distinct):
        return np.empty(0) if is_number else None
    is_plain = pc.match_substring_regex(distinct, f"^(?:{PLAIN_NUMBER})$")
    if not is_number and not pc.all(is_plain).as_py():
        return None
    plain = pc.if_else(is_plain, distinct, pa.nulls(len(distinct), pa.string()))
    floats = pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False).copy()
    floats[np.isinf(floats)] = np.nan
    return floats if is_number or _are_exact(distinct, floats) else None


def _are_exact(distinct: pa.Array, floats: NDArray[np.float64]) -> bool:
    long = np.flatnonzero(pc.utf8_length(distinct).to_numpy() > EXACT_DIGITS)
    if np.isnan(floats).any():
        return False
    return all(
        exact_number(distinct[place].as_py()) == exact_number(float(floats[place]))
        for place in long.tolist()
    )
