"""What people keep of the explorer."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.models.columns import RowId, UtcDateTime, row_id


class SavedView(SQLModel, table=True):
    """A choice of records under a name: an address's query."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("project_id", "owner", "name"),)

    id: int = row_id()
    project_id: int = Field(foreign_key="project.id", sa_type=RowId)
    name: str = Field(max_length=100)
    query: str = Field(max_length=8_000, description="of the address, without a question mark")
    owner: str = Field(max_length=320, description="who made it")
    is_shared: bool = Field(description="everybody in the project sees it")
    created_at: datetime = Field(sa_type=UtcDateTime)
