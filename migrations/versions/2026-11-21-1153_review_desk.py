"""Consensus labels, review cases, decisions, guidelines; copies of tasks; logins that end.

Revision: 0004
After: 0003
Made: 2026-11-21 11:53:49.967105+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from backend.models import columns

revision: str = '0004'
down_revision: str | Sequence[str] | None = '0003'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('guideline',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('project_id', columns.RowId(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('text_zh', sa.String(), nullable=False),
    sa.Column('rules', columns.Json(), nullable=False),
    sa.Column('change', sa.String(), nullable=False),
    sa.Column('author', sa.String(length=320), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=False),
    sa.Column('published_at', columns.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_guideline_project_id_project')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_guideline')),
    sa.UniqueConstraint('project_id', 'version', name=op.f('uq_guideline_project_id_version'))
    )
    op.create_table('consensus_label',
    sa.Column('task_id', columns.RowId(), nullable=False),
    sa.Column('project_id', columns.RowId(), nullable=False),
    sa.Column('grade', sa.String(), nullable=True),
    sa.Column('confidence', sa.Float(), nullable=True),
    sa.Column('probabilities', columns.Json(), nullable=False),
    sa.Column('issues', columns.Json(), nullable=False),
    sa.Column('faulty_fields', columns.Json(), nullable=False),
    sa.Column('votes', sa.Integer(), nullable=False),
    sa.Column('skips', sa.Integer(), nullable=False),
    sa.Column('is_complete', sa.Boolean(), nullable=False),
    sa.Column('method', sa.String(length=30), nullable=False),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('computed_at', columns.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_consensus_label_project_id_project')),
    sa.ForeignKeyConstraint(['task_id'], ['task.id'], name=op.f('fk_consensus_label_task_id_task')),
    sa.PrimaryKeyConstraint('task_id', name=op.f('pk_consensus_label'))
    )
    with op.batch_alter_table('consensus_label', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_consensus_label_project_id'), ['project_id'], unique=False)

    op.create_table('review_case',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('project_id', columns.RowId(), nullable=False),
    sa.Column('task_id', columns.RowId(), nullable=False),
    sa.Column('kind', sa.String(length=50), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('reasons', columns.Json(), nullable=False),
    sa.Column('reason', sa.String(length=30), nullable=False),
    sa.Column('priority', sa.Float(), nullable=False),
    sa.Column('decision_id', columns.RowId(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('opened_at', columns.UtcDateTime(), nullable=False),
    sa.Column('changed_at', columns.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_review_case_project_id_project')),
    sa.ForeignKeyConstraint(['task_id'], ['task.id'], name=op.f('fk_review_case_task_id_task')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_case')),
    sa.UniqueConstraint('task_id', name=op.f('uq_review_case_task_id'))
    )
    with op.batch_alter_table('review_case', schema=None) as batch_op:
        batch_op.create_index('ix_review_case_kind', ['project_id', 'kind', 'state'], unique=False)
        batch_op.create_index('ix_review_case_queue', ['project_id', 'state', 'priority', 'id', 'task_id'], unique=False)

    op.create_table('case_reason',
    sa.Column('case_id', columns.RowId(), nullable=False),
    sa.Column('project_id', columns.RowId(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('code', sa.String(length=80), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['review_case.id'], name=op.f('fk_case_reason_case_id_review_case')),
    sa.PrimaryKeyConstraint('case_id', 'code', name=op.f('pk_case_reason'))
    )
    with op.batch_alter_table('case_reason', schema=None) as batch_op:
        batch_op.create_index('ix_case_reason_code', ['project_id', 'state', 'code', 'case_id'], unique=False)

    op.create_table('decision',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('case_id', columns.RowId(), nullable=False),
    sa.Column('action', sa.String(length=20), nullable=False),
    sa.Column('grade', sa.String(), nullable=True),
    sa.Column('issues', columns.Json(), nullable=False),
    sa.Column('faulty_fields', columns.Json(), nullable=False),
    sa.Column('corrected_values', columns.Json(), nullable=False),
    sa.Column('soft_label', columns.Json(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('rule', sa.String(length=100), nullable=True),
    sa.Column('assignee_id', columns.RowId(), nullable=True),
    sa.Column('author', sa.String(length=320), nullable=False),
    sa.Column('bulk_id', sa.String(length=36), nullable=True),
    sa.Column('undoes_id', columns.RowId(), nullable=True),
    sa.Column('case_version', sa.Integer(), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['assignee_id'], ['annotator.id'], name=op.f('fk_decision_assignee_id_annotator')),
    sa.ForeignKeyConstraint(['case_id'], ['review_case.id'], name=op.f('fk_decision_case_id_review_case')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_decision'))
    )
    with op.batch_alter_table('decision', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_decision_bulk_id'), ['bulk_id'], unique=False)
        batch_op.create_index('ix_decision_case', ['case_id', 'id'], unique=False)

    op.create_table('work_report',
    sa.Column('project_id', columns.RowId(), nullable=False),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('content', columns.Json(), nullable=False),
    sa.Column('computed_at', columns.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_work_report_project_id_project')),
    sa.PrimaryKeyConstraint('project_id', name=op.f('pk_work_report'))
    )

    with op.batch_alter_table('app_user', schema=None) as batch_op:
        batch_op.add_column(sa.Column('login_generation', sa.Integer(), nullable=False, server_default='0'))

    op.create_index('ix_annotation_annotator', 'annotation', ['annotator_id', 'task_id'])

    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.add_column(sa.Column('purpose', sa.String(length=10), nullable=False, server_default='label'))
        batch_op.add_column(sa.Column('attempt', sa.Integer(), nullable=False, server_default='1'))
        batch_op.add_column(sa.Column('original_id', columns.RowId(), nullable=True))
        batch_op.add_column(sa.Column('assignee_id', columns.RowId(), nullable=True))
        batch_op.add_column(sa.Column('annotators_wanted', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('annotators_asked', sa.Integer(), nullable=True))
        batch_op.drop_constraint(batch_op.f('uq_task_project_id_record_id'), type_='unique')
        batch_op.create_index(batch_op.f('ix_task_original_id'), ['original_id'], unique=False)
        batch_op.create_unique_constraint(batch_op.f('uq_task_project_id_record_id_attempt'), ['project_id', 'record_id', 'attempt'])
        batch_op.create_foreign_key(batch_op.f('fk_task_assignee_id_annotator'), 'annotator', ['assignee_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_task_original_id_task'), 'task', ['original_id'], ['id'])



def downgrade() -> None:
    # A record had one task before: copies, and what was answered to them, have no place then.
    copies = "SELECT id FROM task WHERE attempt > 1"
    op.execute(f"DELETE FROM prediction WHERE task_id IN ({copies})")
    op.execute(f"DELETE FROM annotation WHERE task_id IN ({copies})")
    op.execute("DELETE FROM task WHERE attempt > 1")
    op.drop_index('ix_annotation_annotator', table_name='annotation')
    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_task_original_id_task'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_task_assignee_id_annotator'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('uq_task_project_id_record_id_attempt'), type_='unique')
        batch_op.drop_index(batch_op.f('ix_task_original_id'))
        batch_op.create_unique_constraint(batch_op.f('uq_task_project_id_record_id'), ['project_id', 'record_id'])
        batch_op.drop_column('annotators_asked')
        batch_op.drop_column('annotators_wanted')
        batch_op.drop_column('assignee_id')
        batch_op.drop_column('original_id')
        batch_op.drop_column('attempt')
        batch_op.drop_column('purpose')

    with op.batch_alter_table('app_user', schema=None) as batch_op:
        batch_op.drop_column('login_generation')

    op.drop_table('work_report')
    with op.batch_alter_table('decision', schema=None) as batch_op:
        batch_op.drop_index('ix_decision_case')
        batch_op.drop_index(batch_op.f('ix_decision_bulk_id'))

    op.drop_table('decision')
    with op.batch_alter_table('case_reason', schema=None) as batch_op:
        batch_op.drop_index('ix_case_reason_code')

    op.drop_table('case_reason')
    with op.batch_alter_table('review_case', schema=None) as batch_op:
        batch_op.drop_index('ix_review_case_queue')
        batch_op.drop_index('ix_review_case_kind')

    op.drop_table('review_case')
    with op.batch_alter_table('consensus_label', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_consensus_label_project_id'))

    op.drop_table('consensus_label')
    op.drop_table('guideline')
