"""A labelled file as texts with their labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from active_learning.encoders.embedding_cache import EmbeddingCache
from active_learning.encoders.loading import load_encoder
from active_learning.encoders.record_text import record_text
from active_learning.exceptions import EncoderUnavailable
from active_learning.simulation.experiment import LabelledData
from active_learning.types import Progress, silent
from backend.core.downloads import use_proxy_for_downloads
from backend.core.exceptions import InvalidInput
from backend.core.settings import get_settings
from backend.ingestion.readers import open_reader
from backend.ingestion.schemas import Reject
from backend.records.content import is_index_column
from backend.words import Message


@dataclass(frozen=True)
class LabelledFile:
    """Rows that have a label, in the order of the file."""

    texts: list[str]
    labels: NDArray[np.str_]
    unlabelled: int
    """Rows left out because their label is empty."""
    malformed: int
    """Lines left out because they could not be read."""


def read_labelled_file(
    path: Path, label: str, text: Sequence[str] = (), encoding: str | None = None
) -> LabelledFile:
    """The rows of a CSV, Parquet or JSONL file; every column but the label is text by default.

    Raises:
        UnreadableSource: it cannot be read.
        InvalidInput: a column is not there (names those that are), or fewer than two labels.
    """
    rejects: list[Reject] = []
    texts: list[str] = []
    labels: list[str] = []
    unlabelled = 0
    with open_reader(path, encoding=encoding, on_reject=rejects.append) as reader:
        for option, column in [("--label", label), *(("--text", name) for name in text)]:
            if column not in reader.columns:
                raise InvalidInput(
                    Message("{path} has no column {column!r}.", path=path, column=column),
                    field=option,
                    value=column,
                    remedy=Message("Choose among: {columns}.", columns=reader.columns),
                )
        columns = list(text) or [
            name for name in reader.columns if name != label and not is_index_column(name)
        ]
        if not columns or label in columns:
            raise InvalidInput(
                Message("The label {label!r} cannot be the text to learn from.", label=label),
                field="--text",
                value=label,
                remedy=Message("Give another column with --text."),
            )
        for _, row in reader.rows():
            value = row.get(label)
            answer = "" if value is None else str(value).strip()
            if not answer:
                unlabelled += 1
                continue
            labels.append(answer)
            if len(columns) == 1 and isinstance(row.get(columns[0]), str):
                texts.append(row[columns[0]])
            else:
                texts.append(record_text({name: row.get(name) for name in columns}))
    found = sorted(set(labels))
    if len(found) < 2:
        raise InvalidInput(
            Message(
                "{count} rows of {path} have a label in {label!r}, and all labels are {found}.",
                count=len(labels),
                path=path,
                label=label,
                found=found,
            ),
            field="--label",
            value=label,
            remedy=Message("A simulation needs at least two classes."),
        )
    return LabelledFile(texts, np.array(labels), unlabelled, len(rejects))


def embed_file(
    file: LabelledFile, encoder: str, cache: Path, progress: Progress = silent
) -> LabelledData:
    """The file's records as embeddings, kept in the cache for the next time.

    Raises:
        InvalidInput: there is no such encoder.
    """
    use_proxy_for_downloads(get_settings())
    try:
        embeddings = EmbeddingCache(cache, load_encoder(encoder)).embed(file.texts, progress)
    except EncoderUnavailable as error:
        raise InvalidInput(Message.of_error(error), field="--encoder", value=encoder) from error
    return LabelledData.of_embeddings(embeddings, file.labels)
