"""Differences, as the command and the API show them."""

from pydantic import BaseModel, Field

from backend.words import Said


class Difference(BaseModel):
    """One place where two things that must be equal are not."""

    kind: str = Field(examples=["annotation_missing"])
    subject: Said = Field(examples=["annotation 812 of task 40"])
    store: Said | None = Field(None, description="what the store says")
    label_studio: Said | None = Field(None, description="what Label Studio says")
    remedy: Said


class VerificationReport(BaseModel):
    """What was compared and every difference found."""

    project_id: int
    project: str
    tasks_compared: int = 0
    annotations_compared: int = 0
    revisions_checked: int = 0
    model_versions_checked: int = 0
    differences: list[Difference] = Field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        """True if no difference was found."""
        return not self.differences
