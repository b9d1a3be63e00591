"""Reports of model versions: as they are kept, and as the API and the pages show them."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from active_learning.breakdown.confusion import NameMeasures
from active_learning.breakdown.reliability import ConfidenceBin
from active_learning.breakdown.shares import Share
from active_learning.breakdown.slices import PartMeasures
from active_learning.evaluation import Estimate


class MeasuredShare(BaseModel):
    """A share of ``n`` records with its 95 % interval; no value where too few are there."""

    n: int = Field(examples=[42])
    value: float | None = Field(None, examples=[0.86])
    low: float | None = Field(None, examples=[0.72])
    high: float | None = Field(None, examples=[0.93])
    missing: int = Field(0, description="further records until there is a value")

    @classmethod
    def of(cls, share: Share) -> Self:
        """As the learning library tells it."""
        told = share.estimate
        if told is None:
            return cls(n=share.n, missing=share.missing)
        return cls(n=share.n, value=told.value, low=told.low, high=told.high)

    @classmethod
    def of_estimate(cls, estimate: Estimate | Mapping[str, Any]) -> Self:
        """One that has a value in any case."""
        return cls(**(asdict(estimate) if isinstance(estimate, Estimate) else estimate))


class FoundName(BaseModel):
    """How well one grade or issue is found."""

    name: str = Field(examples=["poor"])
    present: int = Field(description="records that have it")
    found: int = Field(description="records of which the version says that they have it")
    precision: MeasuredShare = Field(description="of those found, the share that have it")
    recall: MeasuredShare = Field(description="of those that have it, the share found")

    @classmethod
    def of(cls, measures: NameMeasures) -> Self:
        """As the learning library tells it."""
        return cls(
            name=measures.name,
            present=measures.present,
            found=measures.found,
            precision=MeasuredShare.of(measures.precision),
            recall=MeasuredShare.of(measures.recall),
        )


class CalibrationBin(BaseModel):
    """Records of which the version was about equally sure."""

    low: float
    high: float
    confidence: float | None = Field(description="mean; none without a record")
    accuracy: MeasuredShare

    @classmethod
    def of(cls, found: ConfidenceBin) -> Self:
        """As the learning library tells it."""
        return cls(
            low=found.low,
            high=found.high,
            confidence=found.confidence,
            accuracy=MeasuredShare.of(found.accuracy),
        )


class SamplePart(BaseModel):
    """Records that share a value of a column, or a range of its numbers (low <= x < high)."""

    column: str = Field(examples=["brand"])
    is_kind: bool = Field(False, description="the column is the record's kind")
    value: str | None = Field(description="none: a range; empty: missing values")
    low: float | None
    high: float | None
    accuracy: MeasuredShare
    rest: MeasuredShare = Field(description="accuracy on all other records of the sample")
    p_value: float = Field(description="Fisher's exact test, adjusted for all parts (Holm)")
    is_worse: bool = Field(description="adjusted p-value below 0.05; else it may be chance")

    @classmethod
    def of(cls, found: PartMeasures, *, kind: str) -> Self:
        """As the learning library tells it; ``kind`` is what it calls the record's kind."""
        return cls(
            column=found.part.column,
            is_kind=found.part.column == kind,
            value=found.part.value,
            low=found.part.low,
            high=found.part.high,
            accuracy=MeasuredShare.of_estimate(found.accuracy),
            rest=MeasuredShare.of_estimate(found.rest),
            p_value=found.p_value,
            is_worse=found.is_worse,
        )


class Breakdown(BaseModel):
    """What was measured of one version on the audit sample."""

    accuracy: MeasuredShare
    macro_f1: MeasuredShare
    ece: float = Field(description="expected calibration error, 0 to 1")
    classes: list[str] = Field(description="of rows and columns of the confusion matrix")
    confusion: list[list[int]] = Field(
        description="records by their label (rows) and the version's answer (columns)"
    )
    grades: list[FoundName]
    issues: list[FoundName]
    calibration: list[CalibrationBin]
    parts_looked_at: int = Field(description="parts of the sample that were large enough")
    smallest_part: int = Field(description="records that a part needs to be looked at")
    worst_parts: list[SamplePart] = Field(description="below the rest, worst first")


class ChangedAnswer(BaseModel):
    """A record that two versions answer differently."""

    record_id: int
    external_id: str
    kind: str
    fields: dict[str, Any]
    label: str = Field(description="what people or a decision say")
    before: str = Field(description="the other version's answer")
    after: str = Field(description="this version's answer")
    case_id: int | None = Field(description="its review case, where it has one")


class VersionChanges(BaseModel):
    """A version beside another one on the same audit records."""

    against: int = Field(description="number of the other version")
    is_against_champion: bool
    accuracy: MeasuredShare
    other_accuracy: MeasuredShare
    difference: MeasuredShare = Field(description="the first minus the second")
    mended: list[ChangedAnswer] = Field(description="wrong before, right now")
    broken: list[ChangedAnswer] = Field(description="right before, wrong now")
    still_wrong: int = Field(description="both wrong, with different answers")


class QueuedVersionMeasuring(BaseModel):
    """The job that measures, or none where everything is measured."""

    job_id: str | None


class ModelReport(BaseModel):
    """One model version on the audit sample of the newest gate decision."""

    model_version: int
    is_champion: bool
    measured_at: datetime | None = Field(None, description="none: not measured yet")
    sample_of: int | None = Field(
        None, description="number of the version whose gate decision used the sample first"
    )
    records: int = Field(0, description="of the sample")
    is_readable: bool = Field(True, description="false: the version cannot answer any more")
    breakdown: Breakdown | None = None
    changes: VersionChanges | None = None
    comparable: list[int] = Field(
        default_factory=list, description="versions that it can be compared with"
    )


class CurveSample(BaseModel):
    """The audit records that all points of the curve were measured on."""

    measured_at: datetime | None = Field(
        description="none: only the two versions of the newest gate decision are measured"
    )
    records: int | None
    unreadable: list[int] = Field(description="versions that cannot answer any more")
    waiting: list[int] = Field(description="versions that are not measured on these records yet")
