"""Text files: decompression, decoding, and saying where a byte does not fit the encoding."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from backend.core.exceptions import UnreadableSource
from backend.ingestion.readers.encoding_proposal import (
    SAMPLE_BYTES,
    propose_encoding,
    wide_encoding,
)
from backend.words import Message

DEFAULT_ENCODING = "utf-8-sig"
BYTE_ORDER_MARK = "\ufeff"
GZIP_MAGIC = b"\x1f\x8b"
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
NO_FILES = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"})
"""Codecs of Python that turn text into text: no file is written in them."""
MAX_LENGTH = 16 * 1024 * 1024
"""Characters of a line of JSON, or of a cell of CSV. Chosen: bounds memory where a file has no
line ends, or a quote stays open."""
WRONG_SHARE = 0.5
"""Of the lines that tell. Chosen: where most do not fit, the encoding is wrong and not the
lines."""


class TextSource:
    """One text file, decoded as it is read.

    A byte that does not fit becomes a lone surrogate, which no encoding yields by itself:
    the row it is in is rejected later, by its value. If, however, at least half of the lines
    with more than ASCII do not fit, the encoding is wrong and nothing is read.

    Raises:
        UnreadableSource: the encoding is unknown or wrong, or the file is no text.
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, encoding: str | None) -> None:
        self.path = path
        self.encoding = self._encoding_name(encoding or DEFAULT_ENCODING)
        self._size = max(1, path.stat().st_size)
        self._raw: BinaryIO | None = None
        with self.reading_errors():
            self._check_encoding()

    @property
    def encoding_name(self) -> str:
        """The encoding as people call it."""
        return "utf-8" if self.encoding == DEFAULT_ENCODING else self.encoding

    def open(self) -> io.TextIOWrapper:
        """The decoded text from its start, a byte order mark left out, line ends as they are."""
        self.close()
        self._raw = self.path.open("rb")
        file = io.TextIOWrapper(
            self._unpack(self._raw), self.encoding, errors="surrogateescape", newline=""
        )
        if file.read(1) != BYTE_ORDER_MARK:
            file.seek(0)
        return file

    def fraction(self) -> float:
        """How much of the file has been read, 0 to 1."""
        return 0.0 if self._raw is None or self._raw.closed else self._raw.tell() / self._size

    def close(self) -> None:
        """The file is released."""
        if self._raw is not None:
            self._raw.close()

    def _unpack(self, raw: BinaryIO) -> BinaryIO:
        is_packed = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        return cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if is_packed else raw

    def _encoding_name(self, encoding: str) -> str:
        """The encoding's name; UTF-8 with its mark allowed, which spreadsheets write."""
        try:
            "".encode(encoding)  # unlike codecs.lookup, refuses what is no text: hex, zlib
            name = codecs.lookup(encoding).name
            if name in NO_FILES:
                raise LookupError(name)
        except (LookupError, ValueError) as error:
            raise UnreadableSource(
                Message("There is no encoding {encoding!r}.", encoding=encoding),
                field="encoding",
                value=encoding,
                remedy=Message("Common ones: utf-8, gb18030, big5, utf-16, cp1252."),
            ) from error
        return DEFAULT_ENCODING if name in ("utf-8", DEFAULT_ENCODING) else encoding

    def _check_encoding(self) -> None:
        name = codecs.lookup(self.encoding).name
        with self.path.open("rb") as raw, self._unpack(raw) as file:
            start = file.read(SAMPLE_BYTES)
            file.seek(0)
            if name.startswith(("utf-16", "utf-32")):
                self._check_wide(file, start)
                return
            if start.startswith(UTF16_MARKS):
                raise self._wrong("the file starts with a UTF-16 mark", start)
            if wide_encoding(start):
                raise self._wrong("every second byte is zero, as in UTF-16", start)
            self._check_lines(file)

    def _check_lines(self, file: BinaryIO) -> None:
        codec = self.encoding_name
        checked = failed = offset = 0
        first: str | None = None
        sample = b""
        for number, line in enumerate(file, start=1):
            if number == 1:
                sample = line[:SAMPLE_BYTES]
            if not line.isascii():
                checked += 1
                try:
                    line.decode(codec)
                except UnicodeDecodeError as error:
                    failed += 1
                    first = first or (
                        f"byte 0x{line[error.start]:02x} at offset {offset + error.start} "
                        f"(line {number}) does not fit"
                    )
                    if number > 1 and len(sample) + len(line) <= SAMPLE_BYTES:
                        sample += line
            offset += len(line)
        if first is not None and failed >= checked * WRONG_SHARE:
            raise self._wrong(first, sample)

    def _check_wide(self, file: BinaryIO, start: bytes) -> None:
        text = io.TextIOWrapper(file, self.encoding, newline="\n")
        number = 0
        try:
            for _line in text:
                number += 1
        except UnicodeError as error:
            raise self._wrong(f"after line {number}: {error}", start) from error
        finally:
            text.detach()

    def _wrong(self, where: str, sample: bytes) -> UnreadableSource:
        name = self.encoding_name
        proposal = propose_encoding(sample, name) if sample else None
        other = "gb18030" if name == "utf-8" else "utf-8"
        plain = Message("Name the file's encoding, for example --encoding {other}.", other=other)
        return UnreadableSource(
            Message("{path} is not {name}: {where}.", path=self.path, name=name, where=where),
            field="encoding",
            value=name,
            remedy=proposal.remedy() if proposal else plain,
        )

    @contextmanager
    def reading_errors(self) -> Iterator[None]:
        """Faults of the packing or the decoding inside the block name the file."""
        try:
            yield
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableSource(
                Message("{path} is a broken gzip file: {error}.", path=self.path, error=error),
                field="path",
                value=str(self.path),
                remedy=Message("Copy it again; it may have been cut off."),
            ) from error
        except UnicodeDecodeError as error:
            raise self._wrong(str(error), b"") from error
