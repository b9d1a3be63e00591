"""Findings keep what the classifier thought of each grade; their reasons name no probability.

Revision: 0014
After: 0013
Made: 2026-12-01 15:00:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from backend.models import columns

revision: str = '0014'
down_revision: str | Sequence[str] | None = '0013'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

FINDINGS = sa.table(
    'label_finding',
    sa.column('grade_probabilities', columns.Json()),
    sa.column('reason', sa.Text()),
)
TOLD = (
    (', {wrong:.0f} % likely wrong; ', '; '),
    (' stands: {wrong:.0f} % likely wrong', ' stands'),
)


def upgrade() -> None:
    with op.batch_alter_table('label_finding', schema=None) as batch_op:
        batch_op.add_column(sa.Column('grade_probabilities', columns.Json(), nullable=True))
    op.execute(sa.update(FINDINGS).values(grade_probabilities={}))
    for before, after in TOLD:
        reason = FINDINGS.c.reason
        op.execute(sa.update(FINDINGS).values(reason=sa.func.replace(reason, before, after)))
    with op.batch_alter_table('label_finding', schema=None) as batch_op:
        batch_op.alter_column(
            'grade_probabilities', existing_type=columns.Json(), nullable=False
        )


def downgrade() -> None:
    with op.batch_alter_table('label_finding', schema=None) as batch_op:
        batch_op.drop_column('grade_probabilities')
