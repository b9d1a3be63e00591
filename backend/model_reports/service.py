"""What was measured of model versions on one sample: read it, compare two, ask for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from active_learning.evaluation import compare
from backend.audit.service import AuditTrail
from backend.core.clock import Clock
from backend.core.exceptions import Conflict, NotFound
from backend.features import repository as feature_repository
from backend.jobs.queue import enqueue
from backend.model_reports import repository
from backend.model_reports.sample import SampleLabel, labels_of
from backend.model_reports.schemas import (
    Breakdown,
    ChangedAnswer,
    MeasuredShare,
    ModelReport,
    VersionChanges,
)
from backend.models import ModelVersion, Project, VersionReport
from backend.projects.service import label_schema_of
from backend.registry.service import RegistryService
from backend.words import Message

MEASURE = "training.measure_versions"


@dataclass(frozen=True)
class CommonSample:
    """Every version that was measured, on one sample; ``measured_at`` is None before that."""

    measured_at: datetime | None = None
    records: int = 0
    accuracy: dict[int, MeasuredShare] = field(default_factory=dict)
    """By the version's number."""
    macro_f1: dict[int, MeasuredShare] = field(default_factory=dict)
    unreadable: frozenset[int] = frozenset()
    """Numbers of versions that cannot answer any more."""


class ModelReports:
    """Reports of all projects, within one transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._registry = RegistryService(session, clock)

    def common_sample(self, project_id: int) -> CommonSample:
        """What all versions achieve on the sample that they were last measured on."""
        numbers = {row.id: row.number for row in self._registry.list_versions(project_id)}
        rows = repository.reports(self._session, project_id)
        if not rows:
            return CommonSample()
        sample = repository.sample(self._session, rows[0].sample_id)
        told = {numbers[row.model_version_id]: row.report for row in rows}
        readable = {number: found for number, found in told.items() if found is not None}
        return CommonSample(
            max(row.measured_at for row in rows),
            len(sample.labels) if sample else 0,
            {number: MeasuredShare(**found["accuracy"]) for number, found in readable.items()},
            {number: MeasuredShare(**found["macro_f1"]) for number, found in readable.items()},
            frozenset(told.keys() - readable.keys()),
        )

    def report(self, project: Project, number: int, against: int | None = None) -> ModelReport:
        """The version on the audit sample, beside another one.

        Args:
            project: whose.
            number: of the version.
            against: number of the other version; the champion by default, for the champion the
                one that it took over from.

        Raises:
            NotFound: the project has no such version, or ``against`` was not measured.
        """
        version = self._registry.get(project.id, number)
        champion = self._registry.champion(project.id)
        numbers = {row.id: row.number for row in self._registry.list_versions(project.id)}
        rows = {
            numbers[row.model_version_id]: row
            for row in repository.reports(self._session, project.id)
        }
        found = ModelReport(
            model_version=number, is_champion=champion is not None and champion.id == version.id
        )
        row = rows.get(number)
        if row is None:
            return found
        sample = repository.sample(self._session, row.sample_id)
        assert sample is not None
        found.measured_at, found.records = row.measured_at, len(sample.labels)
        found.sample_of = numbers[sample.model_version_id]
        found.is_readable = row.report is not None
        if row.report is None:
            return found
        found.breakdown = Breakdown.model_validate(row.report)
        found.comparable = sorted(
            other for other, held in rows.items() if held.report is not None and other != number
        )
        other = against if against is not None else self._usual_rival(version, champion, numbers)
        if against is not None and against not in found.comparable:
            raise NotFound(
                Message("Model version {number} cannot be compared with.", number=against),
                field="against",
                value=against,
                remedy=Message(
                    "Choose one that was measured on the same records: {numbers}.",
                    numbers=found.comparable,
                ),
            )
        if other in found.comparable:
            assert other is not None
            found.changes = self._changes(project, labels_of(sample), row, rows[other], other)
            found.changes.is_against_champion = champion is not None and champion.number == other
        return found

    def request(self, project: Project, *, actor: str) -> str | None:
        """All versions are measured; None where they are already.

        Raises:
            Conflict: there is no model version yet.
        """
        versions = self._registry.list_versions(project.id)
        if not versions:
            raise Conflict(
                Message("Project {project} has no model version yet.", project=project.id),
                field="project",
                value=project.id,
                remedy=Message("Label the first batch; a model version is trained then."),
            )
        if len(repository.reports(self._session, project.id)) == len(versions):
            return None
        AuditTrail(self._session, self._clock).append(
            actor, "model.measuring_requested", f"project:{project.id}"
        )
        now = self._clock()
        key = f"by-hand:{now.isoformat(timespec='seconds')}"
        return enqueue(self._session, MEASURE, project_id=project.id, args={}, key=key, now=now)

    def _usual_rival(
        self, version: ModelVersion, champion: ModelVersion | None, numbers: dict[int, int]
    ) -> int | None:
        """The champion; for the champion the one that it took over from."""
        if champion is not None and champion.id != version.id:
            return champion.number
        decisions = self._registry.list_promotions(version.project_id)
        before = [
            row.previous_id
            for row in decisions
            if row.model_version_id == version.id and row.kind != "kept"
        ]
        return numbers[before[-1]] if before and before[-1] is not None else None

    def _changes(
        self,
        project: Project,
        labels: Sequence[SampleLabel],
        row: VersionReport,
        other: VersionReport,
        number: int,
    ) -> VersionChanges:
        truth = [label.grade for label in labels]
        found = compare(truth, row.answers, other.answers)
        mended, broken, still_wrong = [], [], 0
        for place, (now, then) in enumerate(zip(row.answers, other.answers, strict=True)):
            if now == then:
                continue
            if now == truth[place]:
                mended.append(place)
            elif then == truth[place]:
                broken.append(place)
            else:
                still_wrong += 1
        told = _Telling(self._session, project, labels, other.answers, row.answers)
        return VersionChanges(
            against=number,
            is_against_champion=False,
            accuracy=MeasuredShare.of_estimate(found.challenger),
            other_accuracy=MeasuredShare.of_estimate(found.champion),
            difference=MeasuredShare.of_estimate(found.difference),
            mended=told.answers(mended),
            broken=told.answers(broken),
            still_wrong=still_wrong,
        )


class _Telling:
    """Changed answers with their records."""

    def __init__(
        self,
        session: Session,
        project: Project,
        labels: Sequence[SampleLabel],
        before: Sequence[str],
        after: Sequence[str],
    ) -> None:
        self._session, self._schema = session, label_schema_of(project)
        self._labels, self._before, self._after = labels, before, after

    def answers(self, places: Sequence[int]) -> list[ChangedAnswer]:
        """Of the records at these places of the sample."""
        chosen = [self._labels[place] for place in places]
        records = feature_repository.records_by_id(
            self._session, [label.record_id for label in chosen]
        )
        cases = repository.case_ids(self._session, [label.task_id for label in chosen])
        return [
            ChangedAnswer(
                record_id=label.record_id,
                external_id=records[label.record_id].external_id,
                kind=records[label.record_id].kind,
                fields=self._schema.shown_fields(records[label.record_id].fields),
                label=label.grade,
                before=self._before[place],
                after=self._after[place],
                case_id=cases.get(label.task_id),
            )
            for place, label in zip(places, chosen, strict=True)
        ]


def request_measuring(session: Session, project_id: int, version_id: int, now: datetime) -> str:
    """All versions will be measured on the newest sample; the job's id.

    Call it when the gate has decided about that version; asking again changes nothing.
    """
    return enqueue(session, MEASURE, project_id=project_id, args={}, key=str(version_id), now=now)
