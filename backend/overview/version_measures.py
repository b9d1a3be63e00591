"""How good the model versions of a project are: one sample, one estimate, whoever tells it."""

from collections.abc import Sequence

from sqlmodel import Session

from backend.core.clock import Clock
from backend.model_reports.schemas import CurveSample, MeasuredShare
from backend.model_reports.service import ModelReports
from backend.models import ModelVersion, Promotion
from backend.overview.measures import comparison_of, estimate_of, labels_of
from backend.overview.schemas import (
    CurvePointPublic,
    EstimatePublic,
    ModelVersionStatus,
    VersionComparison,
)
from backend.registry.service import RegistryService


class VersionMeasures:
    """The measures of all versions of one project, for table, rounds, curve and headline.

    They are those of the common audit sample. Until that is measured, those of the newest gate
    decision, which compared two versions on one sample; a version that is in neither has the
    accuracy that it was decided with.
    """

    def __init__(self, session: Session, clock: Clock, project_id: int) -> None:
        registry = RegistryService(session, clock)
        self.versions: Sequence[ModelVersion] = registry.list_versions(project_id)
        self.promotions: Sequence[Promotion] = registry.list_promotions(project_id)
        champion = registry.champion(project_id)
        self.champion = champion
        self._common = ModelReports(session, clock).common_sample(project_id)
        numbers = {version.id: version.number for version in self.versions}
        self._comparisons = {
            row.challenger_id: comparison_of(row, numbers[row.previous_id])
            for row in self.promotions
            if row.previous_id is not None
        }

    def accuracy(self, version: ModelVersion) -> EstimatePublic | None:
        """The version's accuracy; None where it was never measured or cannot answer any more."""
        if version.number in self._common.unreadable:
            return None
        return self._on_one_sample().get(version.number) or estimate_of(version, "audit_accuracy")

    def macro_f1(self, version: ModelVersion) -> EstimatePublic | None:
        """The same of the mean F1 over the grades."""
        if version.number in self._common.unreadable:
            return None
        found = self._common.macro_f1.get(version.number)
        return _public(found) if found else estimate_of(version, "audit_macro_f1")

    def curve(self) -> list[CurvePointPublic]:
        """The learning curve: the versions that were measured on one sample."""
        found = self._on_one_sample()
        return [
            CurvePointPublic(
                labels=labels_of(version),
                accuracy=found[version.number],
                model_version=version.number,
                is_champion=self.champion is not None and self.champion.id == version.id,
            )
            for version in self.versions
            if version.number in found
        ]

    def curve_sample(self) -> CurveSample:
        """What the curve stands on, and which versions it lacks."""
        shown = self._on_one_sample()
        return CurveSample(
            measured_at=self._common.measured_at,
            records=next((point.n for point in shown.values()), None),
            unreadable=sorted(self._common.unreadable),
            waiting=[
                version.number
                for version in self.versions
                if version.number not in shown and version.number not in self._common.unreadable
            ],
        )

    def status(self, version: ModelVersion) -> ModelVersionStatus:
        """The version as the table shows it."""
        return ModelVersionStatus(
            number=version.number,
            is_champion=self.champion is not None and self.champion.id == version.id,
            labels=labels_of(version),
            accuracy=self.accuracy(version),
            comparison=self.comparison(version),
            macro_f1=self.macro_f1(version),
            is_readable=version.number not in self._common.unreadable,
            encoder=version.encoder,
            created_at=version.created_at,
        )

    def comparison(self, version: ModelVersion) -> VersionComparison | None:
        """What the gate measured when it decided about the version."""
        return self._comparisons.get(version.id)

    def _on_one_sample(self) -> dict[int, EstimatePublic]:
        """Number to accuracy, all on the same records."""
        if self._common.measured_at is not None:
            return {number: _public(found) for number, found in self._common.accuracy.items()}
        if not self.versions:
            return {}
        newest = self.versions[-1]
        own, gate = estimate_of(newest, "audit_accuracy"), self.comparison(newest)
        pair = {gate.champion: gate.champion_accuracy} if gate else {}
        return {**pair, newest.number: own} if own else pair


def _public(share: MeasuredShare) -> EstimatePublic:
    assert share.value is not None
    return EstimatePublic(value=share.value, low=share.low, high=share.high, n=share.n)
