"""All versions on one sample: that of the gate, and nothing that contradicts it."""

import shutil

import pytest
from sqlmodel import select

from backend.core.exceptions import NotFound
from backend.jobs.queue import enqueue
from backend.model_reports.schemas import ModelReport
from backend.model_reports.service import MEASURE, ModelReports
from backend.models import AuditSample, VersionReport
from backend.overview.schemas import ProjectStatus
from backend.overview.service import OverviewService
from backend.registry.service import RegistryService
from tests.backend.training.loop import Loop


def report_of(loop: Loop, number: int, against: int | None = None) -> ModelReport:
    with loop.services.database.reading() as session:
        return ModelReports(session, loop.clock).report(loop.project(), number, against)


def status_of(loop: Loop) -> ProjectStatus:
    with loop.services.database.reading() as session:
        overview = OverviewService(session, loop.clock, loop.services.settings)
        return overview.project(loop.project_id)


def measure_again(loop: Loop) -> None:
    with loop.services.database.transaction() as session:
        enqueue(
            session, MEASURE, project_id=loop.project_id, args={}, key="again", now=loop.clock()
        )
    loop.run()


def test_the_report_of_the_newest_version_is_what_the_gate_measured(loop: Loop) -> None:
    gate = loop.promotions[-1].evidence
    report = report_of(loop, 2)
    found, changes = report.breakdown, report.changes
    assert found is not None
    assert changes is not None
    assert found.accuracy.model_dump(exclude={"missing"}) == gate["challenger"]
    assert changes.accuracy == found.accuracy
    assert changes.other_accuracy.model_dump(exclude={"missing"}) == gate["champion"]
    assert changes.difference.model_dump(exclude={"missing"}) == gate["difference"]
    assert (len(changes.mended), len(changes.broken)) == (gate["wins"], gate["losses"])
    assert report.records == gate["n"] == sum(map(sum, found.confusion))
    hits = sum(row[place] for place, row in enumerate(found.confusion))
    assert hits / report.records == pytest.approx(found.accuracy.value)
    assert sum(each.accuracy.n for each in found.calibration) == report.records
    assert [each.present for each in found.grades] == [sum(row) for row in found.confusion]
    for row in (*changes.mended, *changes.broken):
        assert row.before != row.after
        assert (row.after == row.label) == (row in changes.mended)


def test_every_version_is_on_the_same_records(loop: Loop) -> None:
    status = status_of(loop)
    gate = loop.promotions[-1].evidence
    assert {point.accuracy.n for point in status.curve} == {gate["n"]}
    assert [point.model_version for point in status.curve] == [1, 2]
    assert [version.accuracy for version in status.versions] == [
        point.accuracy for point in status.curve
    ]
    assert status.versions[0].accuracy is not None
    assert status.versions[0].accuracy.model_dump() == gate["champion"]
    assert loop.versions[0].metrics["audit_accuracy"]["n"] < gate["n"], "it was decided on fewer"
    for number in (1, 2):
        found = report_of(loop, number).breakdown
        assert found is not None
        assert found.accuracy.value == status.curve[number - 1].accuracy.value


def test_two_versions_compare_both_ways(loop: Loop) -> None:
    there, back = report_of(loop, 2, 1).changes, report_of(loop, 1, 2).changes
    assert there is not None
    assert back is not None
    assert [row.record_id for row in there.mended] == [row.record_id for row in back.broken]
    assert [row.record_id for row in there.broken] == [row.record_id for row in back.mended]
    with pytest.raises(NotFound, match="cannot be compared"):
        report_of(loop, 2, 2)


def test_a_version_that_cannot_be_read_says_so(loop: Loop) -> None:
    shutil.rmtree(loop.services.settings.models_dir / loop.versions[0].artifact)
    measure_again(loop)
    assert report_of(loop, 1).is_readable is False
    assert report_of(loop, 2).comparable == []
    status = status_of(loop)
    assert status.curve_sample.unreadable == [1]
    assert [point.model_version for point in status.curve] == [2]
    assert (status.versions[0].is_readable, status.versions[0].accuracy) == (False, None)


def test_measuring_again_changes_nothing_and_old_samples_go(loop: Loop) -> None:
    before = report_of(loop, 2)
    measure_again(loop)
    assert report_of(loop, 2).breakdown == before.breakdown
    with loop.services.database.reading() as session:
        (sample,) = session.exec(select(AuditSample)).all()
        rows = session.exec(select(VersionReport)).all()
    assert {row.sample_id for row in rows} == {sample.id}
    assert [row.record_id for row in loop.tasks(1) + loop.tasks(2) if row.is_audit].sort() == [
        each[1] for each in sample.labels
    ].sort()


def test_versions_from_before_samples_were_kept_are_measured_on_request(loop: Loop) -> None:
    with loop.services.database.transaction() as session:
        for table in (VersionReport, AuditSample):
            for row in session.exec(select(table)):
                session.delete(row)
    status = status_of(loop)
    assert status.curve_sample.measured_at is None
    gate = loop.promotions[-1].evidence
    assert [point.accuracy.model_dump() for point in status.curve] == [
        gate["champion"],
        gate["challenger"],
    ]
    with loop.services.database.transaction() as session:
        reports = ModelReports(session, loop.clock)
        assert reports.request(loop.project(), actor="ana") is not None
    loop.run()
    assert report_of(loop, 1).breakdown is not None
    with loop.services.database.transaction() as session:
        assert ModelReports(session, loop.clock).request(loop.project(), actor="ana") is None


def test_after_a_rollback_a_version_stands_beside_the_new_champion(loop: Loop) -> None:
    with loop.services.database.transaction() as session:
        RegistryService(session, loop.clock).rollback(
            loop.project_id, 1, reason="it was better", actor="lead"
        )
    changes = report_of(loop, 2).changes
    assert changes is not None
    assert (changes.against, changes.is_against_champion) == (1, True)
    assert status_of(loop).accuracy == status_of(loop).versions[0].accuracy
