"""What is searched of current records, and up to where that is known."""

from datetime import datetime

from sqlalchemy import DDL, Index, event
from sqlmodel import Field, SQLModel

from backend.models.columns import RowId, UtcDateTime

TERMS = "array_to_tsvector(string_to_array(btrim(words), ' '))"
"""What PostgreSQL's index is of: the words as they are, without a dictionary of its own."""

SQLITE_WORDS = (
    # Only blanks divide what has been divided already: beyond ASCII this tokenizer knows nothing.
    "CREATE VIRTUAL TABLE record_words USING fts5("
    "words, content='record_text', content_rowid='record_id', tokenize='ascii', "
    "detail=none, columnsize=0)",
    "CREATE TRIGGER record_text_added AFTER INSERT ON record_text BEGIN "
    "INSERT INTO record_words(rowid, words) VALUES (new.record_id, new.words); END",
    "CREATE TRIGGER record_text_gone AFTER DELETE ON record_text BEGIN "
    "INSERT INTO record_words(record_words, rowid, words) "
    "VALUES ('delete', old.record_id, old.words); END",
)
POSTGRES_WORDS = (
    # Words lie beside the table: what is found by the index is read without them.
    "ALTER TABLE record_text ALTER COLUMN words SET STORAGE EXTERNAL",
    "ALTER TABLE record_text SET (toast_tuple_target = 128)",
    f"CREATE INDEX ix_record_text_words ON record_text USING gin ({TERMS})",
)


def is_of_models(name: str | None, _kind: str, _parents: object) -> bool:
    """False for what the indexes of words are made of: no model knows that."""
    return name is None or not name.startswith(("record_words", "ix_record_text_words"))


class RecordText(SQLModel, table=True):
    """The words of one current record, in the form in which they are searched.

    Rows are added and deleted, never changed. They refer to no table: those of a dataset that is
    gone are deleted in turns, after it.
    """

    __tablename__ = "record_text"
    __table_args__ = (Index("ix_record_text_versions", "dataset_id", "record_id", "digest"),)

    record_id: int = Field(
        primary_key=True, sa_type=RowId, sa_column_kwargs={"autoincrement": False}
    )
    dataset_id: int = Field(sa_type=RowId)
    digest: int = Field(sa_type=RowId, description="of the record's content and of our rules")
    words: str = Field(description="with blanks between them, before the first and after the last")


class RecordIndexState(SQLModel, table=True):
    """Up to which generation of a dataset its records can be searched and filtered."""

    __tablename__ = "record_index_state"

    dataset_id: int = Field(
        primary_key=True,
        foreign_key="dataset.id",
        sa_type=RowId,
        sa_column_kwargs={"autoincrement": False},
    )
    text_generation: int | None = Field(default=None, sa_type=RowId)
    columns_generation: int | None = Field(default=None, sa_type=RowId)
    folder: str | None = Field(default=None, max_length=100, description="of the columns")
    indexed_at: datetime = Field(sa_type=UtcDateTime)


_table = RecordText.metadata.tables["record_text"]
for _dialect, _statements in (("sqlite", SQLITE_WORDS), ("postgresql", POSTGRES_WORDS)):
    for _statement in _statements:
        _made = DDL(_statement).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call]
        event.listen(_table, "after_create", _made)
