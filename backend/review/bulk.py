"""One action on many cases: shown first, applied to what was shown, undone as one."""

from collections import Counter
from collections.abc import Sequence
from uuid import uuid4

from sqlmodel import Session

from backend.core.clock import Clock
from backend.core.exceptions import AppError, Conflict, InvalidInput, NotFound
from backend.models import ConsensusLabel, Prediction, Project, Record, ReviewCase
from backend.projects.service import label_schema_of
from backend.review import decision_repository, queue_repository, repository
from backend.review.decisions import Decisions
from backend.review.schemas import (
    BulkPreview,
    BulkRequest,
    BulkResult,
    BulkSummary,
    CaseSummary,
    DecisionRequest,
    UndoResult,
)
from backend.review.service import summary_of
from backend.words import Message
from labeling.label_schema import LabelSchema

SAMPLE = 10
"""Cases shown before many are decided at once. Chosen: as many as are looked at."""
NEWEST = 3
"""Bulk actions that are listed to be undone. Chosen: a mistake is noticed soon."""
LIKELY = 0.5
"""Probability above which yes is the likelier answer."""
Row = tuple[ReviewCase, Record, ConsensusLabel | None]


class BulkDecisions:
    """Decisions on many cases, within one transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._decisions = Decisions(session, clock)

    def preview(self, project: Project, request: BulkRequest) -> BulkPreview:
        """What the action would do; nothing is done."""
        rows = self._rows(project, request)
        planned, refused = self._plan(project, request, rows)
        outcomes = Counter(decision.grade or decision.action for _, decision in planned)
        schema = label_schema_of(project)
        return BulkPreview(
            total=queue_repository.count(self._session, project.id, request.filter),
            applicable=len(planned),
            outcomes=dict(outcomes.most_common()),
            refused=dict(refused),
            case_versions={case.id: case.version for (case, _, _), _ in planned},
            sample=[CaseSummary(**summary_of(*row, schema)) for row, _ in planned[:SAMPLE]],
        )

    def apply(self, project: Project, request: BulkRequest, *, author: str) -> BulkResult:
        """Every case that still is as the preview showed it is decided; the others are named.

        Raises:
            InvalidInput: the versions that the preview told are missing.
        """
        if not request.case_versions:
            raise InvalidInput(
                Message("There are no cases to decide."),
                field="case_versions",
                value=request.case_versions,
                remedy=Message("Ask for a preview and send back the case_versions that it tells."),
            )
        rows = queue_repository.rows(self._session, project.id, sorted(request.case_versions))
        planned, refused = self._plan(project, request, rows)
        bulk_id, conflicts, decided = str(uuid4()), [], 0
        for (case, _, _), decision in planned:
            read = request.case_versions[case.id]
            if case.version != read:
                conflicts.append(case.id)
                continue
            wanted = decision.model_copy(update={"version": read})
            self._decisions.decide(project, case.id, wanted, author=author, bulk_id=bulk_id)
            decided += 1
        return BulkResult(
            bulk_id=bulk_id, decided=decided, conflicts=conflicts, refused=dict(refused)
        )

    def undo(self, project: Project, bulk_id: str, *, author: str) -> UndoResult:
        """Every case of the bulk action that nobody changed since is as it was before.

        Raises:
            NotFound: there is no such bulk action.
        """
        rows = decision_repository.of_bulk(self._session, project.id, bulk_id)
        made = [row for row in rows if row.action != "undo"]
        if not made:
            raise NotFound(
                Message(
                    "Project {project} has no bulk action {bulk_id}.",
                    project=project.id,
                    bulk_id=bulk_id,
                ),
                field="bulk_id",
                value=bulk_id,
                remedy=Message("The review desk lists the latest ones."),
            )
        gone = {row.undoes_id for row in rows if row.action == "undo"}
        undone, conflicts = 0, []
        for row in made:
            if row.id in gone:
                continue
            try:
                self._decisions.undo(project, row, author=author, bulk_id=bulk_id)
                undone += 1
            except Conflict:
                conflicts.append(row.case_id)
        return UndoResult(undone=undone, conflicts=conflicts)

    def newest(self, project: Project) -> list[BulkSummary]:
        """The latest bulk actions, newest first."""
        return [
            BulkSummary(bulk_id=bulk_id, action=action, author=author, cases=cases, undone=undone)
            for bulk_id, action, author, cases, undone in decision_repository.newest_bulks(
                self._session, project.id, NEWEST
            )
        ]

    def _rows(self, project: Project, request: BulkRequest) -> Sequence[Row]:
        return queue_repository.page(
            self._session, project.id, request.filter, offset=0, limit=request.limit
        )

    def _plan(
        self, project: Project, request: BulkRequest, rows: Sequence[Row]
    ) -> tuple[list[tuple[Row, DecisionRequest]], Counter[str]]:
        schema = label_schema_of(project)
        planned: list[tuple[Row, DecisionRequest]] = []
        refused: Counter[str] = Counter()
        predictions = (
            repository.predictions(self._session, [case.task_id for case, _, _ in rows])
            if request.action == "accept_model"
            else {}
        )
        for row in rows:
            try:
                planned.append((row, _decision(request, row, predictions, schema)))
            except AppError as error:
                refused[error.message] += 1
        return planned, refused


def _decision(
    request: BulkRequest, row: Row, predictions: dict[int, Prediction], schema: LabelSchema
) -> DecisionRequest:
    """The same action, for one case.

    Raises:
        InvalidInput: the case has nothing to accept.
    """
    case, _, held = row
    common = {"version": case.version, "reason": request.reason, "rule": request.rule}
    if request.action in {"send_back", "ambiguous"}:
        return DecisionRequest.model_validate({**common, "action": request.action})
    if request.action == "accept_consensus":
        if held is None or held.grade is None:
            raise InvalidInput(
                Message("the answers tie: there is no consensus to accept"), field="grade"
            )
        grade, issues, fields = held.grade, held.issues, held.faulty_fields
    else:
        said = predictions.get(case.task_id)
        if said is None:
            raise InvalidInput(Message("no classifier had an opinion"), field="grade")
        grade, issues, fields = said.grade, said.issue_probabilities, said.field_probabilities
    return DecisionRequest.model_validate(
        {
            **common,
            "action": "decide",
            "grade": grade,
            "issues": [name for name in schema.issue_values if issues.get(name, 0) > LIKELY],
            "faulty_fields": [name for name in schema.fields if fields.get(name, 0) > LIKELY],
        }
    )
