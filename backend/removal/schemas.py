"""What a removal takes away, told before it is done."""

from typing import Literal

from pydantic import BaseModel, Field

CLEAN_UP = "removal.clean_up"
"""The job that deletes files, and the project in Label Studio."""
STRIP_FIELD = "removal.strip_field"
"""The job that takes a field's values out of the records."""

LabelStudioFate = Literal["keep", "delete"]


class ProjectRemoval(BaseModel):
    """A project and what goes with it; the dataset and its records stay."""

    project: str
    dataset: str
    label_studio_project_id: int | None
    tasks: int
    answered_records: int = Field(description="records that somebody answered about")
    annotations: int = Field(description="answers, each revision counted")
    consensus_labels: int
    decisions: int = Field(description="what people decided on the review desk")
    machine_labels: int
    guideline_versions: int
    model_versions: int
    open_jobs: int = Field(description="they are cancelled")
    bytes: int = Field(description="of its model files")


class DatasetRemoval(BaseModel):
    """A dataset and what goes with it."""

    dataset: str
    records: int
    versions: int = Field(description="of all records, the current ones too")
    imports: int
    bytes: int = Field(description="of files made for it")


class FieldRemoval(BaseModel):
    """A field of a dataset; earlier versions of records keep its values."""

    dataset: str
    field: str
    records: int = Field(description="current records that have a value for it")
