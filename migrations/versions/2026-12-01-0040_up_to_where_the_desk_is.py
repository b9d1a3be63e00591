"""Projects keep up to where their consensus labels and cases are, and the model they go by.

Revision: 0010
After: 0009
Made: 2026-12-01 00:40:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from backend.models import columns

revision: str = '0010'
down_revision: str | Sequence[str] | None = '0009'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        'consensus_state',
        sa.Column('project_id', columns.RowId(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('marks', columns.Json(), nullable=True),
        sa.Column('model', columns.Json(), nullable=True),
        sa.Column('fitted', columns.Json(), nullable=True),
        sa.ForeignKeyConstraint(
            ['project_id'], ['project.id'], name=op.f('fk_consensus_state_project_id_project')
        ),
        sa.PrimaryKeyConstraint('project_id', name=op.f('pk_consensus_state')),
    )
    with op.batch_alter_table('consensus_label', schema=None) as batch_op:
        batch_op.add_column(sa.Column('answers_wanted', sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('consensus_label', schema=None) as batch_op:
        batch_op.drop_column('answers_wanted')
    op.drop_table('consensus_state')
