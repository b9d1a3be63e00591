"""Gate, table, curve and page tell one accuracy of a version: asserted of a world as it is."""

from typing import Any

from sqlmodel import Session, col, select

from backend.model_reports.service import ModelReports
from backend.models import ModelVersion, Promotion
from backend.overview.schemas import EstimatePublic, ModelVersionStatus, ProjectStatus
from backend.overview.service import OverviewService
from tests.same_answers.world import World


def check_versions(world: World) -> None:
    """What is told of model versions is what the gate measured, of whom it compared."""
    with world.database.reading() as session:
        told = OverviewService(session, world.services.clock, world.services.settings)
        project = told.project(world.project_id)
        versions = {row.id: row for row in session.exec(select(ModelVersion))}
        decisions = session.exec(select(Promotion).order_by(col(Promotion.id))).all()
    shown = {version.number: version for version in project.versions}
    first, *later = decisions
    assert first.previous_id is None
    for decision in later:
        assert decision.evidence["rule"] != "first", "there was a champion before"
        if decision.evidence["rule"] != "paired" or decision.challenger_id is None:
            continue
        version, champion = (
            versions[each or 0] for each in (decision.challenger_id, decision.previous_id)
        )
        _check_decision(shown[version.number], version, champion, decision.evidence)
    _check_curve(project)
    newest = decisions[-1]
    if newest.evidence.get("rule") == "paired" and newest.challenger_id is not None:
        pair = versions[newest.challenger_id], versions[newest.previous_id or 0]
        if pair[0].number not in project.curve_sample.waiting:
            _check_newest(shown, pair, newest.evidence)
        is_measured = project.curve_sample.measured_at is not None
        if is_measured and pair[0].number not in project.curve_sample.waiting:
            with world.database.reading() as session:
                _check_page(session, world, pair, newest.evidence)


def _check_decision(
    shown: ModelVersionStatus, version: ModelVersion, champion: ModelVersion, gate: dict[str, Any]
) -> None:
    comparison = shown.comparison
    assert comparison is not None, "the table shows whom the gate compared"
    assert comparison.accuracy.value == gate["challenger"]["value"], "one accuracy"
    assert comparison.champion_accuracy.value == gate["champion"]["value"], "one accuracy"
    assert version.metrics["audit_accuracy"] == gate["challenger"], "one accuracy"
    before = champion.metrics["audit_accuracy"]
    if before is not None and before["n"] == gate["champion"]["n"]:  # the same records
        assert before["value"] == gate["champion"]["value"], "a champion answers as it did"


def _check_curve(project: ProjectStatus) -> None:
    accuracies = {version.number: version.accuracy for version in project.versions}
    assert len({point.accuracy.n for point in project.curve}) <= 1, "one sample"
    for point in project.curve:
        assert point.accuracy == accuracies[point.model_version], "curve and table"
    for row in project.rounds:
        if row.model_version is not None:
            assert row.accuracy == accuracies[row.model_version], "rounds and table"
    if project.champion is not None:
        assert project.accuracy == accuracies[project.champion], "headline and table"


def _check_newest(
    shown: dict[int, ModelVersionStatus],
    pair: tuple[ModelVersion, ModelVersion],
    gate: dict[str, Any],
) -> None:
    for version, measured in zip(pair, (gate["challenger"], gate["champion"]), strict=True):
        status = shown[version.number]
        if status.is_readable:
            assert status.accuracy == EstimatePublic(**measured), "table and gate"


def _check_page(
    session: Session,
    world: World,
    pair: tuple[ModelVersion, ModelVersion],
    gate: dict[str, Any],
) -> None:
    version, champion = pair
    reports = ModelReports(session, world.services.clock)
    report = reports.report(world.project(), version.number)
    if report.breakdown is None or champion.number not in report.comparable:
        return
    found = report.breakdown
    changes = reports.report(world.project(), version.number, champion.number).changes
    assert changes is not None
    assert report.records == gate["n"] == sum(map(sum, found.confusion)), "page and gate"
    assert found.accuracy.value == gate["challenger"]["value"], "page and gate"
    assert changes.other_accuracy.value == gate["champion"]["value"], "page and gate"
    assert (len(changes.mended), len(changes.broken)) == (gate["wins"], gate["losses"]), (
        "page and gate"
    )
