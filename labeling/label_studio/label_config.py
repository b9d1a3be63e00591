"""The labelling screen of a label schema, as Label Studio's XML.

The record is a table whose value cells can be marked as faulty. Label Studio answers with
the mark's XPath, and ``tr[n]`` of it is the n-th field of the schema (counted from 1).
"""

from collections.abc import Callable
from html import escape
from typing import TypeAlias

from labeling.exceptions import LabelConfigInvalid
from labeling.label_schema import LabelSchema
from labeling.label_studio.choice_tags import choice_tags, header_style, header_value, quote
from labeling.label_studio.controls import (
    AGAINST_LABEL,
    CORRECTED,
    EVIDENCE,
    FAULTY,
    FAULTY_LABEL,
    ISSUES,
    RATIONALE,
    RECORD,
    SUPPORTS_LABEL,
)
from labeling.label_studio.predictions import EvidenceMark, Suggestion, build_prediction
from labeling.label_studio.tasks import build_task_data
from labeling.words import Words

_GRADE_KEYS = "123456789"
_ISSUE_KEYS = "asdfghjklzxcvbnm"
_STYLE = """
.assay-screen{display:flex;flex-wrap:wrap;gap:24px;align-items:flex-start}
.assay-record{flex:3 1 460px;min-width:0}
.assay-table{border:1px solid #d9d9d9;border-radius:8px;padding:8px;margin:8px 0;background:#fff}
.assay-questions{flex:2 1 320px;min-width:0}
.assay-question{margin-bottom:20px}
.assay-question .lsf-choice{line-height:28px}
.assay-hint :is(h1,h2,h3,h4,h5,h6){font-size:13px;font-weight:400;line-height:1.5;opacity:.75}
"""
_EVIDENCE_STYLE = """
.assay-evidence{display:flex;flex-wrap:wrap;align-items:center;gap:0 12px;pointer-events:none}
.assay-evidence .lsf-labels{margin:0}
.assay-evidence [class*=hotkey]{display:none}
"""
_EVIDENCE_HINT = Words("Why this is suggested")
_HINT = Words("Press q, then select the value that is faulty")
_CHOOSE = Words("please choose")
_ISSUES = Words("Issues")
_RATIONALE_TITLE = Words("Rationale")
_FAULTY = Words("faulty")
_RATIONALE = Words("rationale")
_CORRECTION_HINT = Words("Click a mark to give the corrected value")
Say: TypeAlias = Callable[[Words], str]
"""The words as annotators read them: in one language or in several."""


def build_label_config(schema: LabelSchema, *, evidence: bool = True, say: Say = str) -> str:
    """The labelling config of the schema, checked before use; its words are what ``say`` makes.

    The record stands beside the questions; on a narrow screen above them. With ``evidence``
    suggestions may mark what spoke for and against them; such marks are no part of an answer.

    Raises:
        LabelConfigInvalid: Label Studio's own validator does not accept it.
    """
    record = say(Words("Record"))
    xml = "\n".join(
        [
            "<View>",
            f"<Style>{escape(_STYLE + (_EVIDENCE_STYLE if evidence else ''))}</Style>",
            f"<Header value={quote(f'{record} — $record_id')}/>",
            '<View className="assay-screen">',
            '<View className="assay-record">',
            *_record(schema, evidence, say),
            "</View>",
            '<View className="assay-questions">',
            *_grade(schema, say),
            *_issues(schema, say),
            *_rationale(schema, say),
            "</View>",
            "</View>",
            "</View>",
        ]
    )
    validate_label_config(xml, schema, evidence=evidence)
    return xml


def has_evidence(label_config: str) -> bool:
    """True if suggestions may mark their evidence on that screen."""
    return f'name="{EVIDENCE}"' in label_config


def _evidence(say: Say) -> list[str]:
    """The legend of the marks, out of reach of mouse and plain keys: it is no tool."""
    supports, against = say(Words("supports")), say(Words("against"))
    return [
        '<View className="assay-evidence assay-hint">',
        f'<Header value={quote(say(_EVIDENCE_HINT))} size="6"/>',
        f'<HyperTextLabels name="{EVIDENCE}" toName="{RECORD}">',
        f'<Label value={quote(supports)} alias="{SUPPORTS_LABEL}" background="#389e0d" '
        'hotkey="ctrl+alt+8"/>',
        f'<Label value={quote(against)} alias="{AGAINST_LABEL}" background="#2f54eb" '
        'hotkey="ctrl+alt+9"/>',
        "</HyperTextLabels>",
        "</View>",
    ]


def _record(schema: LabelSchema, evidence: bool, say: Say) -> list[str]:
    table = f'<View className="assay-table"><HyperText name="{RECORD}" value="$html"/></View>'
    table_parts = [table, *(_evidence(say) if evidence else ())]
    if not schema.faulty_fields:
        return table_parts
    told = [_HINT, *([_CORRECTION_HINT] if schema.corrected_value else ())]
    hints = "".join(f'<Header value={quote(say(hint))} size="6"/>' for hint in told)
    lines = [
        f'<View className="assay-hint">{hints}</View>',
        f'<HyperTextLabels name="{FAULTY}" toName="{RECORD}">',
        f'<Label value={quote(say(_FAULTY))} alias="{FAULTY_LABEL}" '
        'background="#d4380d" hotkey="q"/>',
        "</HyperTextLabels>",
        *table_parts,
    ]
    if schema.corrected_value:
        wanted = say(Words("corrected value of the marked field"))
        box = (
            f'<TextArea name="{CORRECTED}" toName="{RECORD}" perRegion="true" maxSubmissions="1" '
            f'editable="true" placeholder={quote(f"{wanted} (Enter)")}/>'
        )
        is_faulty = f'visibleWhen="region-selected" whenTagName="{FAULTY}"'
        lines.append(f"<View {is_faulty}>{box}</View>" if evidence else box)
    return lines


def _grade(schema: LabelSchema, say: Say) -> list[str]:
    title = schema.grade.question
    name = quote(schema.grade.name)
    return [
        '<View className="assay-question">',
        f'<Header value={header_value(title)} size="5"{header_style(title)}/>',
        f'<Choices name={name} toName="{RECORD}" choice="single-radio" required="true" '
        f'showInLine="true" requiredMessage={quote(f"{say(_CHOOSE)}: {title}")}>',
        *choice_tags(schema.grade.choices, _GRADE_KEYS),
        "</Choices>",
        "</View>",
    ]


def _issues(schema: LabelSchema, say: Say) -> list[str]:
    if not schema.issues:
        return []
    return [
        '<View className="assay-question">',
        f'<Header value={quote(say(_ISSUES))} size="5"/>',
        f'<Choices name="{ISSUES}" toName="{RECORD}" choice="multiple" layout="vertical">',
        *choice_tags(schema.issues, _ISSUE_KEYS),
        "</Choices>",
        "</View>",
    ]


def _rationale(schema: LabelSchema, say: Say) -> list[str]:
    if not schema.rationale:
        return []
    hint = quote(f"{say(_RATIONALE)} (Shift+Enter)")
    return [
        '<View className="assay-question">',
        f'<Header value={quote(say(_RATIONALE_TITLE))} size="5"/>',
        f'<TextArea name="{RATIONALE}" toName="{RECORD}" rows="2" maxSubmissions="1" '
        f'editable="true" placeholder={hint}/>',
        "</View>",
    ]


def validate_label_config(xml: str, schema: LabelSchema, *, evidence: bool = True) -> None:
    """The config is one that Label Studio accepts, with a task and a prediction of ours.

    Raises:
        LabelConfigInvalid: it is not; the message says what its validator found.
    """
    from label_studio_sdk.label_interface import LabelInterface

    record = dict.fromkeys(schema.fields, "x")
    data = build_task_data("key", "1", record, schema)
    suggestion = Suggestion(
        grade=schema.grades[0],
        score=0.5,
        issues=dict.fromkeys(schema.issue_values, 0.5),
        faulty_fields={schema.fields[0]: 0.5} if schema.faulty_fields else {},
        model_version="v1",
        evidence=[EvidenceMark(schema.fields[0], 1.0)] if evidence else [],
    )
    try:
        interface = LabelInterface(xml)
        interface.validate()
        if not interface.validate_task({"data": data}):
            raise LabelConfigInvalid(Words("A task of ours does not fit the labelling config."))
        problems = interface.validate_prediction(
            build_prediction(suggestion, record, schema), return_errors=True
        )
    except LabelConfigInvalid:
        raise
    except Exception as error:  # the SDK raises its own and bare exceptions alike
        raise LabelConfigInvalid(
            Words("The labelling config is not valid: {error}", error=error)
        ) from error
    if problems:
        raise LabelConfigInvalid(
            Words("A prediction does not fit the labelling config: {problems}", problems=problems)
        )
