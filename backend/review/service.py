"""The review desk: the queue, a case with everything that bears on it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from active_learning.encoders.record_text import record_text
from backend.core.clock import Clock
from backend.loop.answer_repository import answers_of
from backend.loop.answers import is_imported
from backend.models import Annotation, ConsensusLabel, Decision, Project, Record, ReviewCase, Task
from backend.projects.service import label_schema_of
from backend.projects.titles import with_titles
from backend.review import decision_repository, queue_repository, repository
from backend.review.decisions import Decisions
from backend.review.schemas import (
    CaseAnswerPublic,
    CaseFilter,
    CasePage,
    CasePublic,
    CaseSummary,
    DecisionPublic,
    LastDecision,
    ModelView,
    ReviewReasonPublic,
    SimilarCase,
)
from backend.review.similar import most_similar
from backend.words import Message
from labeling.label_schema import LabelSchema

PRECEDENTS = 300
"""Decided cases, newest first, that are compared. Chosen: a page does not wait for more."""
SIMILAR = 5
"""Chosen: as many as are read beside a case."""


class ReviewDesk:
    """Review cases of all projects, within one transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def page(
        self,
        project: Project,
        wanted: CaseFilter,
        *,
        offset: int = 0,
        limit: int = 50,
        state_counts: Mapping[str, int] | None = None,
    ) -> CasePage:
        """Cases that fit, the most valuable first.

        ``state_counts``: those of the project, where the caller has counted already.
        """
        if state_counts is not None and wanted == CaseFilter(state=wanted.state):
            counts = state_counts
            total = counts.get(wanted.state, 0) if wanted.state else sum(counts.values())
        else:
            total = queue_repository.count(self._session, project.id, wanted)
        rows = queue_repository.page(self._session, project.id, wanted, offset=offset, limit=limit)
        end, schema = offset + len(rows), label_schema_of(project)
        return CasePage(
            total=total,
            next_offset=end if rows and end < total else None,
            items=[CaseSummary(**summary_of(*row, schema)) for row in rows],
        )

    def state_counts(self, project: Project) -> dict[str, int]:
        """State to the number of its cases."""
        return queue_repository.state_counts(self._session, project.id)

    def reason_counts(self, project: Project, state: str = "open") -> dict[str, int]:
        """Reason's code to the number of cases of that state that have it."""
        return queue_repository.reason_counts(self._session, project.id, state)

    def kinds(self, project: Project) -> Sequence[str]:
        """Kinds of records that have cases."""
        return queue_repository.kinds(self._session, project.id)

    def annotators(self, project: Project) -> list[tuple[int, str]]:
        """(id, name) of who answered in the project."""
        return [
            (each.id, each.name or each.email or f"#{each.label_studio_user_id}")
            for each in repository.annotators(self._session, project.id)
        ]

    def rules(self, project: Project) -> list[str]:
        """Names of the rules of the project's newest guideline."""
        guideline = repository.newest_guideline(self._session, project.id)
        return [str(rule["name"]) for rule in guideline.rules] if guideline else []

    def case(self, project: Project, case_id: int, wanted: CaseFilter | None = None) -> CasePublic:
        """The case with its record, answers, the classifier's view, precedents and history.

        ``wanted``: the queue in which the cases before and after it are looked for.

        Raises:
            NotFound: the project has no such case.
        """
        case = Decisions(self._session, self._clock).case(project, case_id)
        task = repository.task(self._session, case.task_id)
        assert task is not None
        record = repository.record(self._session, task.record_id)
        assert record is not None
        held = repository.consensus(self._session, case.task_id)
        newer = repository.newer_record(self._session, record)
        history = decision_repository.of_case(self._session, case_id)
        queue, schema = wanted or CaseFilter(), label_schema_of(project)
        return CasePublic(
            **summary_of(case, record, held, schema),
            project_id=project.id,
            is_current_record=record.is_current,
            current_fields=schema.shown_fields(newer.fields) if newer else None,
            probabilities=held.probabilities if held else {},
            issues=held.issues if held else {},
            faulty_fields=held.faulty_fields if held else {},
            method=held.method if held else None,
            answers=self.answers(project, task),
            model_view=self._model_view(task),
            decision=next(
                (self._decision(row) for row in history if row.id == case.decision_id), None
            ),
            history=[self._decision(row) for row in history],
            similar=self._similar(project, case, record),
            waits_for=self._waits_for(case, history),
            previous_id=queue_repository.neighbour(self._session, case, queue, is_next=False),
            next_id=queue_repository.neighbour(self._session, case, queue, is_next=True),
        )

    def decisions(self, case_id: int) -> list[DecisionPublic]:
        """What was decided on that case, oldest first."""
        return [self._decision(row) for row in decision_repository.of_case(self._session, case_id)]

    def last_decision(self, project: Project, decision_id: int) -> LastDecision | None:
        """The decision with the record that it is about; None where the project has none such."""
        decision = decision_repository.get(self._session, decision_id)
        case = repository.case(self._session, decision.case_id) if decision else None
        if decision is None or case is None or case.project_id != project.id:
            return None
        task = repository.task(self._session, case.task_id)
        assert task is not None
        record = repository.record(self._session, task.record_id)
        assert record is not None
        return LastDecision(
            decision_id=decision.id,
            case_id=case.id,
            external_id=record.external_id,
            can_be_undone=Decisions(self._session, self._clock).can_be_undone(case, decision),
        )

    def answers(self, project: Project, task: Task) -> list[CaseAnswerPublic]:
        """The answers that count to the record of that first task, then its skips."""
        held = answers_of(self._session, project.id, task_ids=[task.id]).get(task.id)
        if held is None:
            return []
        tasks = repository.copies(self._session, task.id)
        counts = repository.revision_counts(self._session, [each.id for each in tasks])
        names = dict(self.annotators(project))
        imported = {each.id for each in tasks if is_imported(each)}
        copied = {each.id for each in tasks} - imported - {task.id}
        return [
            _answer(row, names, counts, copied=copied, imported=imported)
            for row in (*held.answers, *held.skips)
        ]

    def _model_view(self, task: Task) -> ModelView | None:
        found = repository.prediction(self._session, task.id)
        if found is None:
            return None
        prediction, number = found
        return ModelView(
            model_version=number,
            **prediction.model_dump(
                include={
                    "grade",
                    "score",
                    "grade_probabilities",
                    "issue_probabilities",
                    "field_probabilities",
                    "explanation",
                }
            ),
        )

    def _similar(self, project: Project, case: ReviewCase, record: Record) -> list[SimilarCase]:
        decided = decision_repository.newest_decisions(
            self._session, project.id, case.id, PRECEDENTS
        )
        schema = label_schema_of(project)
        texts = [_text(other, schema) for _, other, _ in decided]
        return [
            SimilarCase(
                case_id=decided[place][0],
                external_id=decided[place][1].external_id,
                similarity=round(cosine, 4),
                grade=decided[place][2].grade,
                issues=decided[place][2].issues,
                reason=decided[place][2].reason,
            )
            for place, cosine in most_similar(_text(record, schema), texts, SIMILAR)
        ]

    def _decision(self, row: Decision) -> DecisionPublic:
        assignee = repository.annotator(self._session, row.assignee_id) if row.assignee_id else None
        return DecisionPublic(
            **row.model_dump(exclude={"case_id", "case_version", "assignee_id"}),
            assignee=(assignee.name or assignee.email) if assignee else None,
        )

    def _waits_for(self, case: ReviewCase, history: Sequence[Decision]) -> str | None:
        if case.state != "sent_back":
            return None
        sent = next((row for row in reversed(history) if row.action == "send_back"), None)
        if sent is None or sent.assignee_id is None:
            return ""
        annotator = repository.annotator(self._session, sent.assignee_id)
        return (annotator.name or annotator.email or "") if annotator else ""


def summary_of(
    case: ReviewCase, record: Record, held: ConsensusLabel | None, schema: LabelSchema
) -> dict[str, Any]:
    """The fields of ``CaseSummary``."""
    return {
        "id": case.id,
        "task_id": case.task_id,
        "record_id": record.id,
        "external_id": record.external_id,
        "kind": case.kind,
        "fields": schema.shown_fields(record.fields),
        "state": case.state,
        "priority": case.priority,
        "grounds": [_ground(reason, schema) for reason in case.reasons],
        "grade": held.grade if held else None,
        "confidence": held.confidence if held else None,
        "votes": held.votes if held else 0,
        "version": case.version,
        "changed_at": case.changed_at,
    }


def _ground(reason: Mapping[str, Any], schema: LabelSchema) -> ReviewReasonPublic:
    message = Message.from_json(reason["reason_message"])
    return ReviewReasonPublic(
        code=reason["code"], weight=reason["weight"], reason_message=with_titles(message, schema)
    )


def _answer(
    row: Annotation,
    names: dict[int, str],
    counts: dict[int, int],
    *,
    copied: set[int],
    imported: set[int],
) -> CaseAnswerPublic:
    return CaseAnswerPublic(
        annotation_id=row.label_studio_annotation_id,
        annotator_id=row.annotator_id,
        annotator=names.get(row.annotator_id or 0, "?"),
        is_deleted_annotator=row.annotator_id is None,
        grade=row.grade,
        issues=row.issues,
        faulty_fields=row.faulty_fields,
        corrected_values=row.corrected_values,
        rationale=row.rationale,
        origins=row.origins,
        was_skipped=row.was_cancelled,
        problems=row.problems,
        lead_time=row.lead_time,
        answered_at=row.revised_at,
        edited_by=(
            names.get(row.updated_by_id, "?")
            if row.updated_by_id is not None and row.updated_by_id != row.annotator_id
            else None
        ),
        revisions=counts.get(row.label_studio_annotation_id, 1),
        is_copy=row.task_id in copied,
        is_imported=row.task_id in imported,
    )


def _text(record: Record, schema: LabelSchema) -> str:
    return record_text(schema.shown_fields(record.fields))
