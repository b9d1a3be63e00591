"""Receivers of notices, notices and their attempts; batches say when they were finished.

Revision: 0017
After: 0016
Made: 2026-12-01 17:00:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from backend.models import columns

revision: str = '0017'
down_revision: str | Sequence[str] | None = '0016'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table('batch', schema=None) as batch_op:
        batch_op.add_column(sa.Column('finished_at', columns.UtcDateTime(), nullable=True))
    op.create_table(
        'notice_address',
        sa.Column('id', columns.RowId(), nullable=False),
        sa.Column('name', sa.String(length=200), nullable=False),
        sa.Column('url', sa.String(length=2000), nullable=False),
        sa.Column('secret', sa.String(length=100), nullable=False),
        sa.Column('project_id', columns.RowId(), nullable=True),
        sa.Column('kinds', columns.Json(), nullable=False),
        sa.Column('is_active', sa.Boolean(), nullable=False),
        sa.Column('failures', sa.Integer(), nullable=False),
        sa.Column('note', columns.StoredText(), nullable=True),
        sa.Column('created_by', sa.String(length=320), nullable=False),
        sa.Column('created_at', columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['project_id'], ['project.id'], name=op.f('fk_notice_address_project_id_project')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_notice_address')),
    )
    op.create_index(
        op.f('ix_notice_address_project_id'), 'notice_address', ['project_id'], unique=False
    )
    op.create_table(
        'notice',
        sa.Column('id', sa.String(length=64), nullable=False),
        sa.Column('address_id', columns.RowId(), nullable=False),
        sa.Column('project_id', columns.RowId(), nullable=True),
        sa.Column('kind', sa.String(length=50), nullable=False),
        sa.Column('said', columns.StoredText(), nullable=False),
        sa.Column('body', columns.Json(), nullable=False),
        sa.Column('status', sa.String(length=20), nullable=False),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.Column('next_attempt_at', columns.UtcDateTime(), nullable=True),
        sa.Column('created_at', columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ['address_id'], ['notice_address.id'], name=op.f('fk_notice_address_id_notice_address')
        ),
        sa.ForeignKeyConstraint(
            ['project_id'], ['project.id'], name=op.f('fk_notice_project_id_project')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_notice')),
    )
    op.create_index('ix_notice_due', 'notice', ['status', 'next_attempt_at'], unique=False)
    op.create_index(op.f('ix_notice_address_id'), 'notice', ['address_id'], unique=False)
    op.create_index(op.f('ix_notice_project_id'), 'notice', ['project_id'], unique=False)
    op.create_table(
        'notice_attempt',
        sa.Column('id', columns.RowId(), nullable=False),
        sa.Column('notice_id', sa.String(length=64), nullable=False),
        sa.Column('at', columns.UtcDateTime(), nullable=False),
        sa.Column('seconds', sa.Float(), nullable=False),
        sa.Column('status', sa.Integer(), nullable=True),
        sa.Column('answer', sa.String(), nullable=False),
        sa.Column('error', columns.StoredText(), nullable=True),
        sa.ForeignKeyConstraint(
            ['notice_id'], ['notice.id'], name=op.f('fk_notice_attempt_notice_id_notice')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_notice_attempt')),
    )
    op.create_index(
        op.f('ix_notice_attempt_notice_id'), 'notice_attempt', ['notice_id'], unique=False
    )


def downgrade() -> None:
    op.drop_table('notice_attempt')
    op.drop_table('notice')
    op.drop_table('notice_address')
    with op.batch_alter_table('batch', schema=None) as batch_op:
        batch_op.drop_column('finished_at')
