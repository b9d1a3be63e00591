"""One value that may be chosen: its rules, its titles."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError

from labeling.declaration import broken_rule
from labeling.shown_text import check_shown
from labeling.words import Words

Dimension = Literal[
    "completeness",
    "accuracy",
    "consistency",
    "timeliness",
    "validity",
    "uniqueness",
    "security",
]


class SchemaPart(BaseModel):
    """A part of a label schema: no key that is not known, nothing changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


STORED = "is_stored"
"""Key of the validation context: the schema is in use, so rules made since do not refuse it."""
LONGEST_ISSUE = 74
"""Characters of an issue's value: with ``issue:`` before it the store keeps it in 80."""


def new_rule(check: Callable[[str], PydanticCustomError | None]) -> AfterValidator:
    """A rule about texts that schemas in use may break."""

    def check_new(text: str, info: ValidationInfo) -> str:
        refused = None if (info.context or {}).get(STORED) else check(text)
        if refused:
            raise refused
        return text

    return AfterValidator(check_new)


Shown = Annotated[str, new_rule(check_shown)]


class Choice(SchemaPart):
    """One value that may be chosen, with its titles for people; a text alone is its value."""

    value: Shown = Field(min_length=1, max_length=100)
    en: Shown | None = None
    zh: Shown | None = None

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        described = handler(core_schema)
        held = handler.resolve_ref_schema(described)
        mapping = dict(held)
        held.clear()
        held["anyOf"] = [{**mapping["properties"]["value"], "title": mapping["title"]}, mapping]
        return described

    @model_validator(mode="before")
    @classmethod
    def from_text(cls, declared: object) -> object:
        """``good`` stands for ``{value: good}``."""
        is_alone = declared is None or isinstance(declared, str | bool | int | float | date)
        return {"value": declared} if is_alone else declared

    @property
    def title(self) -> str:
        """English and Chinese title on one line."""
        return " ".join(part for part in (self.en or self.value, self.zh) if part)


class Issue(Choice):
    """One kind of fault, the quality dimension it hurts, and where it can occur."""

    dimension: Dimension = "accuracy"
    fields: tuple[str, ...] | None = Field(None, description="empty: any field")

    @field_validator("value")
    @classmethod
    def check_length(cls, value: str, info: ValidationInfo) -> str:
        if len(value) > LONGEST_ISSUE and not (info.context or {}).get(STORED):
            raise broken_rule(
                Words("has {size} characters", size=len(value)),
                Words(
                    "Write at most {most}; the titles, 'en' and 'zh', may be longer.",
                    most=LONGEST_ISSUE,
                ),
            )
        return value
