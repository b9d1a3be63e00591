"""What is told of an index, and its job's name."""

from pydantic import BaseModel, Field

INDEX_JOB = "records.index"
"""Args: ``dataset_id``; without it, every dataset whose index is behind."""


class IndexState(BaseModel):
    """Up to where a dataset's current records can be searched and filtered."""

    text_generation: int | None = Field(description="of the words; none before there are any")
    columns_generation: int | None = Field(description="of the columns")
    records: int = Field(description="rows of the columns; 0 before there are any")
    is_current: bool = Field(description="both are of the dataset's generation")
    progress: float | None = Field(description="of the job that is under way or waits; 0 to 1")
