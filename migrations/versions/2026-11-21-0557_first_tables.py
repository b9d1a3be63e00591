"""First tables.

Revision: 0001
After: 
Made: 2026-11-21 05:57:23.925092+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from backend.models import columns

revision: str = '0001'
down_revision: str | Sequence[str] | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('annotator',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('label_studio_user_id', sa.Integer(), nullable=False),
    sa.Column('email', sa.String(), nullable=True),
    sa.Column('name', sa.String(), nullable=True),
    sa.Column('created_at', columns.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_annotator')),
    sa.UniqueConstraint('label_studio_user_id', name=op.f('uq_annotator_label_studio_user_id'))
    )
    op.create_table('api_key',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('prefix', sa.String(length=12), nullable=False),
    sa.Column('key_hash', sa.String(length=64), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=False),
    sa.Column('revoked_at', columns.UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_key')),
    sa.UniqueConstraint('key_hash', name=op.f('uq_api_key_key_hash'))
    )
    op.create_table('app_user',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('password_hash', sa.String(), nullable=False),
    sa.Column('is_disabled', sa.Boolean(), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_app_user')),
    sa.UniqueConstraint('email', name=op.f('uq_app_user_email'))
    )
    op.create_table('audit_event',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('at', columns.UtcDateTime(), nullable=False),
    sa.Column('actor', sa.String(length=320), nullable=False),
    sa.Column('action', sa.String(length=100), nullable=False),
    sa.Column('subject', sa.String(length=300), nullable=False),
    sa.Column('detail', columns.Json(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_event'))
    )
    with op.batch_alter_table('audit_event', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_event_at'), ['at'], unique=False)

    op.create_table('dataset',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.String(length=50), nullable=False),
    sa.Column('fields', columns.Json(), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dataset')),
    sa.UniqueConstraint('name', name=op.f('uq_dataset_name'))
    )
    op.create_table('lease',
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('holder', sa.String(length=200), nullable=False),
    sa.Column('expires_at', columns.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_lease'))
    )
    op.create_table('worker',
    sa.Column('id', sa.String(length=200), nullable=False),
    sa.Column('host', sa.String(), nullable=False),
    sa.Column('pid', sa.Integer(), nullable=False),
    sa.Column('instance', sa.String(length=40), nullable=False),
    sa.Column('started_at', columns.UtcDateTime(), nullable=False),
    sa.Column('seen_at', columns.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_worker'))
    )
    op.create_table('import',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('dataset_id', columns.RowId(), nullable=False),
    sa.Column('source', sa.String(length=1000), nullable=False),
    sa.Column('format', sa.String(length=20), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('rows_read', sa.Integer(), nullable=False),
    sa.Column('rows_new', sa.Integer(), nullable=False),
    sa.Column('rows_changed', sa.Integer(), nullable=False),
    sa.Column('rows_unchanged', sa.Integer(), nullable=False),
    sa.Column('rows_rejected', sa.Integer(), nullable=False),
    sa.Column('error', sa.String(), nullable=True),
    sa.Column('started_at', columns.UtcDateTime(), nullable=False),
    sa.Column('finished_at', columns.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['dataset_id'], ['dataset.id'], name=op.f('fk_import_dataset_id_dataset')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import'))
    )
    with op.batch_alter_table('import', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_import_dataset_id'), ['dataset_id'], unique=False)

    op.create_table('project',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('name', sa.String(length=50), nullable=False),
    sa.Column('dataset_id', columns.RowId(), nullable=False),
    sa.Column('label_schema', columns.Json(), nullable=False),
    sa.Column('policy', columns.Json(), nullable=False),
    sa.Column('label_studio_project_id', sa.Integer(), nullable=True),
    sa.Column('created_at', columns.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['dataset_id'], ['dataset.id'], name=op.f('fk_project_dataset_id_dataset')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_project')),
    sa.UniqueConstraint('label_studio_project_id', name=op.f('uq_project_label_studio_project_id')),
    sa.UniqueConstraint('name', name=op.f('uq_project_name'))
    )
    op.create_table('import_reject',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('import_id', columns.RowId(), nullable=False),
    sa.Column('line', sa.Integer(), nullable=False),
    sa.Column('field', sa.String(), nullable=True),
    sa.Column('value', sa.String(), nullable=True),
    sa.Column('reason', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['import_id'], ['import.id'], name=op.f('fk_import_reject_import_id_import')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_reject'))
    )
    with op.batch_alter_table('import_reject', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_import_reject_import_id'), ['import_id'], unique=False)

    op.create_table('job',
    sa.Column('id', sa.String(length=100), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('project_id', columns.RowId(), nullable=True),
    sa.Column('args', columns.Json(), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('generation', sa.Integer(), nullable=False),
    sa.Column('handed_over_at', columns.UtcDateTime(), nullable=True),
    sa.Column('not_before', columns.UtcDateTime(), nullable=True),
    sa.Column('retries', sa.Integer(), nullable=False),
    sa.Column('crashes', sa.Integer(), nullable=False),
    sa.Column('progress', sa.Float(), nullable=False),
    sa.Column('message', sa.String(), nullable=False),
    sa.Column('error', sa.String(), nullable=True),
    sa.Column('result', columns.Json(), nullable=True),
    sa.Column('cancel_requested', sa.Boolean(), nullable=False),
    sa.Column('worker_id', sa.String(length=200), nullable=True),
    sa.Column('enqueued_at', columns.UtcDateTime(), nullable=False),
    sa.Column('started_at', columns.UtcDateTime(), nullable=True),
    sa.Column('finished_at', columns.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_job_project_id_project')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_job'))
    )
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_job_name'), ['name'], unique=False)
        batch_op.create_index(batch_op.f('ix_job_project_id'), ['project_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_job_status'), ['status'], unique=False)

    op.create_table('model_version',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('project_id', columns.RowId(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('parent_id', columns.RowId(), nullable=True),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('artifact', sa.String(length=1000), nullable=False),
    sa.Column('encoder', sa.String(length=300), nullable=False),
    sa.Column('training_labels', sa.Integer(), nullable=False),
    sa.Column('audit_labels', sa.Integer(), nullable=False),
    sa.Column('metrics', columns.Json(), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['parent_id'], ['model_version.id'], name=op.f('fk_model_version_parent_id_model_version')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_model_version_project_id_project')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_model_version')),
    sa.UniqueConstraint('project_id', 'fingerprint', name=op.f('uq_model_version_project_id_fingerprint')),
    sa.UniqueConstraint('project_id', 'number', name=op.f('uq_model_version_project_id_number'))
    )
    op.create_table('record',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('dataset_id', columns.RowId(), nullable=False),
    sa.Column('external_id', sa.String(length=500), nullable=False),
    sa.Column('content_hash', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=50), nullable=False),
    sa.Column('fields', columns.Json(), nullable=False),
    sa.Column('source', sa.String(length=1000), nullable=False),
    sa.Column('observed_at', columns.UtcDateTime(), nullable=True),
    sa.Column('is_current', sa.Boolean(), nullable=False),
    sa.Column('import_id', columns.RowId(), nullable=True),
    sa.Column('created_at', columns.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['dataset_id'], ['dataset.id'], name=op.f('fk_record_dataset_id_dataset')),
    sa.ForeignKeyConstraint(['import_id'], ['import.id'], name=op.f('fk_record_import_id_import')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_record')),
    sa.UniqueConstraint('dataset_id', 'external_id', 'content_hash', name=op.f('uq_record_dataset_id_external_id_content_hash'))
    )
    with op.batch_alter_table('record', schema=None) as batch_op:
        batch_op.create_index('uq_record_current', ['dataset_id', 'external_id'], unique=True, sqlite_where=sa.text('is_current'), postgresql_where=sa.text('is_current'))

    op.create_table('schedule',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('project_id', columns.RowId(), nullable=False),
    sa.Column('job_name', sa.String(length=100), nullable=False),
    sa.Column('cron', sa.String(length=100), nullable=False),
    sa.Column('is_enabled', sa.Boolean(), nullable=False),
    sa.Column('next_run_at', columns.UtcDateTime(), nullable=True),
    sa.Column('last_run_at', columns.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_schedule_project_id_project')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_schedule')),
    sa.UniqueConstraint('project_id', 'job_name', name=op.f('uq_schedule_project_id_job_name'))
    )
    op.create_table('sync_cursor',
    sa.Column('project_id', columns.RowId(), nullable=False),
    sa.Column('cursor', columns.UtcDateTime(), nullable=True),
    sa.Column('synced_at', columns.UtcDateTime(), nullable=True),
    sa.Column('listed_at', columns.UtcDateTime(), nullable=True),
    sa.Column('error', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_sync_cursor_project_id_project')),
    sa.PrimaryKeyConstraint('project_id', name=op.f('pk_sync_cursor'))
    )
    op.create_table('webhook_event',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('project_id', columns.RowId(), nullable=True),
    sa.Column('action', sa.String(length=100), nullable=True),
    sa.Column('body', sa.String(), nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('note', sa.String(), nullable=True),
    sa.Column('received_at', columns.UtcDateTime(), nullable=False),
    sa.Column('applied_at', columns.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_webhook_event_project_id_project')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_event'))
    )
    with op.batch_alter_table('webhook_event', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_webhook_event_status'), ['status'], unique=False)

    op.create_table('batch',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('project_id', columns.RowId(), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('strategy', sa.String(length=50), nullable=False),
    sa.Column('model_version_id', columns.RowId(), nullable=True),
    sa.Column('seed', sa.Integer(), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=False),
    sa.Column('pushed_at', columns.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['model_version_id'], ['model_version.id'], name=op.f('fk_batch_model_version_id_model_version')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_batch_project_id_project')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_batch')),
    sa.UniqueConstraint('project_id', 'round', name=op.f('uq_batch_project_id_round'))
    )
    op.create_table('promotion',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('project_id', columns.RowId(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('model_version_id', columns.RowId(), nullable=False),
    sa.Column('challenger_id', columns.RowId(), nullable=True),
    sa.Column('previous_id', columns.RowId(), nullable=True),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('reason_zh', sa.String(), nullable=False),
    sa.Column('evidence', columns.Json(), nullable=False),
    sa.Column('decided_by', sa.String(length=200), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['challenger_id'], ['model_version.id'], name=op.f('fk_promotion_challenger_id_model_version')),
    sa.ForeignKeyConstraint(['model_version_id'], ['model_version.id'], name=op.f('fk_promotion_model_version_id_model_version')),
    sa.ForeignKeyConstraint(['previous_id'], ['model_version.id'], name=op.f('fk_promotion_previous_id_model_version')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_promotion_project_id_project')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_promotion'))
    )
    with op.batch_alter_table('promotion', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_promotion_project_id'), ['project_id'], unique=False)

    op.create_table('task',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('project_id', columns.RowId(), nullable=False),
    sa.Column('record_id', columns.RowId(), nullable=False),
    sa.Column('batch_id', columns.RowId(), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('is_audit', sa.Boolean(), nullable=False),
    sa.Column('acquisition_score', sa.Float(), nullable=True),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('reason_zh', sa.String(), nullable=False),
    sa.Column('label_studio_task_id', sa.Integer(), nullable=True),
    sa.Column('deleted_at', columns.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['batch_id'], ['batch.id'], name=op.f('fk_task_batch_id_batch')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_task_project_id_project')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_task_record_id_record')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_task')),
    sa.UniqueConstraint('key', name=op.f('uq_task_key')),
    sa.UniqueConstraint('project_id', 'label_studio_task_id', name=op.f('uq_task_project_id_label_studio_task_id')),
    sa.UniqueConstraint('project_id', 'record_id', name=op.f('uq_task_project_id_record_id'))
    )
    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_task_batch_id'), ['batch_id'], unique=False)

    op.create_table('annotation',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('project_id', columns.RowId(), nullable=False),
    sa.Column('task_id', columns.RowId(), nullable=False),
    sa.Column('annotator_id', columns.RowId(), nullable=True),
    sa.Column('updated_by_id', columns.RowId(), nullable=True),
    sa.Column('label_studio_annotation_id', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('identity', sa.String(length=64), nullable=False),
    sa.Column('is_deleted', sa.Boolean(), nullable=False),
    sa.Column('was_cancelled', sa.Boolean(), nullable=False),
    sa.Column('ground_truth', sa.Boolean(), nullable=False),
    sa.Column('grade', sa.String(), nullable=True),
    sa.Column('issues', columns.Json(), nullable=False),
    sa.Column('faulty_fields', columns.Json(), nullable=False),
    sa.Column('corrected_values', columns.Json(), nullable=False),
    sa.Column('rationale', sa.String(), nullable=True),
    sa.Column('problems', columns.Json(), nullable=False),
    sa.Column('origins', columns.Json(), nullable=False),
    sa.Column('prediction_snapshot', columns.Json(), nullable=True),
    sa.Column('result', columns.Json(), nullable=False),
    sa.Column('lead_time', sa.Float(), nullable=True),
    sa.Column('annotated_at', columns.UtcDateTime(), nullable=False),
    sa.Column('revised_at', columns.UtcDateTime(), nullable=False),
    sa.Column('via', sa.String(length=10), nullable=False),
    sa.Column('received_at', columns.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['annotator_id'], ['annotator.id'], name=op.f('fk_annotation_annotator_id_annotator')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_annotation_project_id_project')),
    sa.ForeignKeyConstraint(['task_id'], ['task.id'], name=op.f('fk_annotation_task_id_task')),
    sa.ForeignKeyConstraint(['updated_by_id'], ['annotator.id'], name=op.f('fk_annotation_updated_by_id_annotator')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_annotation')),
    sa.UniqueConstraint('project_id', 'label_studio_annotation_id', 'identity', name=op.f('uq_annotation_project_id_label_studio_annotation_id_identity')),
    sa.UniqueConstraint('project_id', 'label_studio_annotation_id', 'revision', name=op.f('uq_annotation_project_id_label_studio_annotation_id_revision'))
    )
    with op.batch_alter_table('annotation', schema=None) as batch_op:
        batch_op.create_index('ix_annotation_task', ['task_id'], unique=False)

    op.create_table('prediction',
    sa.Column('id', columns.RowId(), nullable=False),
    sa.Column('task_id', columns.RowId(), nullable=False),
    sa.Column('model_version_id', columns.RowId(), nullable=False),
    sa.Column('grade', sa.String(), nullable=False),
    sa.Column('score', sa.Float(), nullable=False),
    sa.Column('grade_probabilities', columns.Json(), nullable=False),
    sa.Column('issue_probabilities', columns.Json(), nullable=False),
    sa.Column('field_probabilities', columns.Json(), nullable=False),
    sa.Column('created_at', columns.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['model_version_id'], ['model_version.id'], name=op.f('fk_prediction_model_version_id_model_version')),
    sa.ForeignKeyConstraint(['task_id'], ['task.id'], name=op.f('fk_prediction_task_id_task')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_prediction')),
    sa.UniqueConstraint('task_id', 'model_version_id', name=op.f('uq_prediction_task_id_model_version_id'))
    )


def downgrade() -> None:
    op.drop_table('prediction')
    with op.batch_alter_table('annotation', schema=None) as batch_op:
        batch_op.drop_index('ix_annotation_task')

    op.drop_table('annotation')
    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_task_batch_id'))

    op.drop_table('task')
    with op.batch_alter_table('promotion', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_promotion_project_id'))

    op.drop_table('promotion')
    op.drop_table('batch')
    with op.batch_alter_table('webhook_event', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_webhook_event_status'))

    op.drop_table('webhook_event')
    op.drop_table('sync_cursor')
    op.drop_table('schedule')
    with op.batch_alter_table('record', schema=None) as batch_op:
        batch_op.drop_index('uq_record_current', sqlite_where=sa.text('is_current'), postgresql_where=sa.text('is_current'))

    op.drop_table('record')
    op.drop_table('model_version')
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_job_status'))
        batch_op.drop_index(batch_op.f('ix_job_project_id'))
        batch_op.drop_index(batch_op.f('ix_job_name'))

    op.drop_table('job')
    with op.batch_alter_table('import_reject', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_import_reject_import_id'))

    op.drop_table('import_reject')
    op.drop_table('project')
    with op.batch_alter_table('import', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_import_dataset_id'))

    op.drop_table('import')
    op.drop_table('worker')
    op.drop_table('lease')
    op.drop_table('dataset')
    with op.batch_alter_table('audit_event', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_audit_event_at'))

    op.drop_table('audit_event')
    op.drop_table('app_user')
    op.drop_table('api_key')
    op.drop_table('annotator')
