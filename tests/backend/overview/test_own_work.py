"""Everybody sees their own work, found by e-mail address, and nobody else's."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from backend.core.database import Database
from backend.core.services import Services
from backend.guidelines.schemas import GuidelineDraft
from backend.guidelines.service import Guidelines
from backend.models import Annotator, Task
from backend.overview.own_work import OwnWork, OwnWorkService
from tests.backend.annotations.conftest import NOW, Seeded, seeded
from tests.backend.conftest import ClientAs
from tests.backend.review.conftest import Desk, new_desk

__all__ = ["new_desk", "seeded"]


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    return sqlite_database


@pytest.fixture
def desk(new_desk: Callable[[Seeded], Desk], seeded: Seeded) -> Desk:
    return new_desk(seeded)


@pytest.fixture
def services(desk: Desk) -> Services:
    return desk.services


def person(desk: Desk, email: str) -> int:
    with desk.services.database.transaction() as session:
        row = Annotator(label_studio_user_id=900, email=email, created_at=NOW)
        session.add(row)
        session.flush()
        return row.id


def send_back(desk: Desk, task_id: int, assignee: int, attempt: int = 2) -> int:
    first = desk.task(task_id)
    with desk.services.database.transaction() as session:
        copy = Task(
            project_id=first.project_id,
            record_id=first.record_id,
            batch_id=first.batch_id,
            key=f"{first.key}-{attempt}",
            position=0,
            is_audit=False,
            purpose="relabel",
            attempt=attempt,
            original_id=task_id,
            assignee_id=assignee,
            label_studio_task_id=2000 + 10 * task_id + attempt,
        )
        session.add(copy)
        session.flush()
        return copy.id


def work_of(desk: Desk, email: str) -> OwnWork:
    with desk.services.database.reading() as session:
        return OwnWorkService(session, desk.clock, desk.services.settings).of(email)


def test_counts_are_ones_own(desk: Desk) -> None:
    (me,) = desk.people("Annotator")
    (other,) = desk.people("Other")
    desk.answer(1, me, "good")
    desk.clock.now += timedelta(days=3)
    desk.answer(2, me, "poor")
    desk.answer(3, me, None, skipped=True)
    revised = desk.answer(4, me, "good")
    desk.answer(4, me, "fair", annotation_id=revised, revision=2)
    gone = desk.answer(5, me, "good")
    desk.answer(5, me, "good", annotation_id=gone, revision=2, deleted=True)
    for task in range(1, 9):
        desk.answer(task, other, "poor")
    found = work_of(desk, "annotator@example.org")
    assert found.is_known
    assert (found.counts.answers, found.counts.skipped) == (3, 1)
    assert (found.counts.answers_last_day, found.counts.answers_last_week) == (2, 3)
    assert found.counts.median_seconds == 12.5
    assert found.projects[0].counts.answers == 3
    assert found.projects[0].label_url.endswith("/projects/77/data?labeling=1")


def test_the_address_is_the_same_however_it_is_written(desk: Desk) -> None:
    me = person(desk, "Annotator@Example.org ")
    desk.answer(1, me, "good")
    assert work_of(desk, "annotator@example.org").counts.answers == 1
    assert not work_of(desk, "nobody@example.org").is_known
    assert not work_of(desk, "key:import").is_known


def test_what_was_sent_back_is_listed_until_it_is_answered(desk: Desk) -> None:
    (me,) = desk.people("Annotator")
    (other,) = desk.people("Other")
    mine = send_back(desk, 1, me)
    send_back(desk, 2, other)
    deleted = send_back(desk, 3, me)
    with desk.services.database.transaction() as session:
        session.get_one(Task, deleted).deleted_at = NOW
    waiting = send_back(desk, 4, me)
    with desk.services.database.transaction() as session:
        session.get_one(Task, waiting).label_studio_task_id = None
    found = work_of(desk, "annotator@example.org").sent_back
    assert [(task.external_id, task.url) for task in found] == [
        ("r1", "http://label-studio.example/projects/77/data?task=2012"),
        ("r4", None),
    ]
    desk.answer(mine, other, "good")  # somebody else's answer does not take it away
    assert len(work_of(desk, "annotator@example.org").sent_back) == 2
    desk.answer(mine, me, "good")
    assert [task.external_id for task in work_of(desk, "annotator@example.org").sent_back] == ["r4"]


def test_a_guideline_newer_than_the_last_answer_is_marked(desk: Desk) -> None:
    (me,) = desk.people("Annotator")
    desk.answer(1, me, "good")
    assert not work_of(desk, "annotator@example.org").projects[0].is_guideline_new
    desk.clock.advance(5)
    with desk.services.database.transaction() as session:
        guidelines = Guidelines(session, desk.clock)
        draft = GuidelineDraft(text="new", change="new words", based_on=1)
        guidelines.save(desk.project, draft, author="lead")
        guidelines.publish(desk.project, 2, actor="lead")
    project = work_of(desk, "annotator@example.org").projects[0]
    assert (project.guideline_version, project.is_guideline_new) == (2, True)
    desk.answer(2, me, "good")
    assert not work_of(desk, "annotator@example.org").projects[0].is_guideline_new


def test_the_page_tells_nothing_of_others(desk: Desk, browser_as: ClientAs) -> None:
    browser: TestClient = browser_as("annotator")
    empty = browser.get("/my-work").text
    assert "No answer of yours has come in yet" in empty
    assert "annotator@example.org" in empty
    assert "Nothing was sent back to you." in empty
    (me,) = desk.people("Annotator")
    (other,) = desk.people("Zoe")
    desk.answer(1, me, "good")
    desk.answer(1, other, "poor")
    send_back(desk, 1, me)
    page = browser.get("/my-work").text
    assert 'href="http://label-studio.example/projects/77/data?task=2012"' in page
    assert 'href="http://label-studio.example/projects/77/data?labeling=1"' in page
    assert f'href="/projects/{desk.project_id}/guideline"' in page
    assert "poor" not in page
    assert "Zoe" not in page
    assert "退回给我的任务" in browser.get("/my-work?lang=zh").text
