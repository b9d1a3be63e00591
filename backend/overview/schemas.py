"""The status report: what `assay status`, the API and the pages show."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

from backend.machine_labels.schemas import MachineLabelStatus
from backend.model_reports.schemas import CurveSample
from backend.words import Message, Said, WithReason, in_readers_language

JobStatus = Literal["queued", "running", "waiting", "done", "failed", "cancelled"]


class EstimatePublic(BaseModel):
    """A measured share with its interval, on records drawn at random."""

    value: float = Field(examples=[0.86])
    low: float | None = Field(None, examples=[0.78])
    high: float | None = Field(None, examples=[0.92])
    n: int | None = Field(None, description="records it was measured on", examples=[60])


class RoundStatus(BaseModel):
    """One turn of the loop: a batch and the model version that learned from it."""

    round: int
    strategy: str
    batch_size: int
    labelled: int = Field(description="records of the batch with an answer")
    labels: int | None = Field(None, description="labels the model version was trained on")
    accuracy: EstimatePublic | None = None
    macro_f1: EstimatePublic | None = None
    agreement: EstimatePublic | None = Field(
        None, description="Krippendorff's alpha between annotators"
    )
    model_version: int | None = None
    created_at: datetime
    pushed_at: datetime | None


class CurvePointPublic(BaseModel):
    """One point of the learning curve."""

    labels: int
    accuracy: EstimatePublic
    model_version: int
    is_champion: bool


class VersionComparison(BaseModel):
    """A model version beside the champion of the moment, on the audit records of then."""

    champion: int = Field(description="number of the champion that it was compared with")
    accuracy: EstimatePublic = Field(description="of the version on these records")
    champion_accuracy: EstimatePublic = Field(description="of that champion on these records")
    difference: EstimatePublic = Field(description="the first minus the second, with its interval")


class ModelVersionStatus(BaseModel):
    """One trained classifier and how the gate decided on it."""

    number: int
    is_champion: bool
    labels: int
    accuracy: EstimatePublic | None = Field(
        description="on the sample that all versions are measured on; while it waits to be "
        "measured there, on the one that it was decided upon"
    )
    comparison: VersionComparison | None = Field(
        None,
        description="with the champion of the moment, on the records of then; none for a first "
        "or unmeasured one",
    )
    macro_f1: EstimatePublic | None
    is_readable: bool = Field(True, description="false: it cannot answer any more")
    encoder: str
    created_at: datetime


class PromotionStatus(WithReason):
    """One decision about who is champion."""

    kind: str = Field(description="promoted, kept or rolled_back")
    champion: int = Field(description="number of the champion from then on")
    challenger: int | None
    decided_by: str
    created_at: datetime


class QueuedTask(WithReason):
    """A task that waits for an answer, and why it was chosen."""

    external_id: str
    kind: str
    acquisition_score: float | None
    label_studio_task_id: int | None


class AnnotatorStatus(BaseModel):
    """One annotator's share of the work."""

    name: str | None = Field(description="none for all of whom it is not known who they are")
    annotations: int
    last_at: datetime | None


class SyncStatus(BaseModel):
    """How well the store follows Label Studio."""

    lag_seconds: float | None = Field(None, description="since the last good sync; none yet: null")
    error: Said | None = None
    unprocessed_events: int = Field(0, description="webhook events received and not yet applied")


class TaskCounts(BaseModel):
    """Tasks by where they are."""

    created: int
    pushed: int
    deleted: int = Field(description="seen missing in Label Studio")


class AnnotationCounts(BaseModel):
    """Annotations that count, and all revisions ever received."""

    current: int
    revisions: int
    deleted: int
    skipped: int
    unnamed: int = Field(0, description="of those that count, by people who are not named")


class PolicyWarning(BaseModel):
    """What the project's policy gives up."""

    text_message: Message

    @computed_field(  # type: ignore[prop-decorator]
        description="in the language asked for (Accept-Language), else in English"
    )
    @property
    def text(self) -> str:
        """In the language of whoever asked the API."""
        return in_readers_language(self.text_message)


class ProjectSummary(BaseModel):
    """The numbers of one project."""

    id: int
    name: str = Field(examples=["Shop catalogue"])
    dataset: str
    records: int
    pool: int = Field(description="records not yet labelled")
    tasks: TaskCounts
    annotations: AnnotationCounts
    annotators: int
    has_simulated_answers: bool = Field(description="a program gave some of the answers")
    round: int = Field(description="0 before the first batch")
    batch_size: int = Field(description="tasks of the current batch")
    batch_labelled: int = Field(description="of these, with an answer")
    champion: int | None = Field(description="number of the champion's model version")
    accuracy: EstimatePublic | None = Field(description="of the champion")
    warnings: list[PolicyWarning] = Field(
        default_factory=list, description="what the project's policy gives up"
    )
    sync: SyncStatus
    label_studio_url: str | None = Field(
        description="gives whoever opens it their next task; none: not in Label Studio yet"
    )


class StoppingAdvicePublic(WithReason):
    """What further labels would gain in accuracy (0 to 1), with an 80 % interval."""

    state: Literal["too early", "keep labelling", "stop"]
    more_labels: int = Field(examples=[1200])
    gain: float | None = Field(examples=[0.004])
    low: float | None = Field(examples=[0.001])
    high: float | None = Field(examples=[0.011])


class NothingTrained(BaseModel):
    """Why the newest retraining made no model version."""

    at: datetime
    reason: Said = Field(examples=["All labels are of one grade."])


class LoopStatus(BaseModel):
    """What the loop does or waits for."""

    state: Literal["not started", "stopped", "at work", "labelling", "ended"]
    reason: Said = Field(examples=["8 of 20 new labels; 12 tasks of the batch are open."])
    job_id: str | None = Field(
        None, description="the job that is at work, or that can be tried again where it stopped"
    )
    step: str | None = Field(None, description="that job's kind", examples=["training.retrain"])
    nothing_trained: NothingTrained | None = Field(
        None, description="where the newest retraining made no model version"
    )


class ProjectStatus(ProjectSummary):
    """One project in full."""

    rounds: list[RoundStatus]
    curve: list[CurvePointPublic]
    curve_sample: CurveSample
    versions: list[ModelVersionStatus]
    promotions: list[PromotionStatus]
    loop: LoopStatus
    annotator_counts: list[AnnotatorStatus]
    advice: StoppingAdvicePublic | None = Field(
        None, description="whether to label on; none before the first model version"
    )
    machine_labels: MachineLabelStatus | None = Field(
        None, description="records that the champion labels alone, and its promise"
    )


class WorkerStatus(BaseModel):
    """A worker process, and whether it lives."""

    id: str
    host: str
    pid: int
    is_alive: bool
    up_seconds: float = Field(description="since its start")


class JobFilter(BaseModel):
    """Which jobs are meant; what is empty says nothing."""

    model_config = ConfigDict(frozen=True)

    project_id: int | None = None
    statuses: tuple[JobStatus, ...] = ()
    name: str | None = None
    text: str | None = Field(None, description="part of the id, the message or the error")

    @property
    def is_narrow(self) -> bool:
        """True if some jobs are left out."""
        return self != JobFilter()


class JobPublic(BaseModel):
    """One piece of background work."""

    id: str
    name: str = Field(examples=["training.retrain"])
    project_id: int | None
    status: JobStatus
    attempt: int
    progress: float = Field(ge=0, le=1)
    message: Said
    error: Said | None
    cancel_requested: bool
    enqueued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    retried_as: str | None = Field(None, description="the job that was queued in its place")
    result: dict[str, Any] | None = Field(None, description="what it came to; null until done")

    @property
    def can_be_retried(self) -> bool:
        """True if it has failed or was cancelled, and nobody has tried it again."""
        return self.status in ("failed", "cancelled") and self.retried_as is None

    @property
    def is_open(self) -> bool:
        """True while it may still do something."""
        return self.status in ("queued", "running", "waiting")


class JobCounts(BaseModel):
    """Jobs by status."""

    queued: int = 0
    running: int = 0
    waiting: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0


class StatusReport(BaseModel):
    """Everything at a glance."""

    at: datetime
    projects: list[ProjectStatus]
    workers: list[WorkerStatus]
    job_counts: JobCounts
    jobs: list[JobPublic] = Field(description="open and recently failed jobs, newest first")
