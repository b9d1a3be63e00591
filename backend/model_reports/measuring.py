"""All model versions of a project on one audit sample."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from active_learning.breakdown.confusion import class_measures, confusion_matrix, mark_measures
from active_learning.breakdown.reliability import reliability
from active_learning.breakdown.slices import SMALLEST, worst_parts
from active_learning.evaluation import evaluate
from active_learning.types import RecordPredictions
from backend.core.services import Services
from backend.features import repository as feature_repository
from backend.features.label_features import LabelFeatures
from backend.features.model_version import TrainedVersion, load_model_version
from backend.features.snapshot import take_snapshot
from backend.features.store import FeatureStore, learning_facts
from backend.jobs.context import JobContext
from backend.model_reports import repository
from backend.model_reports.sample import SampleLabel, issue_marks, keep_sample, labels_of
from backend.model_reports.schemas import (
    Breakdown,
    CalibrationBin,
    FoundName,
    MeasuredShare,
    SamplePart,
)
from backend.models import AuditSample, ModelVersion, Project, Record, VersionReport
from backend.projects.service import ProjectsService, label_schema_of, policy_of
from backend.registry.service import RegistryService
from backend.words import Message

KIND = "kind "
"""The record's kind among its columns; no field's name ends in a space."""


def measure_versions(
    services: Services, features: FeatureStore, context: JobContext, project_id: int
) -> dict[str, Any]:
    """Every model version has a report on the newest audit sample; all change at once.

    None of them was trained on these records. A version that cannot answer any more has a report
    that says so. Running it again replaces the reports.
    """
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
        versions = RegistryService(session, services.clock).list_versions(project_id)
        sample = repository.newest_sample(session, project_id)
    if sample is None and versions:
        sample = _sample_of_now(services, project, versions[-1])
    if sample is None:
        return {"measured": False, "why": "there is no audited record or no model version yet"}
    measuring = _Measuring(services, features, context, project, sample)
    rows = []
    for done, version in enumerate(versions):
        context.progress(
            done / len(versions), Message("measuring version {number}", number=version.number)
        )
        context.check_cancelled()
        with learning_facts(services.settings.data_dir):
            rows.append(measuring.report(version))
    with services.database.transaction() as session:
        held = repository.reports(session, project_id)
        if any(row.sample_id > sample.id for row in held):
            return {"measured": False, "why": "a newer sample is measured already"}
        repository.replace_reports(session, project_id, rows)
    return {"measured": True, "versions": len(rows), "records": len(sample.labels)}


def _sample_of_now(
    services: Services, project: Project, newest: ModelVersion
) -> AuditSample | None:
    """For versions that were decided upon before samples were kept."""
    labels, schema = take_snapshot(services, project).audit, label_schema_of(project)
    with services.database.transaction() as session:
        sample = repository.newest_sample(session, project.id)
        return sample or keep_sample(session, newest, labels, schema, services.clock())


class _Measuring:
    """Measures versions of one project on one sample."""

    def __init__(
        self,
        services: Services,
        features: FeatureStore,
        context: JobContext,
        project: Project,
        sample: AuditSample,
    ) -> None:
        self._services, self._features, self._context = services, features, context
        self._project, self._sample = project, sample
        self._schema, self._seed = label_schema_of(project), policy_of(project).seed
        self._labels = labels_of(sample)
        with services.database.reading() as session:
            records = feature_repository.records_by_id(
                session, [label.record_id for label in self._labels]
            )
        self._records = [records[label.record_id] for label in self._labels]

    def report(self, version: ModelVersion) -> VersionReport:
        trained = load_model_version(self._services, self._features, version)
        row = VersionReport(
            model_version_id=version.id,
            project_id=self._project.id,
            sample_id=self._sample.id,
            answers=[],
            measured_at=self._services.clock(),
        )
        if trained is None:
            return row
        found = self._predictions(trained)
        classes = [str(name) for name in trained.artifact.classifier.classes_]
        row.answers = [classes[place] for place in found.grades.argmax(axis=1)]
        row.report = breakdown(
            self._labels,
            found,
            row.answers,
            classes,
            list(trained.artifact.classifier.issues),
            self._columns(),
            grades=self._schema.grades,
            seed=self._seed,
        ).model_dump(mode="json")
        return row

    def _predictions(self, trained: TrainedVersion) -> RecordPredictions:
        reader = LabelFeatures(
            self._services, self._features, self._context, self._schema, None, trained.choice
        )
        ids = [label.record_id for label in self._labels]
        rows = reader.records(ids, trained.artifact.signals)
        return trained.artifact.classifier.predict_all(rows)

    def _columns(self) -> dict[str, list[Any]]:
        return columns_of(self._records, self._schema.fields)


def columns_of(records: Sequence[Record], fields: Sequence[str]) -> dict[str, list[Any]]:
    """Kind and fields of the records, column by column."""
    return {
        KIND: [record.kind for record in records],
        **{name: [record.fields.get(name) for record in records] for name in fields},
    }


def breakdown(
    labels: Sequence[SampleLabel],
    found: RecordPredictions,
    answers: Sequence[str],
    classes: Sequence[str],
    issues: Sequence[str],
    columns: dict[str, list[Any]],
    *,
    grades: Sequence[str],
    seed: int,
) -> Breakdown:
    """What these predictions are worth on these labels.

    Args:
        labels: of n audit records.
        found: predictions for them.
        answers: n most probable grades.
        classes: names of the predictions' grades.
        issues: names of the predictions' issues.
        columns: name to the n records' values.
        grades: of the label schema of now, in order; a version may know others.
        seed: of the interval of macro-F1.
    """
    truth = [label.grade for label in labels]
    right = np.array([a == b for a, b in zip(truth, answers, strict=True)], dtype=bool)
    measured = evaluate(truth, found.grades, classes, seed=seed)
    names = list(dict.fromkeys([*grades, *classes, *truth]))
    table = confusion_matrix(truth, answers, names)
    parts = worst_parts(columns, right)
    return Breakdown(
        accuracy=MeasuredShare.of_estimate(measured.accuracy),
        macro_f1=MeasuredShare.of_estimate(measured.macro_f1),
        ece=measured.ece,
        classes=names,
        confusion=table.tolist(),
        grades=[FoundName.of(each) for each in class_measures(table, names)],
        issues=[
            FoundName.of(each)
            for each in mark_measures(issue_marks(labels, issues), found.issues, issues)
        ],
        calibration=[
            CalibrationBin.of(each) for each in reliability(found.grades.max(axis=1), right)
        ],
        parts_looked_at=parts.looked_at,
        smallest_part=SMALLEST,
        worst_parts=[SamplePart.of(each, kind=KIND) for each in parts.parts],
    )
