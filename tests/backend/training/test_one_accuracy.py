"""An accuracy is one estimate on one sample, whoever tells it."""

import pytest

from backend.overview.schemas import ProjectStatus
from backend.overview.service import OverviewService
from backend.projects.service import ProjectsService
from tests.backend.training.loop import Loop
from tests.fixtures.chinese import in_chinese


@pytest.fixture
def status(loop: Loop) -> ProjectStatus:
    """The project after two rounds."""
    loop.turn(1)
    loop.turn(2)
    assert loop.failed == []
    with loop.services.database.reading() as session:
        overview = OverviewService(session, loop.clock, loop.services.settings)
        return overview.project(loop.project_id)


def test_table_rounds_curve_and_gate_tell_one_accuracy_of_a_version(
    loop: Loop, status: ProjectStatus
) -> None:
    evidence = loop.promotions[-1].evidence
    for version in status.versions:
        told = [
            *(row.accuracy for row in status.rounds if row.model_version == version.number),
            *(point.accuracy for point in status.curve if point.model_version == version.number),
        ]
        assert version.accuracy is not None
        assert told == [version.accuracy, version.accuracy]
    second = status.versions[1]
    assert second.accuracy is not None
    assert second.accuracy.model_dump() == evidence["challenger"]
    champion = next(version for version in status.versions if version.is_champion)
    assert status.accuracy == champion.accuracy


def test_versions_are_compared_on_one_sample(loop: Loop, status: ProjectStatus) -> None:
    first, second = status.versions
    assert first.comparison is None
    found = second.comparison
    assert found is not None
    assert found.champion == 1
    assert found.accuracy == second.accuracy
    assert found.accuracy.n == found.champion_accuracy.n == found.difference.n == 16
    gap = found.accuracy.value - found.champion_accuracy.value
    assert found.difference.value == pytest.approx(gap)
    reason = loop.promotions[-1].reason
    assert f"{100 * found.accuracy.value:.1f} % right" in reason
    assert f"beside {100 * found.champion_accuracy.value:.1f} % of the champion" in reason
    assert f"{100 * found.difference.value:+.1f} points" in reason


def test_the_policy_is_warned_about_where_it_measures_nothing(loop: Loop) -> None:
    with loop.services.database.transaction() as session:
        overview = OverviewService(session, loop.clock, loop.services.settings)
        assert overview.project(loop.project_id).warnings == []
        ProjectsService(session, loop.clock).set_policy(
            loop.project_id, {"audit_share": 0, "accept_error": 0.05}, actor="test"
        )
        unmeasured, uncertified = overview.project(loop.project_id).warnings
    assert "without being compared" in unmeasured.text
    assert "不经比较" in in_chinese(unmeasured.text_message)
    assert "none can be certified" in uncertified.text
    assert "无法认证" in in_chinese(uncertified.text_message)
