"""What one person has labelled and what waits for them; nothing of anybody else."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

from pydantic import BaseModel, Field
from sqlmodel import Session

from backend.core.clock import Clock
from backend.core.settings import Settings
from backend.label_studio.guideline_repository import current_guideline
from backend.models import Project
from backend.overview import own_work_repository as repository
from backend.projects import repository as projects
from labeling.label_studio.addresses import own_task_address, queue_address

WEEK = timedelta(days=7)
DAY = timedelta(days=1)


class OwnCounts(BaseModel):
    """One person's answers: how many, and how fast."""

    answers: int = 0
    skipped: int = 0
    answers_last_day: int = 0
    answers_last_week: int = 0
    median_seconds: float | None = Field(None, description="an answer, where it was measured")
    last_at: datetime | None = None


class SentBack(BaseModel):
    """A task that asks this person, and nobody else, to look once more."""

    project_id: int
    project: str
    external_id: str
    url: str | None = Field(description="empty: Label Studio does not have it yet")


class OwnProject(BaseModel):
    """A project that can be labelled in Label Studio."""

    id: int
    name: str
    label_url: str = Field(description="gives the next task")
    counts: OwnCounts
    guideline_version: int
    guideline_since: datetime | None
    is_guideline_new: bool = Field(description="published since this person's last answer")


class OwnWork(BaseModel):
    """One person's work in all projects."""

    is_known: bool = Field(description="an annotator with the person's e-mail address has answered")
    counts: OwnCounts
    sent_back: list[SentBack]
    projects: list[OwnProject]


class OwnWorkService:
    """The work of the person with an e-mail address, within one transaction."""

    def __init__(self, session: Session, clock: Clock, settings: Settings) -> None:
        self._session = session
        self._clock = clock
        self._settings = settings

    def of(self, email: str) -> OwnWork:
        """Counts, tasks sent back and projects; all empty for somebody who never answered."""
        me = repository.annotators_with_email(self._session, email)
        answers = repository.own_answers(self._session, me) if me else []
        return OwnWork(
            is_known=bool(me),
            counts=self._counts(answers),
            sent_back=self._records_sent_back(me, {task_id for _, task_id, *_ in answers})
            if me
            else [],
            projects=[
                self._project(
                    project,
                    queue_address(self._settings.annotator_url, project.label_studio_project_id),
                    [answer for answer in answers if answer[0] == project.id],
                )
                for project in projects.list_all(self._session)
                if project.label_studio_project_id is not None
            ],
        )

    def _counts(self, answers: Sequence[repository.OwnAnswer]) -> OwnCounts:
        now = self._clock()
        given = [(seconds, at) for _, _, skipped, seconds, at in answers if not skipped]
        seconds = [each for each, _ in given if each is not None]
        return OwnCounts(
            answers=len(given),
            skipped=len(answers) - len(given),
            answers_last_day=sum(at > now - DAY for _, at in given),
            answers_last_week=sum(at > now - WEEK for _, at in given),
            median_seconds=median(seconds) if seconds else None,
            last_at=max((at for *_, at in answers), default=None),
        )

    def _records_sent_back(self, me: Sequence[int], answered: set[int]) -> list[SentBack]:
        return [
            SentBack(
                project_id=task.project_id,
                project=project.name,
                external_id=external_id,
                url=own_task_address(
                    self._settings.annotator_url,
                    project.label_studio_project_id,
                    task.label_studio_task_id,
                )
                if project.label_studio_project_id and task.label_studio_task_id
                else None,
            )
            for task, external_id, project in repository.tasks_sent_to(self._session, me)
            if task.id not in answered
        ]

    def _project(
        self, project: Project, label_url: str, answers: Sequence[repository.OwnAnswer]
    ) -> OwnProject:
        guideline = current_guideline(self._session, project.id)
        since = guideline.published_at if guideline else project.created_at
        counts = self._counts(answers)
        return OwnProject(
            id=project.id,
            name=project.name,
            label_url=label_url,
            counts=counts,
            guideline_version=guideline.version if guideline else 1,
            guideline_since=since,
            is_guideline_new=bool(counts.last_at and since and since > counts.last_at),
        )
