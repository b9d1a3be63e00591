"""Everything that is known of one record in a project."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from active_learning.columns.signals import ColumnSignals
from active_learning.exceptions import ArtifactError
from backend.core.exceptions import NotFound
from backend.core.services import Services
from backend.explorer import record_repository
from backend.explorer.classifier_on_disk import VerdictExplanation, explain_verdict
from backend.explorer.record_cells import RecordCell, cells_of
from backend.explorer.record_labels import RecordLabels, VersionLabel
from backend.explorer.record_similar import SimilarRecord, similar_records
from backend.explorer.record_versions import RecordVersion, versions_of
from backend.models import (
    Acceptance,
    Batch,
    LabelFinding,
    MachineLabel,
    ModelVersion,
    Prediction,
    Project,
    Record,
    Task,
)
from backend.projects.service import label_schema_of
from backend.records.service import RecordsService
from backend.registry.service import RegistryService
from backend.scoring.description import signals_of
from backend.scoring.schemas import VerdictPublic, VerdictState
from backend.scoring.service import Verdicts
from backend.scoring.table_cache import fault_probabilities
from backend.words import Message


@dataclass(frozen=True)
class RecordDetails:
    """One version of a record with all that bears on it."""

    record: Record
    current_id: int | None
    """Of the version that is current; None if none is."""
    versions: list[RecordVersion]
    state: VerdictState
    verdict: VerdictPublic | None
    cells: list[RecordCell]
    explanation: VerdictExplanation | None
    labels: list[VersionLabel]
    tasks: Sequence[tuple[Task, Batch]]
    predictions: Sequence[tuple[Prediction, int]]
    finding: tuple[LabelFinding, int] | None
    machine_labels: Sequence[tuple[MachineLabel, Acceptance, int]]
    similar: list[SimilarRecord] | None
    """None while they are being prepared."""


class RecordExplorer:
    """Records of projects, within one reading session."""

    def __init__(self, session: Session, services: Services) -> None:
        self._session = session
        self._services = services
        self._verdicts = Verdicts(session, services)

    def current_id(self, project: Project, external_id: str) -> int:
        """Row id of the current version of the record; of its newest one if none is current.

        Raises:
            NotFound: the project's dataset has no such record.
        """
        records = RecordsService(self._session, self._services.clock)
        history = records.history(project.dataset_id, external_id)
        return next((each.id for each in history if each.is_current), history[-1].id)

    def details(self, project: Project, record_id: int, *, are_named: bool) -> RecordDetails:
        """All that is known of that version of a record.

        ``are_named``: whether who reads may know who answered.

        Raises:
            NotFound: the project's dataset has no such record.
        """
        record = self.record(project, record_id)
        records = RecordsService(self._session, self._services.clock)
        history = records.history(project.dataset_id, record.external_id)
        ids = [each.id for each in history]
        tasks = record_repository.tasks(self._session, project.id, ids)
        task_ids = [task.id for task, _ in tasks]
        state = self._verdicts.state(project)
        verdict = self._verdicts.of_records(project, [record_id]).get(record_id)
        version = self._version(project, verdict)
        schema = label_schema_of(project)
        probabilities = fault_probabilities(self._session, self._services, project, record_id)
        labels = RecordLabels(self._session, self._services.clock, are_named=are_named)
        return RecordDetails(
            record=record,
            current_id=next((each.id for each in history if each.is_current), None),
            versions=versions_of(history),
            state=state,
            verdict=verdict,
            cells=cells_of(record, schema, probabilities, self._signals(version)),
            explanation=(
                explain_verdict(
                    self._session, self._services, version, record, verdict.grade, schema
                )
                if verdict and version
                else None
            ),
            labels=labels.of_tasks(project, [task for task, _ in tasks]),
            tasks=tasks,
            predictions=record_repository.predictions(self._session, task_ids),
            finding=record_repository.newest_finding(self._session, task_ids),
            machine_labels=record_repository.machine_labels(self._session, project.id, ids),
            similar=similar_records(self._session, self._services, project, record),
        )

    def record(self, project: Project, record_id: int) -> Record:
        """That version of a record.

        Raises:
            NotFound: the project's dataset has no such record.
        """
        found = record_repository.record(self._session, project.dataset_id, record_id)
        if found is None:
            raise NotFound(
                Message(
                    "The records of {project} have no number {n}.",
                    project=project.name,
                    n=record_id,
                ),
                field="record_id",
                value=record_id,
                remedy=Message("The list of records has those there are."),
            )
        return found

    def _version(self, project: Project, verdict: VerdictPublic | None) -> ModelVersion | None:
        if verdict is None:
            return None
        registry = RegistryService(self._session, self._services.clock)
        return registry.get(project.id, verdict.model_version)

    def _signals(self, version: ModelVersion | None) -> ColumnSignals | None:
        if version is None:
            return None
        try:
            return signals_of(self._services.settings.models_dir / version.artifact)
        except ArtifactError:
            return None
