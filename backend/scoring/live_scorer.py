"""Answers at once: the champion in this process, asked by many requests together."""

import logging
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from active_learning.artifacts import Artifact
from active_learning.encoders.cached_embeddings import CachedEmbeddings
from active_learning.record_scorer import RecordScorer
from active_learning.types import RecordPredictions
from backend.core.exceptions import Conflict, Unavailable
from backend.core.services import Services
from backend.features.model_version import TrainedVersion, load_model_version
from backend.features.store import FeatureStore, learning_facts
from backend.models import ModelVersion
from backend.words import Message

AT_ONCE = 32
"""Records that are judged together. Chosen: an encoder on a processor is no faster with more, and
whoever comes meanwhile waits for them."""
PER_REQUEST = 8
"""Of one request in a turn, where others wait, too: a thousand records hold nobody up. Chosen."""
ANSWER_SECONDS = 120.0
"""After which a request is told to come again. Chosen: a thousand long records take a minute."""

logger = logging.getLogger(__name__)

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class LoadedVersion:
    """A model version in memory."""

    id: int
    number: int
    artifact: Artifact
    scorer: RecordScorer


@dataclass(eq=False)
class _Question:
    """One request's records, and what is known of their answers."""

    version: LoadedVersion
    records: Sequence[Fields]
    answer: "Future[RecordPredictions]" = field(default_factory=Future)
    parts: list[RecordPredictions] = field(default_factory=list)

    @property
    def place(self) -> int:
        """Records that are judged: those before it."""
        return sum(len(part.grades) for part in self.parts)


class LiveScorer:
    """Judges records by model versions that it keeps in memory; one for a process.

    One thread computes, with one processor thread of the encoder's library, whoever asks: requests
    that wait at the same time are answered together, each getting its share of every turn.
    """

    def __init__(self, services: Services) -> None:
        settings = services.settings.model_copy(update={"torch_threads": 1})
        self._services = replace(services, settings=settings)
        self._features: FeatureStore | None = None
        self._loaded: dict[int, LoadedVersion] = {}
        self._loading = threading.Lock()
        self._waiting: deque[_Question] = deque()
        self._is_asked = threading.Condition()
        self._thread: threading.Thread | None = None

    def score(
        self,
        version: ModelVersion,
        records: Sequence[Fields],
        *,
        within: float = ANSWER_SECONDS,
    ) -> tuple[LoadedVersion, RecordPredictions]:
        """The model version that answered, and what it says of these n records, n rows each.

        While the champion of now is read from disk, the one from before goes on answering.

        Raises:
            Conflict: no version of the project can be read.
            Unavailable: the answer took more than ``within`` seconds.
        """
        loaded = self._version(version)
        question = _Question(loaded, records)
        with self._is_asked:
            self._waiting.append(question)
            self._start()
            self._is_asked.notify()
        try:
            return loaded, question.answer.result(within)
        except TimeoutError as error:
            question.answer.cancel()
            raise Unavailable(
                Message("The classifier has too much to do."),
                remedy=Message("Ask again later, with fewer records at once."),
            ) from error

    def _version(self, version: ModelVersion) -> LoadedVersion:
        known = self._loaded.get(version.project_id)
        if known is not None and known.id == version.id:
            return known
        if known is not None and self._loading.locked():
            return known  # somebody is reading the new one
        with self._loading:
            known = self._loaded.get(version.project_id)
            if known is not None and known.id == version.id:
                return known
            trained = self._read(version)
            if trained is None:
                if known is not None:
                    return known
                raise Conflict(
                    Message("Model version {number} cannot be read.", number=version.number),
                    field="model_version",
                    value=version.number,
                    remedy=Message("Label on: the next model version replaces it."),
                )
            assert self._features is not None
            embeddings = CachedEmbeddings(
                self._features.cache(trained.choice), self._features.encoder(trained.choice)
            )
            loaded = LoadedVersion(
                version.id,
                version.number,
                trained.artifact,
                RecordScorer(trained.artifact, embeddings),
            )
            self._loaded[version.project_id] = loaded
            return loaded

    def _read(self, version: ModelVersion) -> TrainedVersion | None:
        if self._features is None:
            self._features = FeatureStore(self._services)
        return load_model_version(self._services, self._features, version)

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="live-scorer", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._is_asked:
                while not self._waiting:
                    self._is_asked.wait()
                turn = self._next_turn()
            try:
                self._answer(turn)
            except Exception as error:
                logger.warning("live scoring failed: %s", error, exc_info=True)
                for question, _ in turn:
                    self._end(question, error)

    def _next_turn(self) -> list[tuple[_Question, Sequence[Fields]]]:
        """Who is answered next, and which of their records; all by one model version."""
        first = self._waiting[0].version
        turn: list[tuple[_Question, Sequence[Fields]]] = []
        left = AT_ONCE
        asked = [each for each in self._waiting if each.version is first]
        share = AT_ONCE if len(asked) == 1 else PER_REQUEST
        for question in asked:
            part = question.records[question.place : question.place + min(share, left)]
            turn.append((question, part))
            left -= len(part)
            if left <= 0:
                break
        # Who has had a turn stands behind those who wait.
        for question, _ in turn:
            self._waiting.remove(question)
            self._waiting.append(question)
        return turn

    def _answer(self, turn: Sequence[tuple[_Question, Sequence[Fields]]]) -> None:
        version = turn[0][0].version
        records = [record for _, part in turn for record in part]
        with learning_facts(self._services.settings.data_dir):
            said = version.scorer.predict(records)
        start = 0
        for question, part in turn:
            stop = start + len(part)
            question.parts.append(
                RecordPredictions(
                    said.grades[start:stop], said.issues[start:stop], said.faulty_fields[start:stop]
                )
            )
            start = stop
            if question.place == len(question.records):
                self._end(question)

    def _end(self, question: _Question, error: Exception | None = None) -> None:
        with self._is_asked:
            if question in self._waiting:
                self._waiting.remove(question)
        if not question.answer.set_running_or_notify_cancel():
            return  # nobody waits any more
        if error is not None:
            question.answer.set_exception(error)
            return
        parts = question.parts
        question.answer.set_result(
            RecordPredictions(
                np.concatenate([part.grades for part in parts]),
                np.concatenate([part.issues for part in parts]),
                np.concatenate([part.faulty_fields for part in parts]),
            )
        )
