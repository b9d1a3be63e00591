"""Predictions for the tasks that a Label Studio asks about: stored verdicts, else live ones."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from backend.core.exceptions import AppError, InvalidInput
from backend.core.parts import parts
from backend.core.services import Services
from backend.ml_backend.questions import Question, Questions
from backend.models import Dataset, Project
from backend.projects.service import label_schema_of
from backend.records.service import RecordsService
from backend.scoring.live import LiveVerdicts
from backend.scoring.live_scorer import AT_ONCE, LiveScorer
from backend.scoring.record_check import check_records
from backend.scoring.schemas import VerdictFigures
from backend.scoring.service import RECORDS_PER_READ, Verdicts
from labeling.label_studio.ml_backend import (
    PredictionRequest,
    build_prediction_answer,
    build_prediction_on_screen,
)
from labeling.label_studio.predictions import Suggestion

ANSWER_SECONDS = 60.0
"""After which the rest is answered with nothing. Label Studio waits 100 s for all tasks together
(``TIMEOUT_PREDICT`` of its ``ml/api_connector.py``), and drops everything then."""

logger = logging.getLogger(__name__)

_Judged = dict[int, tuple[VerdictFigures, int]]
"""Place among the questions to the verdict and the number of the model version that gave it."""


class MlBackend:
    """Answers a Label Studio; the store is not held while the classifier computes.

    ``seconds`` is a clock that only goes forward.
    """

    def __init__(
        self,
        services: Services,
        scorer: LiveScorer,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._services = services
        self._live = LiveVerdicts(services, scorer)
        self._seconds = seconds

    def model_version(self, project: Project) -> str | None:
        """Who would answer now: that of the stored verdicts, else the champion; None before one.

        Label Studio asks again about every task that has no prediction of this name.
        """
        with self._services.database.reading() as session:
            state = Verdicts(session, self._services).state(project)
        return _name(state.model_version or state.champion)

    def predict(self, project: Project, request: PredictionRequest) -> dict[str, Any]:
        """Label Studio's answer: an entry for each task, whatever happens, within a minute."""
        end = self._seconds() + ANSWER_SECONDS
        with self._services.database.reading() as session:
            dataset = RecordsService(session, self._services.clock).get_dataset(project.dataset_id)
            questions = Questions(session, project, dataset).of(request.tasks)
        judged = self._read_verdicts(project, questions, end)
        left = [
            (place, question)
            for place, question in enumerate(questions)
            if question is not None and place not in judged and _is_scorable(dataset, question)
        ]
        judged |= self._score_live(project, left, end)
        schema = label_schema_of(project)
        predictions = []
        for place, (task, question) in enumerate(zip(request.tasks, questions, strict=True)):
            said = judged.get(place)
            predictions.append(
                None
                if said is None or question is None
                else build_prediction_on_screen(
                    _suggestion(*said, schema.fields), task, question.fields, schema, request.screen
                )
            )
        return build_prediction_answer(request, predictions, self.model_version(project))

    def _read_verdicts(
        self, project: Project, questions: Sequence[Question | None], end: float
    ) -> _Judged:
        places: dict[int, list[int]] = {}
        for place, question in enumerate(questions):
            if question is not None and question.record_id is not None:
                places.setdefault(question.record_id, []).append(place)
        judged: _Judged = {}
        for part in parts(list(places), RECORDS_PER_READ):
            if self._seconds() >= end:
                break
            try:
                with self._services.database.reading() as session:
                    verdicts = Verdicts(session, self._services).of_records(project, part)
            except AppError as error:
                logger.warning("stored verdicts cannot be read: %s", error)
                break
            for record_id, verdict in verdicts.items():
                for place in places[record_id]:
                    judged[place] = (verdict, verdict.model_version)
        return judged

    def _score_live(
        self, project: Project, left: Sequence[tuple[int, Question]], end: float
    ) -> _Judged:
        scored: _Judged = {}
        for part in parts(left, AT_ONCE):
            within = end - self._seconds()
            if within <= 0:
                break
            try:
                said = self._live.score(project, [each.fields for _, each in part], within=within)
            except Exception as error:  # whatever it is, the others have their answers
                is_ours = isinstance(error, AppError)
                logger.warning("no live verdicts: %s", error, exc_info=not is_ours)
                break
            for (place, _), verdict in zip(part, said.verdicts, strict=True):
                scored[place] = (verdict, said.model_version)
        if len(scored) < len(left):
            logger.warning("%d of %d tasks are not judged", len(left) - len(scored), len(left))
        return scored


def _is_scorable(dataset: Dataset, question: Question) -> bool:
    """False where the dataset's columns would refuse a value, which also old versions may have."""
    try:
        check_records(dataset, [question.fields])
    except InvalidInput:
        return False
    return True


def _suggestion(figures: VerdictFigures, number: int, fields: Sequence[str]) -> Suggestion:
    return Suggestion(
        grade=figures.grade,
        score=figures.confidence,
        model_version=f"v{number}",
        issues={each.name: each.probability for each in figures.issues},
        faulty_fields={
            each.field: each.probability for each in figures.faulty_fields if each.field in fields
        },
    )


def _name(number: int | None) -> str | None:
    return None if number is None else f"v{number}"
