"""Verdicts as the API shows them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.core.request_body import RequestBody
from backend.records.content import Value
from backend.scoring.verdict_labels import Source
from backend.words import WithReason

MOST_SCORED = 1_000
"""Records of one request. Chosen: some seconds of one core; more come in several requests."""


class NamedProbability(BaseModel):
    """An issue that the record more probably has than not."""

    name: str
    probability: float


class FaultyField(WithReason):
    """A field that is more probably faulty than not, and what speaks against its value."""

    field: str
    probability: float
    expected: str | None = Field(None, description="the usual value, where the evidence knows one")


class VerdictFigures(BaseModel):
    """What the champion says of one record."""

    grade: str = Field(description="the most probable one")
    confidence: float = Field(description="calibrated probability of the grade")
    probabilities: dict[str, float] = Field(description="calibrated, of every grade")
    issues: list[NamedProbability] = Field(description="those more probable than not")
    issue_probabilities: dict[str, float]
    faulty_fields: list[FaultyField]
    risk: float = Field(
        description="probability that the record is not of the best grade; for grades without an "
        "order, that the grade is wrong"
    )
    doubt: float = Field(
        description="one less the margin between the two most probable grades: 1 is a draw"
    )


class VerdictPublic(VerdictFigures):
    """What the champion says of one record, and what counts beside it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "record_id": 1204,
                    "external_id": "SKU-11204",
                    "kind": "product",
                    "fields": {"title": "Mug, blue", "price": -4},
                    "grade": "poor",
                    "confidence": 0.91,
                    "probabilities": {"good": 0.03, "fair": 0.06, "poor": 0.91},
                    "issues": [{"name": "wrong_price", "probability": 0.88}],
                    "issue_probabilities": {"wrong_price": 0.88, "duplicate": 0.02},
                    "faulty_fields": [
                        {
                            "field": "price",
                            "probability": 0.93,
                            "expected": None,
                            "reason": "-4 is far below the usual",
                            "reason_message": {"text": "-4 is far below the usual", "values": {}},
                        }
                    ],
                    "risk": 0.97,
                    "doubt": 0.15,
                    "model_version": 7,
                    "source": "people",
                    "label": "fair",
                    "is_disagreement": True,
                }
            ]
        }
    )

    record_id: int
    external_id: str
    kind: str
    fields: dict[str, Any]
    model_version: int
    source: Source = Field(
        description="what counts: a decision, people's consensus, a machine label, or the verdict"
    )
    label: str | None = Field(description="the grade that counts; none for a tie")
    is_disagreement: bool = Field(description="people gave another grade than the verdict")


class VerdictState(BaseModel):
    """Whose verdicts are read, and whether they are of now."""

    model_version: int | None = Field(description="none before there are verdicts")
    records: int = 0
    made_at: datetime | None = None
    is_current: bool = Field(False, description="of the champion of now and of the records of now")
    champion: int | None = None


class VerdictPage(BaseModel):
    """Some of the verdicts that match, in order."""

    state: VerdictState
    total: int = Field(description="records that match")
    next_offset: int | None = Field(description="for the next page; none on the last")
    items: list[VerdictPublic]


class FacetValue(BaseModel):
    """How many of the matching records have a value."""

    value: str
    count: int


class HistogramBar(BaseModel):
    """How many of the matching records lie from ``low`` up to ``high``."""

    low: float
    high: float
    count: int


class VerdictFacets(BaseModel):
    """How the matching records are spread."""

    state: VerdictState
    total: int
    grades: list[FacetValue]
    labels: list[FacetValue]
    sources: list[FacetValue]
    issues: list[FacetValue]
    faulty_fields: list[FacetValue]
    kinds: list[FacetValue]
    imports: list[FacetValue]
    disagreements: int
    confidence: list[HistogramBar]
    risk: list[HistogramBar]
    columns: dict[str, list[FacetValue]] = Field(
        default_factory=dict, description="most frequent values of the columns asked for"
    )


class QueuedRefresh(BaseModel):
    """The refresh in the background."""

    job_id: str | None = Field(description="none where one is waiting already")


class ScoreRequest(RequestBody):
    """Records that need not be in the store."""

    records: list[dict[str, Value]] = Field(
        min_length=1,
        max_length=MOST_SCORED,
        description="each by the dataset's fields; one that is left out is a missing value",
        examples=[[{"title": "Mug, blue", "price": -4}]],
    )


class RecordArrival(RequestBody):
    """One record as a program has it now."""

    external_id: str = Field(min_length=1, max_length=500, examples=["SKU-11204"])
    fields: dict[str, Value] = Field(examples=[{"title": "Mug, blue", "price": -4}])
    kind: str | None = Field(
        None, min_length=1, max_length=50, description="none: the dataset's own"
    )
    observed_at: datetime | None = Field(
        None, strict=False, description="when the record was so; with a zone"
    )


class ArrivalRequest(RequestBody):
    """Records to be stored; what is there already changes nothing."""

    records: list[RecordArrival] = Field(min_length=1, max_length=MOST_SCORED)


class ArrivalAnswer(BaseModel):
    """What became of the records, in their order."""

    new: int
    changed: int
    unchanged: int
    record_ids: list[int] = Field(description="of the versions that are current now")
    score: "ScoreAnswer | None" = Field(None, description="where it was asked for")


class ScoredRecord(VerdictFigures):
    """What the champion says of one record at once."""

    is_machine_labelled: bool = Field(
        description="whether the standing promise of machine labels would cover the grade"
    )


class ScoreAnswer(BaseModel):
    """Verdicts in the order of the records."""

    model_version: int
    verdicts: list[ScoredRecord]


VerdictFormat = Literal["csv", "parquet", "jsonl"]
