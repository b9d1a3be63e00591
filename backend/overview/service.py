"""The status report, gathered in one consistent read."""

from datetime import datetime

from sqlmodel import Session

from backend.annotations.simulated import has_simulated_answers
from backend.core.clock import Clock
from backend.core.exceptions import NotFound
from backend.core.settings import Settings
from backend.machine_labels.labels import MachineLabels
from backend.models import Project, Promotion
from backend.overview import repository
from backend.overview.advice import advice_of
from backend.overview.job_overview import JobOverview
from backend.overview.loop_status import loop_status
from backend.overview.measures import estimate_of, labels_of, round_of
from backend.overview.schemas import (
    AnnotationCounts,
    AnnotatorStatus,
    JobFilter,
    LoopStatus,
    PolicyWarning,
    ProjectStatus,
    ProjectSummary,
    PromotionStatus,
    QueuedTask,
    RoundStatus,
    StatusReport,
    SyncStatus,
    TaskCounts,
)
from backend.overview.version_measures import VersionMeasures
from backend.projects.project_warnings import warnings_of
from backend.projects.service import label_schema_of
from backend.projects.titles import with_titles
from backend.words import Message
from labeling.label_studio.addresses import queue_address

STILL_TO_SEE = JobFilter(statuses=("queued", "running", "waiting", "failed"))
"""Jobs that are at work, or wait for somebody."""


class OverviewService:
    """Reads what is going on; writes nothing."""

    def __init__(self, session: Session, clock: Clock, settings: Settings) -> None:
        self._session = session
        self._clock = clock
        self._settings = settings

    def report(self) -> StatusReport:
        """Everything at a glance."""
        jobs = JobOverview(self._session, self._clock)
        return StatusReport(
            at=self._clock(),
            projects=[self._status(*row) for row in repository.projects(self._session)],
            workers=jobs.workers(),
            job_counts=jobs.counts(),
            jobs=jobs.jobs(STILL_TO_SEE),
        )

    def summaries(self) -> list[ProjectSummary]:
        """The numbers of every project, oldest first."""
        return [self._summary(*row) for row in repository.projects(self._session)]

    def summary(self, project_id: int) -> ProjectSummary:
        """The numbers of one project.

        Raises:
            NotFound: there is no such project.
        """
        return self._summary(*self._project(project_id))

    def project(self, project_id: int) -> ProjectStatus:
        """One project in full.

        Raises:
            NotFound: there is no such project.
        """
        return self._status(*self._project(project_id))

    def loop(self, project_id: int) -> LoopStatus:
        """What the project's loop does or waits for.

        Raises:
            NotFound: there is no such project.
        """
        project, dataset = self._project(project_id)
        pool = self._summary(project, dataset).pool
        return loop_status(self._session, self._clock, project, pool=pool)

    def queue(self, project_id: int, limit: int = 10) -> list[QueuedTask]:
        """The project's next tasks and why each was chosen."""
        schema = label_schema_of(self._project(project_id)[0])
        return [
            QueuedTask(
                external_id=record.external_id,
                kind=record.kind,
                reason_message=with_titles(task.reason, schema),
                acquisition_score=task.acquisition_score,
                label_studio_task_id=task.label_studio_task_id,
            )
            for task, record in repository.next_tasks(self._session, project_id, limit)
        ]

    def _project(self, project_id: int) -> tuple[Project, str]:
        found = repository.project(self._session, project_id)
        if found is None:
            raise NotFound(
                Message("There is no project {project_id}.", project_id=project_id),
                field="project",
                value=project_id,
                remedy=Message("The list of projects has them all."),
            )
        return found

    def _summary(
        self, project: Project, dataset: str, measures: VersionMeasures | None = None
    ) -> ProjectSummary:
        project_id = project.id
        records = repository.count_records(self._session, project.dataset_id)
        labelled = repository.count_labelled_current_records(self._session, project_id)
        created, pushed, deleted = repository.task_counts(self._session, project_id)
        current, revisions, removed, skipped, unnamed = repository.annotation_counts(
            self._session, project_id
        )
        batches = repository.batches(self._session, project_id)
        progress = repository.batch_progress(self._session, project_id)
        size, answered = progress.get(batches[-1].id, (0, 0)) if batches else (0, 0)
        measures = measures or VersionMeasures(self._session, self._clock, project_id)
        champion = measures.champion
        return ProjectSummary(
            id=project_id,
            name=project.name,
            dataset=dataset,
            records=records,
            pool=records - labelled,
            tasks=TaskCounts(created=created, pushed=pushed, deleted=deleted),
            annotations=AnnotationCounts(
                current=current,
                revisions=revisions,
                deleted=removed,
                skipped=skipped,
                unnamed=unnamed,
            ),
            annotators=len(repository.annotator_counts(self._session, project_id)),
            has_simulated_answers=has_simulated_answers(self._session, project_id),
            round=batches[-1].round if batches else 0,
            batch_size=size,
            batch_labelled=answered,
            champion=champion.number if champion else None,
            accuracy=measures.accuracy(champion) if champion else None,
            warnings=[PolicyWarning(text_message=words) for words in warnings_of(project)],
            sync=self._sync(project_id),
            label_studio_url=self._label_studio_url(project),
        )

    def _status(self, project: Project, dataset: str) -> ProjectStatus:
        project_id = project.id
        measures = VersionMeasures(self._session, self._clock, project_id)
        summary = self._summary(project, dataset, measures)
        numbers = {version.id: version.number for version in measures.versions}
        return ProjectStatus(
            **summary.model_dump(),
            rounds=self._rounds(project_id, measures),
            curve=measures.curve(),
            curve_sample=measures.curve_sample(),
            advice=advice_of(measures.versions, measures.accuracy, pool=summary.pool),
            machine_labels=MachineLabels(self._session, self._clock).status(project),
            versions=[measures.status(version) for version in measures.versions],
            promotions=[_promotion_status(row, numbers) for row in measures.promotions],
            loop=loop_status(self._session, self._clock, project, pool=summary.pool),
            annotator_counts=self._annotators(project_id, summary.annotations.unnamed),
        )

    def _annotators(self, project_id: int, unnamed: int) -> list[AnnotatorStatus]:
        found = [
            AnnotatorStatus(
                name=annotator.name
                or annotator.email
                or f"Label Studio user {annotator.label_studio_user_id}",
                annotations=annotations,
                last_at=last_at,
            )
            for annotator, annotations, last_at in repository.annotator_counts(
                self._session, project_id
            )
        ]
        if unnamed:
            last_at = repository.last_of_unnamed(self._session, project_id)
            found.append(AnnotatorStatus(name=None, annotations=unnamed, last_at=last_at))
        return found

    def _rounds(self, project_id: int, measures: VersionMeasures) -> list[RoundStatus]:
        trained = {round_of(version): version for version in measures.versions}
        progress = repository.batch_progress(self._session, project_id)
        rounds = []
        for batch in repository.batches(self._session, project_id):
            size, labelled = progress.get(batch.id, (0, 0))
            version = trained.get(batch.round)
            rounds.append(
                RoundStatus(
                    round=batch.round,
                    strategy=batch.strategy,
                    batch_size=size,
                    labelled=labelled,
                    labels=labels_of(version) if version else None,
                    accuracy=measures.accuracy(version) if version else None,
                    macro_f1=measures.macro_f1(version) if version else None,
                    agreement=estimate_of(version, "agreement") if version else None,
                    model_version=version.number if version else None,
                    created_at=batch.created_at,
                    pushed_at=batch.pushed_at,
                )
            )
        return rounds

    def _sync(self, project_id: int) -> SyncStatus:
        cursor = repository.sync_cursor(self._session, project_id)
        synced_at = cursor.synced_at if cursor else None
        return SyncStatus(
            lag_seconds=self._seconds_since(synced_at) if synced_at else None,
            error=cursor.error if cursor else None,
            unprocessed_events=repository.count_unprocessed_events(self._session, project_id),
        )

    def _label_studio_url(self, project: Project) -> str | None:
        if project.label_studio_project_id is None:
            return None
        return queue_address(self._settings.annotator_url, project.label_studio_project_id)

    def _seconds_since(self, then: datetime) -> float:
        return max(0.0, (self._clock() - then).total_seconds())


def _promotion_status(promotion: Promotion, numbers: dict[int, int]) -> PromotionStatus:
    challenger = promotion.challenger_id
    return PromotionStatus(
        kind=promotion.kind,
        champion=numbers[promotion.model_version_id],
        challenger=numbers.get(challenger) if challenger is not None else None,
        reason_message=promotion.reason,
        decided_by=promotion.decided_by,
        created_at=promotion.created_at,
    )
