"""A record as Label Studio's task data, and the table in which its cells can be marked."""

from collections.abc import Mapping
from html import escape
from typing import Any

from labeling.label_schema import LabelSchema
from labeling.label_studio.choice_tags import question_data

KEY = "assay_key"
MISSING = "∅ 缺失 / missing"

_TABLE = (
    'style="font-family:system-ui,sans-serif;font-size:15px;line-height:1.6;'
    'border-collapse:collapse;width:100%"'
)
_NAME = 'style="padding:4px 12px;border-bottom:1px solid #eee;color:#666;white-space:nowrap"'
_VALUE = 'style="padding:4px 12px;border-bottom:1px solid #eee;word-break:break-word"'


def shown_value(value: object) -> str:
    """The text of a value as annotators see it; what is missing is said to be missing.

    It is the text that a browser makes of it, so that marks counted on it fit the screen.
    """
    text = "" if value is None else clean(str(value))
    return text if text.strip() else MISSING


def clean(text: str) -> str:
    """HTML has one kind of line end and no NUL; UTF-8 has no half characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return text.encode("utf-8", "replace").decode()


def build_table(fields: Mapping[str, Any], schema: LabelSchema) -> str:
    """The record as an HTML table, one row for each field of the schema, in its order."""
    rows = "".join(
        f"<tr><td {_NAME}>{escape(clean(name))}</td>"
        f"<td {_VALUE}>{escape(shown_value(fields.get(name)))}</td></tr>"
        for name in schema.fields
    )
    return f"<table {_TABLE}><tbody>{rows}</tbody></table>"


def build_task_data(
    key: str, record_id: str, fields: Mapping[str, Any], schema: LabelSchema
) -> dict[str, Any]:
    """The task's data; ``assay_key`` is by what a repeated push recognises it."""
    return {
        KEY: key,
        "record_id": clean(record_id),
        "html": build_table(fields, schema),
        **question_data(schema.grade.question),
    }
