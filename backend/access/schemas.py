"""Users and API keys as they are asked for and shown."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from backend.core.request_body import RequestBody
from backend.core.security import KeyRole, UserRole
from backend.models import ApiKey, User

EMAIL_PATTERN = r"^\s*[^@\s]+@[^@\s]+\s*$"
"""Chosen: what is surely no address is refused, and nothing else. Blanks around it do not count."""


class UserPublic(BaseModel):
    """A user without the password hash."""

    id: int
    email: str = Field(examples=["ana@example.org"])
    role: UserRole
    is_disabled: bool
    created_at: datetime

    @classmethod
    def of(cls, user: User) -> Self:
        """What may be shown of ``user``."""
        return cls.model_validate(user, from_attributes=True)


class ApiKeyPublic(BaseModel):
    """An API key without the key."""

    id: int
    name: str = Field(examples=["nightly import"])
    prefix: str = Field(examples=["assay_3kQd"])
    role: KeyRole
    created_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """What may be shown of ``key``."""
        return cls.model_validate(key, from_attributes=True)


class NewApiKey(ApiKeyPublic):
    """An API key on the one occasion when the key itself is known."""

    key: str = Field(description="shown once; only its hash is kept")


class KeyCreate(RequestBody):
    """A request for a new API key."""

    name: str = Field(min_length=1, max_length=200, examples=["nightly import"])
    role: KeyRole = Field(examples=["service"])


class UserCreate(RequestBody):
    """A request for a new user of the pages."""

    email: str = Field(max_length=320, pattern=EMAIL_PATTERN, examples=["ana@example.org"])
    role: UserRole = Field(examples=["annotator"])
    password: str = Field(min_length=10, max_length=200)


class UserChange(RequestBody):
    """What to change about a user; what is left out stays."""

    role: UserRole | None = Field(None, examples=["reviewer"])
    is_disabled: bool | None = Field(None, description="true also ends every login")
