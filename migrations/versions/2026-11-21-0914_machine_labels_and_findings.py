"""Machine labels, findings about labels, explanations, encoders of model versions.

Revision: 0003
After: 0002
Made: 2026-11-21 09:14:43.561851+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from backend.models import columns

revision: str = '0003'
down_revision: str | Sequence[str] | None = '0002'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('acceptance',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('project_id', columns.RowId(), nullable=False),
    sa.Column('model_version_id', columns.RowId(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('target_error', sa.Float(), nullable=False),
    sa.Column('delta', sa.Float(), nullable=False),
    sa.Column('threshold', sa.Float(), nullable=True),
    sa.Column('evidence', columns.Json(), nullable=False),
    sa.Column('records', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('reason_zh', sa.String(), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['model_version_id'], ['model_version.id'], name=op.f('fk_acceptance_model_version_id_model_version')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_acceptance_project_id_project')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_acceptance'))
    )
    op.create_index('ix_acceptance_project_id', 'acceptance', ['project_id'])

    op.create_table('machine_label',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('acceptance_id', columns.RowId(), nullable=False),
    sa.Column('record_id', columns.RowId(), nullable=False),
    sa.Column('grade', sa.String(), nullable=False),
    sa.Column('confidence', sa.Float(), nullable=False),
    sa.Column('is_audited', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['acceptance_id'], ['acceptance.id'], name=op.f('fk_machine_label_acceptance_id_acceptance')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_machine_label_record_id_record')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_machine_label')),
    sa.UniqueConstraint('acceptance_id', 'record_id', name=op.f('uq_machine_label_acceptance_id_record_id'))
    )
    op.create_index('ix_machine_label_record_id', 'machine_label', ['record_id'])

    op.create_table('label_finding',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('project_id', columns.RowId(), nullable=False),
    sa.Column('model_version_id', columns.RowId(), nullable=False),
    sa.Column('task_id', columns.RowId(), nullable=False),
    sa.Column('grade', sa.String(), nullable=False),
    sa.Column('suggested', sa.String(), nullable=False),
    sa.Column('suspicion', sa.Float(), nullable=False),
    sa.Column('is_suspect', sa.Boolean(), nullable=False),
    sa.Column('value', sa.Float(), nullable=False),
    sa.Column('value_group', sa.String(length=20), nullable=False),
    sa.Column('relabel_score', sa.Float(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('reason_zh', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['model_version_id'], ['model_version.id'], name=op.f('fk_label_finding_model_version_id_model_version')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_label_finding_project_id_project')),
    sa.ForeignKeyConstraint(['task_id'], ['task.id'], name=op.f('fk_label_finding_task_id_task')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_label_finding')),
    sa.UniqueConstraint('model_version_id', 'task_id', name=op.f('uq_label_finding_model_version_id_task_id'))
    )
    op.create_index('ix_label_finding_order', 'label_finding', ['model_version_id', 'suspicion'])

    op.add_column('model_version', sa.Column('encoder_folder', sa.String(length=1000), nullable=True))

    op.add_column('prediction', sa.Column('explanation', columns.Json(), nullable=False, server_default=sa.text("'[]'")))


def downgrade() -> None:
    op.drop_column('prediction', 'explanation')

    op.drop_column('model_version', 'encoder_folder')

    op.drop_index('ix_label_finding_order', table_name='label_finding')

    op.drop_table('label_finding')
    op.drop_index('ix_machine_label_record_id', table_name='machine_label')

    op.drop_table('machine_label')
    op.drop_index('ix_acceptance_project_id', table_name='acceptance')

    op.drop_table('acceptance')