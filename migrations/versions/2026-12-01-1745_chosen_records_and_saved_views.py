"""Records that people chose: batches of their own, cases on the desk, saved views.

Revision: 0019
After: 0017
Made: 2026-12-01 17:45:00+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from backend.models import columns

revision: str = "0019"
down_revision: str | Sequence[str] | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("sending", sa.String(length=64), nullable=False, server_default="")
        )
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.alter_column("sending", existing_type=sa.String(length=64), server_default=None)
        batch_op.drop_constraint(batch_op.f("uq_batch_project_id_round"), type_="unique")
        batch_op.create_unique_constraint(
            batch_op.f("uq_batch_project_id_round_sending"), ["project_id", "round", "sending"]
        )
    op.create_table(
        "sent_case",
        sa.Column("id", columns.RowId(), nullable=False),
        sa.Column("project_id", columns.RowId(), nullable=False),
        sa.Column("task_id", columns.RowId(), nullable=False),
        sa.Column("sending", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=320), nullable=False),
        sa.Column("sent_at", columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_sent_case_project_id_project")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_sent_case_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sent_case")),
        sa.UniqueConstraint("task_id", "sending", name=op.f("uq_sent_case_task_id_sending")),
    )
    op.create_index(op.f("ix_sent_case_project_id"), "sent_case", ["project_id"], unique=False)
    op.create_table(
        "saved_view",
        sa.Column("id", columns.RowId(), nullable=False),
        sa.Column("project_id", columns.RowId(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("query", sa.String(length=8000), nullable=False),
        sa.Column("owner", sa.String(length=320), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_saved_view_project_id_project")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint(
            "project_id", "owner", "name", name=op.f("uq_saved_view_project_id_owner_name")
        ),
    )


def downgrade() -> None:
    op.drop_table("saved_view")
    op.drop_index(op.f("ix_sent_case_project_id"), table_name="sent_case")
    op.drop_table("sent_case")
    # An older version knows one batch outside the rounds: what people chose goes to it.
    op.execute(
        "UPDATE task SET batch_id = (SELECT b.id FROM batch b JOIN batch mine ON mine.id = "
        "task.batch_id WHERE b.project_id = mine.project_id ORDER BY b.sending, b.round, b.id LIMIT 1) "
        "WHERE batch_id IN (SELECT id FROM batch WHERE sending != '')"
    )
    op.execute("DELETE FROM batch WHERE sending != '' AND id NOT IN (SELECT batch_id FROM task)")
    op.execute("UPDATE batch SET sending = '' WHERE sending != ''")
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_batch_project_id_round_sending"), type_="unique")
        batch_op.drop_column("sending")
        batch_op.create_unique_constraint(
            batch_op.f("uq_batch_project_id_round"), ["project_id", "round"]
        )
