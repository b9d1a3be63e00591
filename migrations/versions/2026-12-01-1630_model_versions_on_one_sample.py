"""Model versions are measured on one audit sample, which is kept.

Revision: 0016
After: 0015
Made: 2026-12-01 16:30:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from backend.models import columns

revision: str = '0016'
down_revision: str | Sequence[str] | None = '0015'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('audit_sample',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('project_id', columns.RowId(), nullable=False),
    sa.Column('model_version_id', columns.RowId(), nullable=False),
    sa.Column('labels', columns.Json(), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['model_version_id'], ['model_version.id'], name=op.f('fk_audit_sample_model_version_id_model_version')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_audit_sample_project_id_project')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_sample'))
    )
    with op.batch_alter_table('audit_sample', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_sample_project_id'), ['project_id'], unique=False)
    op.create_table('version_report',
    sa.Column('model_version_id', columns.RowId(), autoincrement=False, nullable=False),
    sa.Column('project_id', columns.RowId(), nullable=False),
    sa.Column('sample_id', columns.RowId(), nullable=False),
    sa.Column('answers', columns.Json(), nullable=False),
    sa.Column('report', columns.Json(), nullable=True),
    sa.Column('measured_at', columns.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['model_version_id'], ['model_version.id'], name=op.f('fk_version_report_model_version_id_model_version')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_version_report_project_id_project')),
    sa.ForeignKeyConstraint(['sample_id'], ['audit_sample.id'], name=op.f('fk_version_report_sample_id_audit_sample')),
    sa.PrimaryKeyConstraint('model_version_id', name=op.f('pk_version_report'))
    )
    with op.batch_alter_table('version_report', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_version_report_project_id'), ['project_id'], unique=False)


def downgrade() -> None:
    op.drop_table('version_report')
    op.drop_table('audit_sample')
