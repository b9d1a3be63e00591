"""One report a project: asked for when it is out of date, never computed twice for the same."""

from collections.abc import Callable, Iterator

import pytest

from backend.agreement import measuring
from backend.agreement.service import MEASURE
from backend.core.database import Database
from backend.core.exceptions import InvalidInput
from backend.jobs.queue import list_recent
from backend.models import WorkReport
from tests.backend.agreement.conftest import Measured, filled
from tests.backend.annotations.conftest import Seeded
from tests.backend.review.conftest import Desk


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    """Both kinds of databases."""
    opened = Database(migrated_url)
    yield opened
    opened.dispose()


def test_a_report_is_out_of_date_after_anything_it_depends_on(measured: Measured) -> None:
    desk = measured.desk
    empty = measured.reports()
    assert empty.is_empty
    assert not empty.is_due
    ana = filled(desk)[0]
    assert measured.reports().is_due
    first = measured.measure()
    assert first.computed_at is not None
    assert not measured.reports().is_due
    seen = {measured.fingerprint()}

    def changed() -> None:
        assert not measured.reports().is_current
        seen.add(measured.fingerprint())

    desk.answer(1, ana, "poor", annotation_id=1, revision=2)
    changed()
    measured.decide(3, "good")
    changed()
    copy = measured.hidden_copy(3)
    changed()
    desk.set_policy(overlap="adaptive")
    changed()
    assert copy
    assert len(seen) == 5
    second = measured.measure()
    assert second.computed_at is not None
    assert second.computed_at > first.computed_at


def test_the_same_answers_are_measured_once(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(measured.desk)
    job = measured.request()
    assert job is not None
    assert measured.request() == job
    assert measured.reports().is_measuring
    measured.run()
    assert measured.request() is None

    def never(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(measuring, "question_agreement", never)
    assert not measuring.measure(measured.desk.services, measured.project_id, lambda *_: None)
    with measured.desk.services.database.reading() as session:
        assert len(list_recent(session, name=MEASURE)) == 1


def test_numbers_are_the_same_each_time(
    new_desk: Callable[[Seeded], Desk], seeded: Seeded, measured: Measured
) -> None:
    filled(measured.desk)
    first = measured.measure().content
    measured.desk.set_policy(overlap="adaptive")
    measured.measure()
    measured.desk.set_policy(overlap="fixed")
    assert measured.measure().content == first


def test_a_failed_measuring_is_told_and_not_asked_for_again(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = measured.desk
    ana = filled(desk)[0]

    def fails(*_args: object, **_kwargs: object) -> None:
        raise InvalidInput("the numbers ran out", field="x", remedy="none")

    with monkeypatch.context() as patched:
        patched.setattr(measuring, "question_agreement", fails)
        measured.request()
        measured.run()
    state = measured.reports()
    assert state.content is None
    assert state.job is not None
    assert state.job.status == "failed"
    assert not state.is_due
    desk.answer(1, ana, "poor", annotation_id=1, revision=2)
    assert measured.reports().is_due
    measured.measure()


def test_a_report_of_another_form_is_not_shown(measured: Measured) -> None:
    filled(measured.desk)
    measured.measure()
    with measured.desk.services.database.transaction() as session:
        row = session.get_one(WorkReport, measured.project_id)
        row.content, row.fingerprint = {"form": 0, "questions": "of another kind"}, "other"
        session.add(row)
    state = measured.reports()
    assert state.content is None
    assert state.is_due
    assert measured.measure().content is not None
