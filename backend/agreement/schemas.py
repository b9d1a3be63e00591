"""What a work report says, as it is kept, shown and sent."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field, computed_field, model_validator

from backend.words import Message, in_readers_language

QuestionKind = Literal["grade", "issue", "field"]
DELETED = 0
"""Stands for everybody whom Label Studio no longer knows: they cannot be told apart."""


class Sentence(BaseModel):
    """Words for people, and the message that programs read."""

    message: Message

    @model_validator(mode="before")
    @classmethod
    def read_both(cls, found: Any) -> Any:
        """Reports of before had the words in English and Chinese."""
        is_old = isinstance(found, Mapping) and set(found) == {"en", "zh"}
        return {"message": found} if is_old else found

    @computed_field(  # type: ignore[prop-decorator]
        description="in the language asked for (Accept-Language), else in English"
    )
    @property
    def words(self) -> str:
        """In the language of whoever asked the API."""
        return in_readers_language(self.message)


class AgreementMeasure(BaseModel):
    """Agreement beyond chance with its 95 % bootstrap interval over records."""

    value: float | None = Field(description="empty where undefined; why says why")
    low: float | None
    high: float | None
    percent: float | None = Field(description="share of agreeing pairs of answers")
    items: int = Field(description="records with two answers or more")
    why: Sentence | None = None


class SliceAgreement(BaseModel):
    """Krippendorff's alpha on a part of the records."""

    by: Literal["kind", "round"]
    name: str = Field(description="kind of record, or number of the round; round 0 was imported")
    alpha: AgreementMeasure


class WeekAgreement(BaseModel):
    """Krippendorff's alpha on the records that got their second answer in these days."""

    first: date
    last: date
    alpha: AgreementMeasure


class PairAgreement(BaseModel):
    """Cohen's kappa of two annotators over the records that both answered."""

    first: int
    second: int
    kappa: AgreementMeasure


class QuestionAgreement(BaseModel):
    """How far people agree on one question."""

    kind: QuestionKind
    name: str = Field(examples=["duplicate"])
    title: str
    title_zh: str
    alpha: AgreementMeasure = Field(description="Krippendorff, nominal")
    ordinal: AgreementMeasure | None = Field(
        description="Krippendorff, ordinal; of ordered grades only"
    )
    fleiss: AgreementMeasure
    slices: list[SliceAgreement]
    weeks: list[WeekAgreement]
    pairs: list[PairAgreement] = Field(description="least agreeing first")
    pairs_left_out: int = Field(0, description="pairs beyond those listed")

    @property
    def key(self) -> str:
        """What an address calls the question."""
        return self.kind if self.kind == "grade" else f"{self.kind}:{self.name}"


class RatePublic(BaseModel):
    """``right`` of ``of`` with its exact 95 % interval."""

    value: float | None
    low: float | None
    high: float | None
    right: int
    of: int
    why: Sentence | None = None


class ConfusionTable(BaseModel):
    """``table[t][c]``: how often the right class ``t`` was answered with class ``c``."""

    classes: list[str]
    table: list[list[int]]


class WorkingSpeed(BaseModel):
    """Seconds an answer took; empty without times."""

    median: float | None
    low_quartile: float | None
    high_quartile: float | None
    answers: int
    why: Sentence | None = None


class WorkDrift(BaseModel):
    """Whether the share of right answers changed over time."""

    windows: list[RatePublic]
    against: Literal["decided", "others"] = Field(
        description="what counted as right: what was decided, where that is enough"
    )
    changed: bool
    p_value: float | None = Field(description="of no change, corrected for everybody asked")
    words: Sentence


class SuspiciousPattern(BaseModel):
    """A pattern that honest work does not explain: a reason to talk, never a verdict."""

    pattern: Literal["always_same", "too_fast", "copies_suggestion"]
    p_value: float
    evidence: Sentence


class AnnotatorWork(BaseModel):
    """What is known of one annotator's work."""

    annotator_id: int = Field(description="0: everybody whom Label Studio no longer knows")
    answers: int
    skips: int
    against_gold: RatePublic = Field(description="answers to records decided on the review desk")
    hidden_checks: RatePublic = Field(description="of those, answers to hidden copies")
    against_others: RatePublic
    gold_confusion: ConfusionTable
    others_confusion: ConfusionTable
    speed: WorkingSpeed
    skip_rate: RatePublic
    drift: WorkDrift | None
    suspicions: list[SuspiciousPattern]


class OverlapSaving(BaseModel):
    """What asking a further person only where there is doubt saves."""

    at_most: int = Field(description="answers a record that a fixed overlap would take")
    records: int = Field(description="records with all the answers that are wanted")
    open_records: int = Field(description="records that still wait for answers")
    answers: int = Field(description="answers given to the former")
    asked: int = Field(description="answers wanted, of all records")
    fixed: int = Field(description="answers a fixed overlap would have taken for the former")
    share_saved: float | None


class WorkReportContent(BaseModel):
    """Agreement and annotators' work of one project."""

    records: int = Field(description="records with an answer")
    answers: int = Field(description="answers that count")
    annotators: int = Field(description="people who answered")
    not_counted: int = Field(description="answers with a grade that the label schema does not have")
    decided: int = Field(description="records whose right grade was decided")
    questions: list[QuestionAgreement]
    people: list[AnnotatorWork]
    not_checked: dict[str, Sentence] = Field(description="patterns that could not be looked for")
    overlap: OverlapSaving | None = Field(description="empty where overlap is fixed")

    def question(self, key: str) -> QuestionAgreement | None:
        """The question that an address calls so."""
        return next((each for each in self.questions if each.key == key), None)

    def person(self, annotator_id: int) -> AnnotatorWork | None:
        """The annotator with that id."""
        return next((each for each in self.people if each.annotator_id == annotator_id), None)


class ReportStatus(BaseModel):
    """Whether the numbers are of the answers that there are now."""

    is_current: bool
    computed_at: datetime | None = Field(description="empty: nothing was measured yet")
    job_id: str | None = Field(description="the job that is measuring, if one is")


class AgreementPublic(ReportStatus):
    """How far people agree, by question."""

    annotators: dict[int, str] = Field(description="annotator id to name")
    records: int = 0
    answers: int = 0
    not_counted: int = 0
    overlap: OverlapSaving | None = None
    questions: list[QuestionAgreement] = []


class AnnotatorPublic(AnnotatorWork):
    """One annotator's work, with the name."""

    name: str


class AnnotatorsPublic(ReportStatus):
    """Everybody's work."""

    decided: int = 0
    not_checked: dict[str, Sentence] = {}
    items: list[AnnotatorPublic] = []


class QueuedMeasuring(BaseModel):
    """The job that measures."""

    job_id: str | None = Field(description="none if the numbers are up to date")
