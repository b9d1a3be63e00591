"""Machine labels for people to read: decisions, labels, the promise, the export."""

from collections.abc import Iterator, Sequence

from sqlmodel import Session

from backend.core.clock import Clock
from backend.core.exceptions import InvalidInput
from backend.machine_labels import repository
from backend.machine_labels.schemas import (
    AcceptancePublic,
    MachineLabelExport,
    MachineLabelPage,
    MachineLabelPublic,
    MachineLabelStatus,
)
from backend.machine_labels.service import AcceptanceService
from backend.machine_labels.words import promise, waiting_reason
from backend.models import MachineLabel, Project
from backend.projects.service import label_schema_of, policy_of
from backend.words import Message

EXPORT_PAGE = 2_000
"""Chosen: bounds memory while labels are written out."""


class MachineLabels:
    """Machine labels of all projects, within one transaction; changes nothing."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._service = AcceptanceService(session, clock)

    def decisions(self, project_id: int) -> Sequence[AcceptancePublic]:
        """Every decision of the project, oldest first."""
        rows = repository.list_all(self._session, project_id)
        standing = self._service.standing_acceptance(project_id)
        return [
            AcceptancePublic(
                **row.model_dump(exclude={"project_id", "model_version_id", "reason"}),
                reason_message=row.reason,
                model_version=number,
                is_standing=standing is not None and row.id == standing.id,
            )
            for row, number in rows
        ]

    def page(
        self, project: Project, *, after: int = 0, limit: int = 100, grade: str | None = None
    ) -> MachineLabelPage:
        """Machine labels that count now, in id order.

        Raises:
            InvalidInput: the label schema has no such grade.
        """
        grades = label_schema_of(project).grades
        if grade is not None and grade not in grades:
            raise InvalidInput(
                Message(
                    "The label schema of project {project} has no grade {grade!r}.",
                    project=project.id,
                    grade=grade,
                ),
                field="grade",
                value=grade,
                remedy=Message("Choose one of: {grades}.", grades=grades),
            )
        standing = self._service.standing_acceptance(project.id)
        if standing is None:
            return MachineLabelPage(labels=[], after=None)
        number = repository.version_number(self._session, standing.model_version_id)
        rows = repository.label_page(self._session, standing, after=after, limit=limit, grade=grade)
        is_last = len(rows) < limit
        return MachineLabelPage(
            labels=[_public(row, external_id, number) for row, external_id in rows],
            after=None if is_last else rows[-1][0].id,
        )

    def export(self, project: Project) -> Iterator[MachineLabelExport]:
        """Every machine label that counts now, with its promise, a page in memory at a time.

        A record that people were asked about since is left out: their answer is the better one.
        """
        standing = self._service.standing_acceptance(project.id)
        if standing is None:
            return
        promised = {
            "target_error": standing.target_error,
            "certainty": 1 - standing.delta,
            "audits": int(standing.evidence.get("audits", 0)),
        }
        after: int | None = 0
        while after is not None:
            page = self.page(project, after=after, limit=EXPORT_PAGE)
            for label in page.labels:
                yield MachineLabelExport(**label.model_dump(), **promised)
            after = page.after

    def status(self, project: Project) -> MachineLabelStatus:
        """How many records are labelled by machine, under which promise, or why not."""
        standing, target = (
            self._service.standing_acceptance(project.id),
            policy_of(project).accept_error,
        )
        last = standing or self._service.latest(project.id)
        if last is None or (target is None and standing is None):
            reason = waiting_reason(target)
            state = "off" if target is None else "undecided"
            return MachineLabelStatus.model_validate(
                {"state": state, "records": 0, "reason_message": reason}
            )
        is_standing = standing is not None
        checks = self._service.checks(project, last) if is_standing else []
        audits = int(last.evidence.get("audits", 0))
        unlabelled = int(last.evidence.get("unlabelled_audits", 0))
        words = promise(last.target_error, last.delta, audits, unlabelled)
        return MachineLabelStatus.model_validate(
            {
                "state": last.state,
                "records": repository.count_labels(self._session, last) if is_standing else 0,
                "target_error": last.target_error,
                "certainty": 1 - last.delta,
                "audits": audits,
                "more_audits_needed": int(last.evidence.get("more_audits_needed", 0)),
                "drawn": repository.count_drawn(self._session, last.id) if is_standing else 0,
                "checked": len(checks),
                "wrong": sum(not check.is_right for check in checks),
                "unconfirmed": sum(check.people is None for check in checks),
                "unlabelled_audits": unlabelled,
                "model_version": repository.version_number(self._session, last.model_version_id),
                "reason_message": words if is_standing else last.reason,
            }
        )


def _public(row: MachineLabel, external_id: str, number: int) -> MachineLabelPublic:
    return MachineLabelPublic(
        **row.model_dump(exclude={"acceptance_id"}), external_id=external_id, model_version=number
    )
