"""Findings about labels as the API, the page and the command line show them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

from backend.words import Message, WithReason, in_readers_language

FindingKind = Literal["suspects", "relabel", "harmful", "redundant", "important", "all"]
"""Which findings, and in which order: the most telling first."""

AUDIT_GROUP = "audit"
"""Of labels on audit records: nothing is learnt from them, so they have no value to split."""


class Assessment(BaseModel):
    """What was measured when a model version's labels were assessed; kept with the version."""

    labels: int = Field(description="training labels judged out of fold", examples=[240])
    audit_labels: int = Field(
        description="audit labels judged by a classifier that never saw them",
        examples=[60],
    )
    suspected: int = Field(0, description="labels more probably wrong than right", examples=[11])
    noise_rate: float | None = Field(
        None, description="estimated share of wrong labels", examples=[0.048]
    )
    groups: dict[str, int] = Field(
        default_factory=dict,
        description="training labels by what they are to the classifier",
        examples=[{"important": 180, "redundant": 49, "harmful": 11}],
    )
    summary_message: Message | None = Field(
        None, description="what leaving labels out was measured to do"
    )
    effects: list[dict[str, Any]] = Field(
        default_factory=list,
        description="change of held-out accuracy [mean, low, high] by share left out",
    )
    tied: int = Field(0, description="records whose annotators tie; they have no label yet")
    skipped_message: Message | None = Field(None, description="why nothing was judged")

    @computed_field(  # type: ignore[prop-decorator]
        description="what leaving labels out was measured to do, in the reader's language"
    )
    @property
    def summary(self) -> str:
        """In the language of whoever asked the API; empty where nothing was measured."""
        return in_readers_language(self.summary_message or "")

    @computed_field(  # type: ignore[prop-decorator]
        alias="skipped", description="why nothing was judged, in the reader's language"
    )
    @property
    def why_skipped(self) -> str | None:
        """In the language of whoever asked the API."""
        message = self.skipped_message
        return None if message is None else in_readers_language(message)


class SuspectedAnswerPublic(BaseModel):
    """What one person says about the record now."""

    annotator: str = Field(examples=["Ana Duarte"])
    grade: str = Field(examples=["good"])


class LabelFindingPublic(WithReason):
    """What the newest assessed model version says about one label."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "task_id": 812,
                    "record_id": 1204,
                    "external_id": "SKU-11204",
                    "fields": {"title": "Kettle 1.7 l", "price": ""},
                    "label_studio_task_id": 5012,
                    "case_id": 31,
                    "is_audit": False,
                    "grade": "good",
                    "suggested": "poor",
                    "suspicion": 0.93,
                    "is_suspect": True,
                    "value": 0.01,
                    "value_group": "harmful",
                    "relabel_score": 0.61,
                    "reason": "labelled 'good'; 'poor' is the most probable other label",
                    "reason_message": {
                        "text": "labelled '{given}'; '{other}' is the most probable other label",
                        "values": {"given": "good", "other": "poor"},
                    },
                    "answers": [{"annotator": "Ana Duarte", "grade": "good"}],
                }
            ]
        }
    )

    task_id: int
    record_id: int
    external_id: str
    fields: dict[str, Any] = Field(description="the record as it was labelled")
    label_studio_task_id: int | None
    case_id: int | None = Field(None, description="the record's review case, if it has one")
    is_audit: bool
    grade: str = Field(description="as people gave it when it was judged")
    suggested: str = Field(description="most probable grade; the given one where not suspected")
    suspicion: float = Field(description="estimated probability that the label is wrong")
    is_suspect: bool
    value: float | None = Field(
        description="rank from 0, the most suspect label, to 1, the least; what a single label "
        "adds is not measured; none for audit records, which are not learnt from"
    )
    value_group: str = Field(description="important, redundant, harmful or audit")
    relabel_score: float = Field(description="larger where one more annotator would help more")
    answers: list[SuspectedAnswerPublic]


class LabelFindingPage(BaseModel):
    """Some findings in order; ask again with ``offset`` = ``next_offset`` for the next ones."""

    model_version: int | None = Field(
        description="number of the version that judged; none yet if empty", examples=[7]
    )
    assessment: Assessment | None
    total: int = Field(examples=[11])
    next_offset: int | None = Field(examples=[100])
    items: list[LabelFindingPublic]


class QueuedAssessment(BaseModel):
    """The job that judges the labels."""

    job_id: str | None = Field(description="none if the newest version's labels are judged already")
