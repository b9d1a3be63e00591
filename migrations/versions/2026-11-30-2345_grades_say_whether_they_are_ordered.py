"""A grade says whether its choices are ordered; those of projects that exist were taken as ordered.

Revision: 0007
After: 0006
Made: 2026-11-30 23:45:00+00:00
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from backend.models import columns

revision: str = '0007'
down_revision: str | Sequence[str] | None = '0006'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

PROJECTS = sa.table('project', sa.column('id', columns.RowId()), sa.column('label_schema', columns.Json()))


def upgrade() -> None:
    _change(lambda grade: {'ordered': True, **grade})


def downgrade() -> None:
    _change(lambda grade: {name: value for name, value in grade.items() if name != 'ordered'})


def _change(changed: Any) -> None:
    connection = op.get_bind()
    for project_id, schema in connection.execute(sa.select(PROJECTS)).all():
        if 'grade' not in schema:
            continue
        values = {'label_schema': {**schema, 'grade': changed(schema['grade'])}}
        connection.execute(sa.update(PROJECTS).where(PROJECTS.c.id == project_id).values(values))
