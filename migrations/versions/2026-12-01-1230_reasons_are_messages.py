"""A reason is one message, an English text with values, instead of an English and a Chinese text.

Revision: 0012
After: 0011
Made: 2026-12-01 12:30:00+00:00
"""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from backend.models import columns
from backend.words import Message, as_text, translator

revision: str = '0012'
down_revision: str | Sequence[str] | None = '0011'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = ('acceptance', 'label_finding', 'promotion', 'task')
ROWS = 1_000
CASES = sa.table('review_case', sa.column('id'), sa.column('reasons', columns.Json()))
VERSIONS = sa.table('model_version', sa.column('id'), sa.column('metrics', columns.Json()))
ASSESSMENT = 'label_findings'

BOTH = {
    'sqlite': "json_object('text', '{en}', 'values', json_object('en', reason, 'zh', reason_zh))",
    'postgresql': "jsonb_build_object('text', '{en}', 'values', "
    "jsonb_build_object('en', reason, 'zh', reason_zh))::text",
}

def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table in TABLES:
        op.execute(
            sa.text(
                f"UPDATE {table} SET reason = CASE WHEN reason_zh = '' OR reason_zh = reason "
                f"THEN reason ELSE {BOTH[dialect]} END WHERE reason <> ''"
            )
        )
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column('reason_zh')
    for key, reasons in _json(CASES, 'reasons'):
        if reasons:
            _keep(CASES, key, reasons=[_with_message(each) for each in reasons])
    for key, metrics in _json(VERSIONS, 'metrics'):
        if ASSESSMENT in (metrics or {}):
            held = _assessment_with_messages(metrics[ASSESSMENT])
            _keep(VERSIONS, key, metrics={**metrics, ASSESSMENT: held})


def downgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(
                sa.Column('reason_zh', sa.String(), nullable=False, server_default='')
            )
        rows = sa.table(
            table, sa.column('id'), sa.column('reason', sa.String()), sa.column('reason_zh')
        )
        for key, stored in _json(rows, 'reason'):
            en, zh = _in_both(Message.of(as_text(stored)))
            _keep(rows, key, reason=en, reason_zh=zh)
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.alter_column('reason_zh', server_default=None)
    for key, reasons in _json(CASES, 'reasons'):
        if reasons:
            _keep(CASES, key, reasons=[_with_both(each) for each in reasons])
    for key, metrics in _json(VERSIONS, 'metrics'):
        if ASSESSMENT in (metrics or {}):
            held = _assessment_in_both(metrics[ASSESSMENT])
            _keep(VERSIONS, key, metrics={**metrics, ASSESSMENT: held})


def _json(table: sa.TableClause, name: str) -> Iterator[tuple[int, Any]]:
    """(id, value) of every row, some in memory at a time."""
    last = 0
    while True:
        found = op.get_bind().execute(
            sa.select(table.c.id, table.c[name])
            .where(table.c.id > last)
            .order_by(table.c.id)
            .limit(ROWS)
        ).all()
        if not found:
            return
        yield from ((row[0], row[1]) for row in found)
        last = found[-1][0]


def _keep(table: sa.TableClause, key: int, **values: Any) -> None:
    op.get_bind().execute(sa.update(table).where(table.c.id == key).values(**values))


def _with_message(reason: dict[str, Any]) -> dict[str, Any]:
    rest = {name: each for name, each in reason.items() if name not in ('reason', 'reason_zh')}
    return {**rest, 'reason_message': _message(reason['reason'], reason['reason_zh'])}


def _with_both(reason: dict[str, Any]) -> dict[str, Any]:
    rest = {name: each for name, each in reason.items() if name != 'reason_message'}
    en, zh = _in_both(Message.from_json(reason['reason_message']))
    return {**rest, 'reason': en, 'reason_zh': zh}


def _assessment_with_messages(held: dict[str, Any]) -> dict[str, Any]:
    names = ('summary', 'summary_zh', 'skipped', 'skipped_zh')
    rest = {name: each for name, each in held.items() if name not in names}
    for name in ('summary', 'skipped'):
        if held.get(name):
            rest[f'{name}_message'] = _message(held[name], held.get(f'{name}_zh') or held[name])
    return rest


def _assessment_in_both(held: dict[str, Any]) -> dict[str, Any]:
    names = ('summary_message', 'skipped_message')
    rest = {name: each for name, each in held.items() if name not in names}
    for name, empty in (('summary', ''), ('skipped', None)):
        message = held.get(f'{name}_message')
        en, zh = _in_both(Message.from_json(message)) if message else (empty, empty)
        rest |= {name: en, f'{name}_zh': zh}
    return rest


def _message(en: str, zh: str) -> dict[str, Any]:
    if en == zh:
        return {'text': en, 'values': {}}
    return {'text': '{en}', 'values': {'en': en, 'zh': zh}}


def _in_both(message: Message) -> tuple[str, str]:
    return str(message), translator('zh')(message)
