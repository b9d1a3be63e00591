"""Guidelines as they are written, shown and compared."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from backend.core.request_body import RequestBody, RowNumber
from backend.models import Guideline

LONGEST_TEXT = 50_000
"""Characters. Chosen: some twenty pages; nobody reads more before labelling."""
LONGEST_RULE = 5_000
"""Chosen: two pages."""
MOST_RULES = 100
"""Chosen: more cannot be kept in mind."""

SubjectKind = Literal["grade", "issue", "field"]


class Rule(RequestBody):
    """One rule of a guideline; a decision names it where it was unclear."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(min_length=1, max_length=100, examples=["which duplicate stays"])
    about: str = Field(
        "", max_length=100, description="an issue, a grade or a field of the project, or empty"
    )
    text: str = Field("", max_length=LONGEST_RULE, description="English, Markdown")
    text_zh: str = Field("", max_length=LONGEST_RULE, description="Chinese, Markdown")


class GuidelineText(BaseModel):
    """What a version of a guideline says."""

    model_config = ConfigDict(frozen=True)

    text: str = Field("", max_length=LONGEST_TEXT, description="English, Markdown")
    text_zh: str = Field("", max_length=LONGEST_TEXT, description="Chinese, Markdown")
    rules: list[Rule] = Field(default_factory=list, max_length=MOST_RULES)

    @field_validator("rules")
    @classmethod
    def name_rules_apart(cls, rules: list[Rule]) -> list[Rule]:
        names = [rule.name for rule in rules]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"two rules are called {repeated[0]!r}; a name finds one rule")
        return rules

    @property
    def says(self) -> "GuidelineText":
        """Only what it says."""
        return GuidelineText(text=self.text, text_zh=self.text_zh, rules=self.rules)


class GuidelineDraft(RequestBody, GuidelineText):
    """A new version, and the version that its author had read."""

    based_on: RowNumber = Field(ge=1, description="newest version when the author began")
    change: str = Field(min_length=3, max_length=500, description="what is new and why")


class GuidelineSummary(BaseModel):
    """A version without its text."""

    version: int
    change: str
    author: str = Field(examples=["ana@example.org"])
    created_at: datetime
    published_at: datetime | None = Field(description="when it was last published")
    is_current: bool = Field(description="the one that annotators are shown")


class GuidelinePublic(GuidelineSummary, GuidelineText):
    """A version of a project's guideline."""

    project_id: int

    @classmethod
    def of(cls, row: Guideline, *, is_current: bool) -> Self:
        """What ``row`` says."""
        values: dict[str, Any] = row.model_dump(exclude={"id"})
        return cls(**values, is_current=is_current)


@dataclass(frozen=True, slots=True)
class Given:
    """What one person says about one record now; somebody unknown is one person an annotation."""

    record: int
    who: int | str
    is_skip: bool
    grade: str | None
    issues: tuple[str, ...]
    faulty_fields: tuple[str, ...]


class DisagreementRate(BaseModel):
    """A share of pairs of answers with its 95 % interval."""

    value: float
    low: float
    high: float


class RuleInDoubt(BaseModel):
    """A rule that is about a subject, and how many decisions named it as unclear."""

    name: str
    decisions: int


class Disagreement(BaseModel):
    """How often two people who answered the same record differ about one value.

    ``pairs`` counts pairs of answers to one record of which at least one says the value,
    ``differing`` those of which only one does.
    """

    kind: SubjectKind
    value: str = Field(examples=["duplicate"])
    title: str
    title_zh: str
    pairs: int
    differing: int
    rate: DisagreementRate | None = Field(description="empty without pairs")
    rules: list[RuleInDoubt] = Field(description="empty: no rule is about it yet")


class DisagreementReport(BaseModel):
    """What people disagree about, the surest disagreement first."""

    records: int = Field(description="answered by two people or more")
    items: list[Disagreement]
    rules: list[RuleInDoubt] = Field(
        description="every rule of the current guideline, and those that decisions named"
    )
