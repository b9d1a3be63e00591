"""Datasets count the changes of what is current; syncs keep the tasks that could not be read.

Revision: 0009
After: 0008
Made: 2026-12-01 00:10:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from backend.models import columns

revision: str = '0009'
down_revision: str | Sequence[str] | None = '0008'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table('dataset', schema=None) as batch_op:
        batch_op.add_column(sa.Column('generation', columns.RowId(), nullable=True))
    # Largest record id: what stood in keys of jobs and decisions so far, so that they stay the same.
    op.execute(
        'UPDATE dataset SET generation = COALESCE((SELECT MAX(record.id) FROM record '
        'WHERE record.dataset_id = dataset.id), 0)'
    )
    with op.batch_alter_table('dataset', schema=None) as batch_op:
        batch_op.alter_column('generation', existing_type=columns.RowId(), nullable=False)
    with op.batch_alter_table('sync_cursor', schema=None) as batch_op:
        batch_op.add_column(sa.Column('unreadable', columns.Json(), nullable=True))
    op.execute("UPDATE sync_cursor SET unreadable = '[]'")
    with op.batch_alter_table('sync_cursor', schema=None) as batch_op:
        batch_op.alter_column('unreadable', existing_type=columns.Json(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table('sync_cursor', schema=None) as batch_op:
        batch_op.drop_column('unreadable')
    with op.batch_alter_table('dataset', schema=None) as batch_op:
        batch_op.drop_column('generation')
