"""What the newest model version says about labels: keep it, show it, ask for it."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlmodel import Session

from backend.audit.service import AuditTrail
from backend.core.clock import Clock
from backend.core.exceptions import Conflict
from backend.jobs.queue import enqueue
from backend.loop.answer_repository import answers_of
from backend.loop.service import LoopService
from backend.models import LabelFinding, ModelVersion, Project, Record, Task
from backend.projects.service import ProjectsService, label_schema_of
from backend.projects.titles import with_titles
from backend.registry.repository import ASSESSMENT
from backend.registry.service import RegistryService
from backend.suspected_labels import repository
from backend.suspected_labels.schemas import (
    AUDIT_GROUP,
    Assessment,
    FindingKind,
    LabelFindingPage,
    LabelFindingPublic,
    SuspectedAnswerPublic,
)
from backend.words import Message

ASSESS = "training.assess_labels"
EXPORT_PAGE = 500
"""Chosen: bounds memory while findings are written out."""


class LabelFindings:
    """Findings about the labels of all projects, within one transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def keep(self, version: ModelVersion, assessment: Assessment) -> None:
        """The version, whose findings are stored, has this assessment; the review desk follows."""
        held = repository.version(self._session, version.id)
        assert held is not None
        repository.keep_assessment(self._session, held, assessment.model_dump(round_trip=True))
        project = ProjectsService(self._session, self._clock).get(version.project_id)
        LoopService(self._session, self._clock).request_review(project, is_full=True)

    def newest_assessment(self, project_id: int) -> tuple[ModelVersion, Assessment] | None:
        """The newest model version whose labels were assessed, and what was measured."""
        version = RegistryService(self._session, self._clock).assessed_version(project_id)
        if version is None:
            return None
        return version, Assessment.model_validate(version.metrics[ASSESSMENT])

    def page(
        self, project: Project, kind: FindingKind, *, offset: int = 0, limit: int = 100
    ) -> LabelFindingPage:
        """Findings of the newest assessed version, the most telling first."""
        found = self.newest_assessment(project.id)
        if found is None:
            return LabelFindingPage(
                model_version=None, assessment=None, total=0, next_offset=None, items=[]
            )
        version, assessment = found
        total = repository.count(self._session, version.id, kind)
        rows = repository.findings(self._session, version.id, kind, offset=offset, limit=limit)
        end = offset + len(rows)
        return LabelFindingPage(
            model_version=version.number,
            assessment=assessment,
            total=total,
            next_offset=end if rows and end < total else None,
            items=self._public(project, rows),
        )

    def export(self, project: Project, kind: FindingKind) -> Iterator[LabelFindingPublic]:
        """All of them in order, a page in memory at a time."""
        offset: int | None = 0
        while offset is not None:
            page = self.page(project, kind, offset=offset, limit=EXPORT_PAGE)
            yield from page.items
            offset = page.next_offset

    def count(self, project_id: int, kind: FindingKind) -> int:
        """How many findings of that kind the newest assessed version has."""
        found = self.newest_assessment(project_id)
        return repository.count(self._session, found[0].id, kind) if found else 0

    def suspicions(self, project_id: int) -> list[tuple[str, float]]:
        """(grade, suspicion) of every label that was judged."""
        found = self.newest_assessment(project_id)
        return list(repository.suspicions(self._session, found[0].id)) if found else []

    def request(self, project: Project, *, actor: str) -> str | None:
        """The labels of the newest model version are judged; None if they were already.

        Raises:
            Conflict: there is no model version yet.
        """
        versions = repository.versions(self._session, project.id)
        if not versions:
            raise Conflict(
                Message("Project {project} has no model version yet.", project=project.id),
                field="project",
                value=project.id,
                remedy=Message("Label the first batch; a model version is trained then."),
            )
        if ASSESSMENT in versions[0].metrics:
            return None
        AuditTrail(self._session, self._clock).append(
            actor, "labels.assessment_requested", f"project:{project.id}"
        )
        now = self._clock()
        return enqueue(
            self._session,
            ASSESS,
            project_id=project.id,
            args={"model_version_id": versions[0].id},
            key=f"by-hand:{now.isoformat(timespec='seconds')}",
            now=now,
        )

    def _public(
        self, project: Project, rows: Sequence[tuple[LabelFinding, Task, Record]]
    ) -> list[LabelFindingPublic]:
        schema = label_schema_of(project)
        answers = self._answers(project, [task.id for _, task, _ in rows])
        # A copy of a task has no case of its own: the record's first task has.
        firsts = {task.id: task.original_id or task.id for _, task, _ in rows}
        cases = repository.case_ids(self._session, sorted(set(firsts.values())))
        return [
            LabelFindingPublic(
                task_id=finding.task_id,
                record_id=record.id,
                external_id=record.external_id,
                fields=schema.shown_fields(record.fields),
                label_studio_task_id=task.label_studio_task_id,
                case_id=cases.get(firsts[task.id]),
                is_audit=task.is_audit,
                grade=finding.grade,
                suggested=finding.suggested,
                suspicion=finding.suspicion,
                is_suspect=finding.is_suspect,
                value=None if finding.value_group == AUDIT_GROUP else finding.value,
                value_group=finding.value_group,
                relabel_score=finding.relabel_score,
                reason_message=with_titles(finding.reason, schema),
                answers=answers.get(finding.task_id, []),
            )
            for finding, task, record in rows
        ]

    def _answers(
        self, project: Project, task_ids: list[int]
    ) -> dict[int, list[SuspectedAnswerPublic]]:
        """Task id to what its annotators say now."""
        held = answers_of(self._session, project.id, task_ids=task_ids)
        given = [
            (task_id, row)
            for task_id, each in held.items()
            for row in each.answers
            if row.grade is not None
        ]
        people = {row.annotator_id for _, row in given if row.annotator_id is not None}
        names = repository.annotator_names(self._session, sorted(people))
        found: dict[int, list[SuspectedAnswerPublic]] = {}
        for task_id, row in given:
            answer = SuspectedAnswerPublic(
                annotator=names.get(row.annotator_id or 0, "?"), grade=str(row.grade)
            )
            found.setdefault(task_id, []).append(answer)
        return found


def request_assessment(
    session: Session, project_id: int, model_version_id: int, now: datetime
) -> str:
    """The labels that the model version learnt from will be judged; the job's id.

    Call it when a retraining ends. Asking again for the same version changes nothing.
    """
    return enqueue(
        session,
        ASSESS,
        project_id=project_id,
        args={"model_version_id": model_version_id},
        key=str(model_version_id),
        now=now,
    )
