"""Model versions and promotions as the API shows them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from backend.core.request_body import RequestBody, RowNumber
from backend.words import WithReason


class ModelVersionPublic(BaseModel):
    """One trained classifier."""

    id: int
    number: int
    parent_id: int | None
    fingerprint: str
    encoder: str
    training_labels: int
    audit_labels: int
    metrics: dict[str, Any]
    created_at: datetime


class PromotionPublic(WithReason):
    """One decision about the champion."""

    id: int
    kind: str
    model_version_id: int
    challenger_id: int | None
    previous_id: int | None
    evidence: dict[str, Any]
    decided_by: str
    created_at: datetime


class RollbackRequest(RequestBody):
    """A request to make an earlier model version champion again."""

    number: RowNumber = Field(ge=1, description="number of the model version", examples=[2])
    reason: str = Field(min_length=3, examples=["Version 3 grades Chinese reviews too low."])
