"""Datasets keep the types of their fields, imports how their source was read.

Revision: 0013
After: 0012
Made: 2026-12-01 13:00:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from backend.models import columns

revision: str = '0013'
down_revision: str | Sequence[str] | None = '0012'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

DATASETS = sa.table('dataset', sa.column('types', columns.Json()))


def upgrade() -> None:
    with op.batch_alter_table('dataset', schema=None) as batch_op:
        batch_op.add_column(sa.Column('types', columns.Json(), nullable=True))
    op.execute(sa.update(DATASETS).values(types={}))
    with op.batch_alter_table('dataset', schema=None) as batch_op:
        batch_op.alter_column('types', existing_type=columns.Json(), nullable=False)
    with op.batch_alter_table('import', schema=None) as batch_op:
        batch_op.add_column(sa.Column('understood', columns.Json(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('import', schema=None) as batch_op:
        batch_op.drop_column('understood')
    with op.batch_alter_table('dataset', schema=None) as batch_op:
        batch_op.drop_column('types')
