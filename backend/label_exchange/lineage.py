"""Where labels come from, told in each exported row: people, guideline, suggestions, decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backend.label_exchange.schemas import AnnotationRow, LabelRow
from backend.loop.answers import RecordAnswers
from backend.loop.withheld import is_withheld
from backend.models import Annotation, Annotator, ConsensusLabel, Decision, Record, Task

MORE_LIKELY_THAN_NOT = 0.5
"""Probability above which yes is the likelier answer."""


@dataclass(frozen=True)
class Lineage:
    """What the rows of one export share."""

    dataset: str
    annotators: Mapping[int, Annotator]
    authors: Sequence[str]
    guidelines: Sequence[tuple[int, datetime]]
    has_pseudonyms: bool
    is_blind_on_audit: bool
    exported_at: datetime
    assay_version: str

    def annotator(self, annotator_id: int | None) -> str | None:
        """The person's e-mail address, or a name that says nothing; None if unknown."""
        if annotator_id is None:
            return None
        person = self.annotators.get(annotator_id)
        if self.has_pseudonyms or person is None:
            return f"annotator-{annotator_id}"
        return person.email or person.name or f"annotator-{annotator_id}"

    def author(self, name: str) -> str:
        """The decision's author, or a name that says nothing."""
        if not self.has_pseudonyms:
            return name
        return f"reviewer-{self.authors.index(name) + 1}" if name in self.authors else "reviewer"

    def guideline(self, moment: datetime | None) -> int | None:
        """Version of the guideline that was in force at that moment."""
        found = [version for version, since in self.guidelines if moment and since <= moment]
        return found[-1] if found else None

    def version_shown(
        self, task: Task, row: Annotation | None, versions: Mapping[int, int]
    ) -> str | None:
        """The model version whose suggestion the annotator saw.

        Label Studio's own snapshot says it where there is one; else it is the suggestion that was
        pushed with the task, unless it was withheld.
        """
        snapshot = (row.prediction_snapshot if row else None) or {}
        if snapshot.get("model_version"):
            return str(snapshot["model_version"])
        if is_withheld(task, is_blind_on_audit=self.is_blind_on_audit):
            return None
        number = versions.get(task.id)
        return None if number is None else f"v{number}"


def label_row(
    record: Record,
    consensus: ConsensusLabel | None,
    decision: Decision | None,
    held: RecordAnswers,
    *,
    lineage: Lineage,
    versions: Mapping[int, int],
    current_hash: str | None,
) -> LabelRow:
    """The record's label: the decision if one is given, else the consensus."""
    said = sorted([*held.answers, *held.skips], key=lambda row: row.label_studio_annotation_id)
    shown = {task.id: lineage.version_shown(task, None, versions) for task in held.tasks}
    tasks = {task.id: task for task in held.tasks}
    answers = [
        {
            "annotation_id": row.label_studio_annotation_id,
            "revision": row.revision,
            "annotator": lineage.annotator(row.annotator_id),
            "grade": row.grade,
            "was_cancelled": row.was_cancelled,
            "annotated_at": row.annotated_at,
            "revised_at": row.revised_at,
            "origins": row.origins,
            "model_version_shown": lineage.version_shown(tasks[row.task_id], row, versions),
            "guideline_version": lineage.guideline(row.revised_at),
        }
        for row in said
    ]
    seen = [lineage.version_shown(tasks[row.task_id], row, versions) for row in said] or list(
        shown.values()
    )
    made_at = (
        decision.created_at if decision else max((row.revised_at for row in said), default=None)
    )
    people = dict.fromkeys(str(each["annotator"]) for each in answers if each["annotator"])
    return LabelRow(
        external_id=record.external_id,
        kind=record.kind,
        **_label(consensus, decision, held.answers),
        issue_probabilities=dict(consensus.issues) if consensus else {},
        field_probabilities=dict(consensus.faulty_fields) if consensus else {},
        votes=consensus.votes if consensus else 0,
        skips=consensus.skips if consensus else 0,
        is_complete=consensus.is_complete if consensus else False,
        is_audit=held.task.is_audit,
        dataset=lineage.dataset,
        source=record.source,
        observed_at=record.observed_at,
        content_hash=record.content_hash,
        current_content_hash=current_hash,
        task_ids=[task.id for task in held.tasks],
        label_studio_task_ids=[
            task.label_studio_task_id for task in held.tasks if task.label_studio_task_id
        ],
        annotation_ids=[row.label_studio_annotation_id for row in said],
        annotators=list(people),
        answers=answers,
        consensus_method=consensus.method if consensus else None,
        consensus_fingerprint=consensus.fingerprint if consensus else None,
        consensus_at=consensus.computed_at if consensus else None,
        decision_id=decision.id if decision else None,
        decision_author=lineage.author(decision.author) if decision else None,
        decision_reason=decision.reason if decision else None,
        decided_at=decision.created_at if decision else None,
        guideline_version=lineage.guideline(made_at),
        model_version_shown=next((each for each in seen if each), None),
        exported_at=lineage.exported_at,
        assay_version=lineage.assay_version,
        fields=dict(record.fields),
    )


def _label(
    consensus: ConsensusLabel | None, decision: Decision | None, answers: Sequence[Annotation]
) -> dict[str, Any]:
    if decision is not None:
        is_ambiguous = decision.action == "ambiguous"
        return {
            "label_from": "ambiguous" if is_ambiguous else "gold",
            "grade": None if is_ambiguous else decision.grade,
            "issues": list(decision.issues),
            "faulty_fields": list(decision.faulty_fields),
            "corrected_values": dict(decision.corrected_values),
            "soft_label": dict(decision.soft_label)
            if is_ambiguous
            else {decision.grade or "": 1.0},
            "confidence": None,
        }
    assert consensus is not None
    fields = _likely(consensus.faulty_fields)
    return {
        "label_from": "consensus",
        "grade": consensus.grade,
        "issues": _likely(consensus.issues),
        "faulty_fields": fields,
        "corrected_values": _agreed_corrections(fields, answers),
        "soft_label": dict(consensus.probabilities),
        "confidence": consensus.confidence,
    }


def _likely(shares: Mapping[str, float]) -> list[str]:
    return [name for name, share in shares.items() if share > MORE_LIKELY_THAN_NOT]


def _agreed_corrections(fields: Sequence[str], answers: Sequence[Annotation]) -> dict[str, str]:
    """Field to the value that more than half of the answers corrected it to."""
    agreed = {}
    for name in fields:
        values = [row.corrected_values[name] for row in answers if name in row.corrected_values]
        for value in sorted(set(values)):
            if 2 * values.count(value) > len(answers):
                agreed[name] = value
    return agreed


def annotation_row(
    task: Task,
    record: Record,
    row: Annotation,
    *,
    lineage: Lineage,
    versions: Mapping[int, int],
    current_hash: str | None,
) -> AnnotationRow:
    """One person's answer."""
    return AnnotationRow(
        external_id=record.external_id,
        kind=record.kind,
        annotation_id=row.label_studio_annotation_id,
        revision=row.revision,
        annotator=lineage.annotator(row.annotator_id),
        grade=row.grade,
        issues=list(row.issues),
        faulty_fields=list(row.faulty_fields),
        corrected_values=dict(row.corrected_values),
        rationale=row.rationale,
        was_cancelled=row.was_cancelled,
        ground_truth=row.ground_truth,
        problems=list(row.problems),
        origins=dict(row.origins),
        lead_time=row.lead_time,
        result=row.result,
        annotated_at=row.annotated_at,
        revised_at=row.revised_at,
        received_by=row.via,
        task_id=task.id,
        label_studio_task_id=task.label_studio_task_id,
        purpose=task.purpose,
        attempt=task.attempt,
        is_audit=task.is_audit,
        dataset=lineage.dataset,
        source=record.source,
        observed_at=record.observed_at,
        content_hash=record.content_hash,
        current_content_hash=current_hash,
        guideline_version=lineage.guideline(row.revised_at),
        model_version_shown=lineage.version_shown(task, row, versions),
        exported_at=lineage.exported_at,
        assay_version=lineage.assay_version,
        fields=dict(record.fields),
    )
