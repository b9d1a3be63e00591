"""What receivers can be told, and what they are as the API shows them: never their secrets."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from backend.core.request_body import LARGEST_NUMBER, RequestBody
from backend.models import Notice, NoticeAddress, NoticeAttempt
from backend.notices.destination import place_of
from backend.words import N_, Said

NoticeKind = Literal["batch.finished", "gate.decided", "job.failed", "record.sent_back"]
NOTICE_KINDS: tuple[NoticeKind, ...] = get_args(NoticeKind)
TEST = "test"
"""The kind of what a lead sends to try a receiver."""
KIND_WORDS = {
    "batch.finished": N_("Batch finished"),
    "gate.decided": N_("Model version promoted or kept back"),
    "job.failed": N_("Job failed"),
    "record.sent_back": N_("Record sent back to an annotator"),
    TEST: N_("Test notice"),
}
DELIVER = "notices.deliver"
LONGEST_URL = 2_000
LONGEST_NAME = 200


class AddressCreate(RequestBody):
    """A new receiver of notices."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Data team's channel",
                    "url": "https://hooks.example.org/assay",
                    "kinds": ["batch.finished", "job.failed"],
                }
            ]
        }
    )

    name: str = Field(min_length=1, max_length=LONGEST_NAME, description="what it is called here")
    url: str = Field(min_length=1, max_length=LONGEST_URL, description="https, with a public host")
    kinds: list[NoticeKind] = Field(min_length=1, max_length=len(NOTICE_KINDS))
    project_id: int | None = Field(
        None, ge=1, le=LARGEST_NUMBER, description="of this project; none: of all"
    )


class AddressPublic(BaseModel):
    """A receiver of notices; its secret and the path of its URL are not shown again."""

    id: int
    name: str
    place: str = Field(description="its host", examples=["https://hooks.example.org/…"])
    kinds: list[str]
    project_id: int | None = Field(description="none: told of all projects")
    is_active: bool
    failures: int = Field(description="attempts without success since the last one")
    note: Said | None = Field(description="why it was deactivated")
    created_by: str
    created_at: datetime

    @classmethod
    def of(cls, row: NoticeAddress) -> "AddressPublic":
        """The row without what is secret."""
        return cls(
            place=place_of(row.url),
            **row.model_dump(include=set(cls.model_fields) - {"place"}),
        )


class NewAddress(AddressPublic):
    """The answer to its creation, and the only one that has the secret."""

    secret: str = Field(description="signs what is sent; shown this once")


class AttemptPublic(BaseModel):
    """One time that a notice was sent, and the answer."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    seconds: float
    status: int | None = Field(description="HTTP status; none: no answer came")
    answer: str = Field(description="the first bytes of the answer's body")
    error: Said | None = Field(description="why it counts as failed")


class NoticePublic(BaseModel):
    """One thing that one receiver is told."""

    id: str
    address_id: int
    project_id: int | None
    kind: str
    said: Said
    body: dict[str, Any] = Field(description="what is sent")
    status: Literal["open", "delivered", "given_up"]
    next_attempt_at: datetime | None
    created_at: datetime
    attempts: list[AttemptPublic] = Field(description="newest first")

    @classmethod
    def of(cls, row: Notice, attempts: Sequence[NoticeAttempt]) -> "NoticePublic":
        """The row and what came of it."""
        tried = [AttemptPublic.model_validate(each) for each in attempts]
        return cls(attempts=tried, **row.model_dump(include=set(cls.model_fields) - {"attempts"}))
