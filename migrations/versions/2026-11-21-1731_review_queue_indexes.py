"""Reasons of cases carry project and state; indexes that answer the review queue alone.

Stores that early builds brought to 0004 lack them; those that later ones did have them already.

Revision: 0005
After: 0004
Made: 2026-11-21 17:31:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from backend.models import columns

revision: str = '0005'
down_revision: str | Sequence[str] | None = '0004'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    held = {column['name'] for column in sa.inspect(op.get_bind()).get_columns('case_reason')}
    if 'state' in held:
        return
    with op.batch_alter_table('case_reason', schema=None) as batch_op:
        batch_op.drop_index('ix_case_reason_code')
        batch_op.add_column(sa.Column('project_id', columns.RowId(), nullable=True))
        batch_op.add_column(sa.Column('state', sa.String(length=20), nullable=True))
    for name in ('project_id', 'state'):
        op.execute(
            f"UPDATE case_reason SET {name} = (SELECT review_case.{name} FROM review_case "
            "WHERE review_case.id = case_reason.case_id)"
        )
    with op.batch_alter_table('case_reason', schema=None) as batch_op:
        batch_op.alter_column('project_id', existing_type=columns.RowId(), nullable=False)
        batch_op.alter_column('state', existing_type=sa.String(length=20), nullable=False)
        batch_op.create_index('ix_case_reason_code', ['project_id', 'state', 'code', 'case_id'], unique=False)
    with op.batch_alter_table('review_case', schema=None) as batch_op:
        batch_op.drop_index('ix_review_case_queue')
        batch_op.create_index('ix_review_case_queue', ['project_id', 'state', 'priority', 'id', 'task_id'], unique=False)
        batch_op.create_index('ix_review_case_kind', ['project_id', 'kind', 'state'], unique=False)
    op.create_index('ix_annotation_annotator', 'annotation', ['annotator_id', 'task_id'])


def downgrade() -> None:
    """Nothing: 0004 leaves the store with all of it, and takes it away itself."""
