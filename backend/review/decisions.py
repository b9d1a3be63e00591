"""Deciding cases: one at a time, on the version that the author has read."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from backend.audit.service import AuditTrail
from backend.core.clock import Clock
from backend.core.exceptions import Conflict, InvalidInput, NotFound
from backend.loop.service import LoopService
from backend.models import Decision, Project, ReviewCase
from backend.projects.service import label_schema_of
from backend.review import decision_repository, repository
from backend.review.schemas import Action, DecisionRequest
from backend.review.sending_back import SendingBack
from backend.words import Message
from labeling.label_schema import LabelSchema

STATE_AFTER: dict[str, str] = {
    "decide": "decided",
    "ambiguous": "ambiguous",
    "send_back": "sent_back",
    "reopen": "open",
}


class Decisions:
    """Decisions of all projects, within one transaction; each leaves a row and an audit event."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def decide(
        self,
        project: Project,
        case_id: int,
        request: DecisionRequest,
        *,
        author: str,
        bulk_id: str | None = None,
    ) -> Decision:
        """The case is as the request says, and the decision is a new row.

        Raises:
            NotFound: the project has no such case.
            Conflict: somebody, or new answers, changed the case since it was read.
            InvalidInput: a value that the label schema does not have, or none where one is needed.
        """
        case = self.case(project, case_id)
        if case.version != request.version:
            raise self._conflict(case, request.version)
        decision = self._row(project, case, request, author=author, bulk_id=bulk_id)
        if request.action == "send_back":
            SendingBack(self._session, self._clock).send(project, case, request.assignee_id)
        decision_repository.add(self._session, decision)
        values: dict[str, Any] = {}
        if request.action in STATE_AFTER:
            values["state"] = STATE_AFTER[request.action]
        if request.action in {"decide", "ambiguous"}:
            values["decision_id"] = decision.id
        if request.action == "reopen":
            values["decision_id"] = None
            if self._was_sent_back(case):
                SendingBack(self._session, self._clock).take_back(project, case)
        self._change(case, request.version, values)
        self._note(project, decision)
        if request.action == "send_back":
            SendingBack(self._session, self._clock).tell(project, case, decision)
        # How many answers are wanted has changed where one was asked for or is no longer.
        LoopService(self._session, self._clock).request_review(project)
        return decision

    def undo(
        self, project: Project, decision: Decision, *, author: str, bulk_id: str | None = None
    ) -> Decision:
        """The case is as before the decision; what was done since forbids it.

        A task that was sent back stays in Label Studio: what is answered there is not lost.

        Raises:
            Conflict: the case was changed after the decision.
        """
        case = self.case(project, decision.case_id)
        if not self.can_be_undone(case, decision):
            raise self._conflict(case, decision.case_version + 1)
        before = decision_repository.standing_before(self._session, decision.case_id, decision.id)
        state = self._state_before(project, case, decision.id)
        row = decision_repository.add(
            self._session,
            Decision(
                case_id=decision.case_id,
                action="undo",
                undoes_id=decision.id,
                author=author,
                bulk_id=bulk_id,
                case_version=case.version,
                created_at=self._clock(),
            ),
        )
        if decision.action == "send_back":
            SendingBack(self._session, self._clock).take_back(project, case)
        values = {"state": state, "decision_id": before.id if before else None}
        self._change(case, case.version, values)
        self._note(project, row)
        LoopService(self._session, self._clock).request_review(project)
        return row

    def can_be_undone(self, case: ReviewCase, decision: Decision) -> bool:
        """True while nothing has come after the decision, and where it has changed something."""
        if decision.action not in STATE_AFTER:
            return False
        if case.version == decision.case_version + 1:
            return True
        # The record that was sent back is complete no more: a refresh drops the case's reasons.
        last = decision_repository.of_case(self._session, case.id)[-1]
        return case.state == "sent_back" and last.id == decision.id

    def decision(self, project: Project, case_id: int, decision_id: int) -> Decision:
        """The decision on the project's case.

        Raises:
            NotFound: there is no such case, or no such decision on it.
        """
        case = self.case(project, case_id)
        decision = decision_repository.get(self._session, decision_id)
        if decision is None or decision.case_id != case.id:
            raise NotFound(
                Message(
                    "Case {case} has no decision {decision}.", case=case_id, decision=decision_id
                ),
                field="decision_id",
                value=decision_id,
                remedy=Message("The history of the case lists its decisions."),
            )
        return decision

    def case(self, project: Project, case_id: int) -> ReviewCase:
        """The project's case.

        Raises:
            NotFound: there is none with that id.
        """
        case = repository.case(self._session, case_id)
        if case is None or case.project_id != project.id:
            raise NotFound(
                Message(
                    "Project {project} has no review case {case_id}.",
                    project=project.id,
                    case_id=case_id,
                ),
                field="case_id",
                value=case_id,
                remedy=Message("The review desk lists the cases."),
            )
        return case

    def _row(
        self,
        project: Project,
        case: ReviewCase,
        request: DecisionRequest,
        *,
        author: str,
        bulk_id: str | None,
    ) -> Decision:
        schema = label_schema_of(project)
        check_values(schema, request)
        if request.action == "note" and not request.reason.strip():
            raise InvalidInput(
                Message("The note is empty."),
                field="reason",
                value="",
                remedy=Message("Write what to remember."),
            )
        soft: Mapping[str, float] = {}
        if request.action == "ambiguous":
            soft = request.soft_label or self._answered_probabilities(case, schema)
        is_label = request.action == "decide"
        return Decision(
            case_id=case.id,
            action=request.action,
            grade=request.grade if is_label else None,
            issues=list(request.issues) if is_label else [],
            faulty_fields=list(request.faulty_fields) if is_label else [],
            corrected_values=dict(request.corrected_values) if is_label else {},
            soft_label=dict(soft),
            reason=request.reason.strip(),
            rule=request.rule or None,
            assignee_id=request.assignee_id if request.action == "send_back" else None,
            author=author,
            bulk_id=bulk_id,
            case_version=case.version,
            seen=[what for reason in case.reasons for what in reason.get("about", ())],
            created_at=self._clock(),
        )

    def _was_sent_back(self, case: ReviewCase) -> bool:
        standing = decision_repository.not_undone(self._session, case.id)
        return any(row.action == "send_back" for row in standing)

    def _state_before(self, project: Project, case: ReviewCase, decision_id: int) -> str:
        """The case's state before that decision; open where an answer came that was awaited."""
        earlier = [
            row.action
            for row in decision_repository.not_undone(self._session, case.id)
            if row.id < decision_id and row.action in STATE_AFTER
        ]
        state = STATE_AFTER[earlier[-1]] if earlier else "open"
        if state != "sent_back":
            return state
        is_awaited = SendingBack(self._session, self._clock).is_awaited(project, case)
        return state if is_awaited else "open"

    def _answered_probabilities(self, case: ReviewCase, schema: LabelSchema) -> Mapping[str, float]:
        held = repository.consensus(self._session, case.task_id)
        if held is None or not held.probabilities:
            return {grade: 1.0 / len(schema.grades) for grade in schema.grades}
        return held.probabilities

    def _change(self, case: ReviewCase, version: int, values: Mapping[str, Any]) -> None:
        if not repository.change_case(self._session, case.id, version, values, self._clock()):
            raise self._conflict(case, version)

    def _conflict(self, case: ReviewCase, read: int) -> Conflict:
        history = decision_repository.of_case(self._session, case.id)
        later = [row for row in history if row.case_version >= read]
        what = Message(
            "Case {case} is not as you read it: new answers or findings have come in.", case=case.id
        )
        if later:
            what = Message(
                "Case {case} is not as you read it: {author} has since chosen '{action}'.",
                case=case.id,
                author=later[-1].author,
                action=later[-1].action,
            )
        return Conflict(
            what,
            field="version",
            value=read,
            remedy=Message("Read the case again and decide then; nothing of yours was stored."),
        )

    def _note(self, project: Project, decision: Decision) -> None:
        detail: dict[str, Any] = {"case": decision.case_id, "decision": decision.id}
        if decision.bulk_id:
            detail["bulk"] = decision.bulk_id
        AuditTrail(self._session, self._clock).append(
            decision.author, f"case.{decision.action}", f"project:{project.id}", detail
        )


def check_values(schema: LabelSchema, request: DecisionRequest) -> None:
    """Do nothing if the label schema knows every value of the request.

    Raises:
        InvalidInput: it does not know one, or the grade is missing.
    """
    action: Action = request.action
    if action == "decide" and request.grade is None:
        raise InvalidInput(
            Message("The decision chooses nothing."),
            field="grade",
            value=None,
            remedy=Message(
                "Choose one of {grades}, or mark it as ambiguous.", grades=schema.grades
            ),
        )
    soft = request.soft_label or {}
    for field, given, known in (
        ("grade", [request.grade] if request.grade is not None else [], schema.grades),
        ("issues", request.issues, schema.issue_values),
        ("faulty_fields", request.faulty_fields, schema.fields),
        ("corrected_values", list(request.corrected_values), schema.fields),
        ("soft_label", list(soft), schema.grades),
    ):
        for value in given:
            if value not in known:
                raise InvalidInput(
                    Message("{field} cannot be {value!r}.", field=field, value=value),
                    field=field,
                    value=value,
                    remedy=Message("The label schema has: {values}.", values=known),
                )
    if soft and (min(soft.values()) < 0 or abs(sum(soft.values()) - 1.0) > 0.01):
        raise InvalidInput(
            Message("The probabilities of a soft label must not be below 0 and must sum to 1."),
            field="soft_label",
            value=soft,
            remedy=Message("Leave it empty to take the shares of the answers."),
        )
