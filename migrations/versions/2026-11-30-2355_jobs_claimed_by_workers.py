"""Workers claim job rows themselves, and show by a lock that they live.

What an engine of its own had of a job is forgotten: unfinished jobs are claimed anew, those that
were running as soon as their worker starts again or is found dead.

Revision: 0008
After: 0007
Made: 2026-11-30 23:30:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from backend.models import columns

revision: str = '0008'
down_revision: str | Sequence[str] | None = '0007'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.drop_column('handed_over_at')
        batch_op.drop_column('generation')
    with op.batch_alter_table('worker', schema=None) as batch_op:
        batch_op.drop_column('seen_at')


def downgrade() -> None:
    with op.batch_alter_table('worker', schema=None) as batch_op:
        batch_op.add_column(sa.Column('seen_at', columns.UtcDateTime(), nullable=True))
    op.execute('UPDATE worker SET seen_at = started_at')
    with op.batch_alter_table('worker', schema=None) as batch_op:
        batch_op.alter_column('seen_at', existing_type=columns.UtcDateTime(), nullable=False)
    # A generation above any that the engine saw: it takes every unfinished job as a new one.
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.add_column(sa.Column('generation', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('handed_over_at', columns.UtcDateTime(), nullable=True))
    op.execute('UPDATE job SET generation = 1000 + attempt')
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.alter_column('generation', existing_type=sa.Integer(), nullable=False)
