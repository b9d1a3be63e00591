"""Pages of records in id order, without sorting what is left of the dataset.

Revision: 0002
After: 0001
Made: 2026-11-21 06:42:00+00:00
"""

from collections.abc import Sequence

from alembic import op

revision: str = '0002'
down_revision: str | Sequence[str] | None = '0001'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index('ix_record_page', 'record', ['dataset_id', 'id'])


def downgrade() -> None:
    op.drop_index('ix_record_page', table_name='record')
