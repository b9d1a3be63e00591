"""Annotators say whether they are simulated; those of earlier demos are.

Revision: 0011
After: 0010
Made: 2026-12-01 12:00:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from backend.models import columns

revision: str = '0011'
down_revision: str | Sequence[str] | None = '0010'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ANNOTATORS = sa.table(
    'annotator',
    sa.column('id', columns.RowId()),
    sa.column('email', sa.String()),
    sa.column('is_simulated', sa.Boolean()),
)


def upgrade() -> None:
    with op.batch_alter_table('annotator', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('is_simulated', sa.Boolean(), nullable=False, server_default=sa.false())
        )
    op.execute(
        sa.update(ANNOTATORS)
        .where(ANNOTATORS.c.email.like('%@annotators.example.com'))
        .values(is_simulated=True)
    )
    with op.batch_alter_table('annotator', schema=None) as batch_op:
        batch_op.alter_column('is_simulated', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('annotator', schema=None) as batch_op:
        batch_op.drop_column('is_simulated')
