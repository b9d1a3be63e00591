"""Saved views and what is sent on, as the API takes and shows them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.core.request_body import RequestBody, RowNumber
from backend.scoring.verdict_filter import VerdictFilter

MOST_QUERY = 8_000
"""Characters of an address that browsers and proxies pass on."""
ViewName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"\S")]


class SavedViewPublic(BaseModel):
    """A choice of records under a name."""

    id: int
    name: str
    query: str = Field(examples=["grade=poor&sort=doubt"])
    address: str = Field(description="of the page that shows it; it can be sent to others")
    owner: str
    is_shared: bool
    may_change: bool = Field(description="whether whoever asks may rename and delete it")
    created_at: datetime


class SavedViewCreate(RequestBody):
    """A view to be kept."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Doubtful prices", "query": "faulty_field=price&sort=doubt"}]
        }
    )

    name: ViewName
    query: str = Field(
        "", max_length=MOST_QUERY, description="filters and sort of the records page's address"
    )
    is_shared: bool = Field(False, description="everybody who reads the project sees it")


class SavedViewChange(RequestBody):
    """What shall be otherwise; what is left out stays."""

    name: ViewName | None = None
    query: str | None = Field(None, max_length=MOST_QUERY)
    is_shared: bool | None = None


class RecordConditions(VerdictFilter, RequestBody):
    """Which records: those that match all of it; ``record_id`` names single ones."""


class SendingRequest(RequestBody):
    """Records to be sent on."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"filter": {"grade": ["poor"], "risk_from": 0.9}}]}
    )

    filter: RecordConditions
    sending: str = Field(
        "",
        max_length=64,
        pattern="^[0-9A-Za-z_-]*$",
        description="names this request: sent twice under one name, it is done once",
    )


class ChosenBatchPublic(BaseModel):
    """Chosen records on their way to be labelled."""

    sending: str
    batch_id: int
    records: int = Field(description="that people will be asked about")
    tasked: int = Field(description="left out: people are or were asked about them")
    outdated: int = Field(description="left out: changed since, or gone")
    machine: int = Field(description="of ``records``, those whose machine label counts no more")


class SentCasesPublic(BaseModel):
    """Labels on their way to the review desk."""

    sending: str
    labels: int = Field(description="that will have a case")
    unanswered: list[RowNumber] = Field(description="records left out: nobody has answered yet")
    on_desk: int = Field(description="left out: sent before and not decided yet")


class TakenBack(BaseModel):
    """What is as if it had not been sent."""

    records: int
