"""Which verdicts somebody wants to see, in which order."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from backend.scoring.verdict_labels import Source

Operator = Literal["=", ">=", "<="]
OPERATORS: tuple[Operator, ...] = (">=", "<=", "=")
Probability = Annotated[float, Field(ge=0, le=1)]
SORTS = ("risk", "doubt", "confidence", "newest", "id")
OF_COLUMN = "field:"


class VerdictFilter(BaseModel):
    """Conditions that all hold; of one with several values any does."""

    text: str | None = Field(
        None,
        max_length=1_000,
        description='words that the record has; "several together", -without',
        examples=["mug blue"],
    )
    grade: list[str] = Field(
        default_factory=list, max_length=100, description="the verdict's", examples=[["poor"]]
    )
    label: list[str] = Field(
        default_factory=list, max_length=100, description="the grade that counts"
    )
    issue: list[str] = Field(
        default_factory=list, max_length=100, description="more probable than not"
    )
    faulty_field: list[str] = Field(
        default_factory=list, max_length=100, description="more probably faulty than not"
    )
    source: list[Source] = Field(default_factory=list, max_length=4, description="what counts")
    kind: list[str] = Field(default_factory=list, max_length=100)
    import_id: list[int] = Field(default_factory=list, max_length=100)
    confidence_from: Probability = 0.0
    confidence_to: Probability = 1.0
    risk_from: Probability = 0.0
    risk_to: Probability = 1.0
    disagreement: bool | None = Field(
        None, description="whether people gave another grade than the verdict"
    )
    where: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="FIELD=value, FIELD>=value, FIELD<=value; FIELD= for a missing value",
        examples=[["brand=Acme", "price>=5"]],
    )
    record_id: list[int] = Field(default_factory=list, max_length=10_000)
    selection: str | None = Field(
        None, pattern="^[0-9a-f]{16}$", description="records chosen on the map, by their key"
    )

    @property
    def reads_columns(self) -> bool:
        """Whether the records' own columns are asked."""
        return bool(self.kind or self.import_id or self.where)


class VerdictOrder(BaseModel):
    """In which order, and from where on."""

    sort: str = Field(
        "risk",
        max_length=600,
        description="risk, doubt, confidence, newest, id or field:NAME, largest first; with a "
        "leading - the smallest first",
        examples=["risk"],
    )

    @property
    def is_reversed(self) -> bool:
        """Smallest first."""
        return self.sort.startswith("-")

    @property
    def by(self) -> str:
        """What is compared."""
        return self.sort.removeprefix("-")

    @property
    def field(self) -> str | None:
        """The field whose values are compared; None where it is none."""
        return self.by.removeprefix(OF_COLUMN) if self.by.startswith(OF_COLUMN) else None


@dataclass(frozen=True)
class ColumnCondition:
    """What the value of a column is to be."""

    field: str
    operator: Operator
    value: str

    @classmethod
    def parse(cls, text: str, fields: tuple[str, ...]) -> "ColumnCondition | None":
        """The condition; None where it names no such field or no operator.

        Names may hold operators themselves: the longest name that fits is meant.
        """
        for name in sorted(fields, key=len, reverse=True):
            rest = text.removeprefix(name)
            if rest == text:
                continue
            for operator in OPERATORS:
                if rest.startswith(operator):
                    return cls(name, operator, rest.removeprefix(operator))
        return None
