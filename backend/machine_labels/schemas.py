"""Acceptances and machine labels as the API shows them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.core.exceptions import InvalidInput
from backend.core.request_body import RequestBody
from backend.words import Message, WithReason

AcceptanceState = Literal["accepted", "refused", "withdrawn"]


class AcceptancePublic(WithReason):
    """One decision about accepting a model version's own answers."""

    id: int
    model_version: int = Field(description="number of the model version", examples=[7])
    state: AcceptanceState
    is_standing: bool = Field(description="its machine labels count now")
    target_error: float = Field(description="share of wrong machine labels promised at most")
    delta: float = Field(description="probability with which the promise may be broken")
    threshold: float | None = Field(description="confidence from which records are accepted")
    records: int = Field(description="records labelled by machine when it was made")
    evidence: dict[str, Any]
    created_at: datetime


class MachineLabelPublic(BaseModel):
    """A grade that no person gave."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 91,
                    "record_id": 1204,
                    "external_id": "SKU-11204",
                    "grade": "good",
                    "confidence": 0.993,
                    "labelled_by": "machine",
                    "model_version": 7,
                    "is_audited": False,
                }
            ]
        }
    )

    id: int
    record_id: int
    external_id: str
    grade: str
    confidence: float = Field(description="calibrated probability of the grade")
    labelled_by: Literal["machine"] = "machine"
    model_version: int
    is_audited: bool = Field(description="drawn at random to be checked by a person")


class MachineLabelPage(BaseModel):
    """Some machine labels in id order; ask again with ``after`` for the next ones."""

    labels: list[MachineLabelPublic]
    after: int | None = Field(description="pass this to get the next page; none: the last one")


class MachineLabelExport(MachineLabelPublic):
    """A machine label with the promise that it was given under."""

    target_error: float = Field(description="share of wrong machine labels promised at most")
    certainty: float = Field(description="probability with which the promise holds")
    audits: int = Field(description="random audit records that the promise rests on")


class WithdrawRequest(RequestBody):
    """A request to take the machine labels back."""

    reason: str = Field(
        min_length=3, max_length=500, examples=["The new supplier's records look different."]
    )


def read_withdrawal(reason: str) -> WithdrawRequest:
    """The request with this reason.

    Raises:
        InvalidInput: the reason is too short or too long.
    """
    try:
        return WithdrawRequest(reason=reason)
    except ValidationError as error:
        raise InvalidInput(
            Message(
                "The reason {reason!r} cannot be kept: {msg}.",
                reason=reason,
                msg=error.errors()[0]["msg"],
            ),
            field="reason",
            value=reason,
            remedy=Message("Say in 3 to 500 characters why the machine labels are taken back."),
        ) from error


class QueuedAcceptance(BaseModel):
    """The job that asks whether the champion may label alone."""

    job_id: str


class MachineLabelStatus(WithReason):
    """How many records need no person, under which promise, or why not."""

    state: Literal["off", "undecided", "accepted", "refused", "withdrawn"] = Field(
        description="off: the policy has no accept_error; undecided: not asked yet"
    )
    records: int = Field(description="current records with the machine's grade alone")
    target_error: float | None = None
    certainty: float | None = Field(None, description="probability with which the promise holds")
    audits: int = Field(0, description="random audit records that the decision rests on")
    more_audits_needed: int = Field(0, description="before the champion may be accepted")
    drawn: int = Field(0, description="machine labels drawn at random to be checked by people")
    checked: int = Field(0, description="of these, with people's answer")
    wrong: int = Field(0, description="of these, not confirmed by the grade that people gave")
    unconfirmed: int = Field(
        0, description="of the wrong ones: people skipped the record, tie, or found it ambiguous"
    )
    unlabelled_audits: int = Field(
        0, description="of the audits: skipped, tied or ambiguous records, which count as errors"
    )
    model_version: int | None = None
