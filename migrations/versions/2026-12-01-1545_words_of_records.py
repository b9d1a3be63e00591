"""The words of current records, an index of them, and up to where it goes.

Revision: 0015
After: 0014
Made: 2026-12-01 15:45:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from backend.models import columns

revision: str = '0015'
down_revision: str | Sequence[str] | None = '0014'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SQLITE = (
    "CREATE VIRTUAL TABLE record_words USING fts5("
    "words, content='record_text', content_rowid='record_id', tokenize='ascii', "
    "detail=none, columnsize=0)",
    "CREATE TRIGGER record_text_added AFTER INSERT ON record_text BEGIN "
    "INSERT INTO record_words(rowid, words) VALUES (new.record_id, new.words); END",
    "CREATE TRIGGER record_text_gone AFTER DELETE ON record_text BEGIN "
    "INSERT INTO record_words(record_words, rowid, words) "
    "VALUES ('delete', old.record_id, old.words); END",
)
POSTGRES = (
    'ALTER TABLE record_text ALTER COLUMN words SET STORAGE EXTERNAL',
    'ALTER TABLE record_text SET (toast_tuple_target = 128)',
    'CREATE INDEX ix_record_text_words ON record_text USING gin '
    "(array_to_tsvector(string_to_array(btrim(words), ' ')))",
)


def upgrade() -> None:
    op.create_table(
        'record_text',
        sa.Column('record_id', columns.RowId(), autoincrement=False, nullable=False),
        sa.Column('dataset_id', columns.RowId(), nullable=False),
        sa.Column('digest', columns.RowId(), nullable=False),
        sa.Column('words', sa.String(), nullable=False),
        sa.PrimaryKeyConstraint('record_id', name=op.f('pk_record_text')),
    )
    op.create_index(
        'ix_record_text_versions', 'record_text', ['dataset_id', 'record_id', 'digest']
    )
    op.create_table(
        'record_index_state',
        sa.Column('dataset_id', columns.RowId(), autoincrement=False, nullable=False),
        sa.Column('text_generation', columns.RowId(), nullable=True),
        sa.Column('columns_generation', columns.RowId(), nullable=True),
        sa.Column('folder', sa.String(length=100), nullable=True),
        sa.Column('indexed_at', columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['dataset_id'], ['dataset.id'], name=op.f('fk_record_index_state_dataset_id_dataset')
        ),
        sa.PrimaryKeyConstraint('dataset_id', name=op.f('pk_record_index_state')),
    )
    is_sqlite = op.get_bind().dialect.name == 'sqlite'
    for statement in SQLITE if is_sqlite else POSTGRES:
        op.execute(sa.text(statement.replace(':', '\\:')))


def downgrade() -> None:
    op.drop_table('record_index_state')
    if op.get_bind().dialect.name == 'sqlite':
        op.execute('DROP TABLE record_words')
    op.drop_table('record_text')
