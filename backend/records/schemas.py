"""Datasets and records as callers give them and as the API shows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from backend.core.request_body import RequestBody
from backend.records.content import Value, content_hash


class DatasetCreate(RequestBody):
    """A new, empty dataset."""

    name: str = Field(min_length=1, max_length=200, examples=["shop-products"])
    kind: str = Field("record", min_length=1, max_length=50, examples=["product"])
    fields: list[str] = Field(
        default_factory=list,
        description="field names in display order; an import adds what it finds",
        examples=[["title", "price", "brand"]],
    )


class DatasetPublic(BaseModel):
    """A named set of records that share their fields."""

    id: int
    name: str
    kind: str
    fields: list[str]
    records: int = Field(description="current records; earlier versions are not counted")
    created_at: datetime


class RecordPublic(BaseModel):
    """One version of one governed row."""

    id: int
    external_id: str
    kind: str
    fields: dict[str, Any]
    source: str
    observed_at: datetime | None
    is_current: bool
    content_hash: str
    created_at: datetime


class RecordPage(BaseModel):
    """Some records in id order; ask again with ``after`` for the next ones."""

    records: list[RecordPublic]
    after: int | None = Field(description="pass this to get the next page; none: the last one")


@dataclass(frozen=True, slots=True)
class RecordCreate:
    """One governed row on its way into the store."""

    external_id: str
    kind: str
    fields: Mapping[str, Value]
    source: str
    observed_at: datetime | None = None
    content_hash: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "content_hash", content_hash(self.kind, self.fields))


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    """What became of the rows of one upsert."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
