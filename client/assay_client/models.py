"""What the server answers, as far as this client uses it; names it does not know are ignored."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

JobState = Literal["queued", "running", "waiting", "done", "failed", "cancelled"]


class Answer(BaseModel):
    """A part of an answer. Newer servers may say more than it knows."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class WhoAmI(Answer):
    """Whose key it is, and what it may do."""

    name: str
    role: str


class Dataset(Answer):
    """Records that share their fields."""

    id: int
    name: str
    kind: str
    fields: list[str]
    records: int = Field(description="current ones")
    created_at: datetime


class Record(Answer):
    """One version of one row."""

    id: int
    external_id: str
    kind: str
    fields: dict[str, Any]
    source: str
    observed_at: datetime | None = None
    is_current: bool
    content_hash: str
    created_at: datetime


class RecordPage(Answer):
    """Some records in the order of their ids."""

    records: list[Record]
    after: int | None = Field(None, description="where the next page begins; None: the last one")


class ImportReport(Answer):
    """What became of an import's rows."""

    id: int
    dataset_id: int
    source: str
    format: str
    status: str
    rows_read: int
    rows_new: int
    rows_changed: int
    rows_unchanged: int
    rows_rejected: int
    error: str | None = None
    started_at: datetime
    finished_at: datetime | None = None


class Reject(Answer):
    """One row that an import refused, and why; ``line`` counts from 1."""

    line: int
    field: str | None = None
    value: str | None = None
    reason: str


class Job(Answer):
    """Work in the background."""

    id: str
    name: str
    project_id: int | None = None
    status: JobState
    attempt: int
    progress: float = Field(description="from 0 to 1")
    message: str = ""
    error: str | None = None
    result: dict[str, Any] | None = Field(None, description="what it came to, once it is done")
    cancel_requested: bool = False
    enqueued_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    retried_as: str | None = None

    @property
    def is_open(self) -> bool:
        """True while it may still do something."""
        return self.status in ("queued", "running", "waiting")


class Queued(Answer):
    """The job that does what was asked."""

    job_id: str


class QueuedIfNoneWaits(Answer):
    """The job that does what was asked; None where one is waiting that will."""

    job_id: str | None = None


class Project(Answer):
    """One labelling effort."""

    id: int
    name: str
    dataset_id: int
    label_schema: dict[str, Any]
    policy: dict[str, Any]
    label_studio_project_id: int | None = None
    created_at: datetime
    warnings: list[str] = Field(default_factory=list)


class Estimate(Answer):
    """A measured share with its interval."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = Field(None, description="records it was measured on")


class Batch(Answer):
    """One batch and what was learnt from it."""

    round: int
    strategy: str
    batch_size: int
    labelled: int = Field(description="of these, with an answer")
    labels: int | None = Field(None, description="that the model version was trained on")
    accuracy: Estimate | None = None
    macro_f1: Estimate | None = None
    agreement: Estimate | None = None
    model_version: int | None = None
    created_at: datetime
    pushed_at: datetime | None = None


class LoopState(Answer):
    """What the loop does or waits for."""

    state: str
    reason: str
    job_id: str | None = None
    step: str | None = None


class ModelVersion(Answer):
    """One trained classifier."""

    number: int
    is_champion: bool
    labels: int
    accuracy: Estimate | None = None
    macro_f1: Estimate | None = None
    encoder: str
    created_at: datetime


class ProjectStatus(Answer):
    """The numbers of one project."""

    id: int
    name: str
    dataset: str
    records: int
    pool: int = Field(description="records not yet labelled")
    annotators: int
    round: int
    batch_size: int
    batch_labelled: int
    champion: int | None = Field(None, description="number of the champion's model version")
    accuracy: Estimate | None = None
    rounds: list[Batch]
    versions: list[ModelVersion]
    loop: LoopState
    label_studio_url: str | None = None


class IssueProbability(Answer):
    """An issue that the classifier sees."""

    name: str
    probability: float


class FaultyField(Answer):
    """A field whose value is probably wrong, and why."""

    field: str
    probability: float
    expected: str | None = Field(None, description="the usual value, where one is known")
    reason: str | None = None


class Verdict(Answer):
    """What the champion says about one record.

    ``risk`` is the probability that the record is not of the best grade; ``doubt`` is 1 minus the
    distance between the two most probable grades; ``label`` is what people, a decision or a machine
    label say, and ``source`` which of them counts.
    """

    record_id: int | None = None
    external_id: str | None = None
    kind: str | None = None
    fields: dict[str, Any] = Field(default_factory=dict)
    grade: str
    confidence: float
    probabilities: dict[str, float]
    issues: list[IssueProbability] = Field(default_factory=list)
    issue_probabilities: dict[str, float] = Field(default_factory=dict)
    faulty_fields: list[FaultyField] = Field(default_factory=list)
    risk: float
    doubt: float
    model_version: int | None = None
    source: str | None = None
    label: str | None = None
    is_disagreement: bool = False


class VerdictState(Answer):
    """Whose verdicts are read, and whether they are of now."""

    model_version: int | None = Field(None, description="None before there are verdicts")
    records: int = 0
    made_at: datetime | None = None
    is_current: bool = False
    champion: int | None = None


class VerdictPage(Answer):
    """Some verdicts in the order that was asked for."""

    state: VerdictState
    total: int
    items: list[Verdict]
    next_offset: int | None = None


class ScoredRecord(Verdict):
    """What the champion says of one record at once."""

    is_machine_labelled: bool = Field(
        False, description="whether the standing promise of machine labels would cover the grade"
    )


class Scores(Answer):
    """Verdicts on the records that were sent, in their order."""

    model_version: int
    verdicts: list[ScoredRecord]


class AddedRecords(Answer):
    """What became of records that were sent at once, in their order."""

    new: int
    changed: int
    unchanged: int
    record_ids: list[int] = Field(description="of the versions that are current now")
    score: Scores | None = Field(None, description="where it was asked for")
