"""What a decision has seen is kept with it, so that anything else reopens its case.

Earlier decisions have nothing there: a case decided while its record had changed already is shown
once more.

Revision: 0006
After: 0005
Made: 2026-11-30 23:30:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from backend.models import columns

revision: str = '0006'
down_revision: str | Sequence[str] | None = '0005'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table('decision', schema=None) as batch_op:
        batch_op.add_column(sa.Column('seen', columns.Json(), nullable=True))
    op.execute("UPDATE decision SET seen = '[]'")
    with op.batch_alter_table('decision', schema=None) as batch_op:
        batch_op.alter_column('seen', existing_type=columns.Json(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table('decision', schema=None) as batch_op:
        batch_op.drop_column('seen')
