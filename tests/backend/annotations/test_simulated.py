"""Pages of a project with simulated answers say so; others do not."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from sqlmodel import select

from backend.annotations.simulated import has_simulated_answers, know_simulated
from backend.core.services import Services
from backend.models import Annotator
from tests.backend.conftest import ClientAs
from tests.backend.overview.store import LOCKS, fill

WORDS = {"en": "Answers here are simulated", "zh": "此处的答案为模拟"}


@pytest.fixture
def projects(services: Services) -> Iterator[tuple[int, int]]:
    """One whose first annotator is simulated, and one of people."""
    with services.database.transaction() as session:
        first = fill(session, services.clock())
        second = fill(session, services.clock(), "People's own", 8)
        know_simulated(session, [70, 999], services.clock())
    yield first, second
    while LOCKS:
        LOCKS.pop().release()


def page_paths(app: FastAPI, project_id: int) -> list[str]:
    """Every page below the project that needs no other id."""
    found = []
    for context in iter_route_contexts(app.routes):
        route = context.route
        is_page = isinstance(route, APIRoute) and not route.include_in_schema
        if is_page and "GET" in (route.methods or ()):
            path = route.path.replace("{project_id}", str(project_id))
            if path != route.path and "{" not in path:
                found.append(path)
    return found


def test_every_page_of_the_project_is_marked(
    app: FastAPI, projects: tuple[int, int], browser_as: ClientAs
) -> None:
    browser = browser_as("admin")
    simulated, of_people = projects
    paths = page_paths(app, simulated)
    seen: list[str] = []
    for path in paths:
        for language, words in WORDS.items():
            page = browser.get(path, params={"lang": language})
            if page.text.startswith("<!doctype html>"):  # others are parts of pages
                seen.append(path)
                assert words in page.text, path
    assert len(set(seen)) >= 8
    for path in page_paths(app, of_people):
        assert 'id="simulated"' not in browser.get(path).text, path


def test_the_mark_is_on_the_list_of_projects_and_in_the_api(
    projects: tuple[int, int], browser_as: ClientAs, client_as: ClientAs
) -> None:
    page = browser_as("viewer").get("/", params={"lang": "en"}).text
    assert len(re.findall("simulated answers", page)) == 1
    summaries = client_as("viewer").get("/api/v1/status").json()["projects"]
    marks = {row["id"]: row["has_simulated_answers"] for row in summaries}
    assert marks == {projects[0]: True, projects[1]: False}


def test_who_may_not_see_the_project_learns_nothing(
    projects: tuple[int, int], browser_as: ClientAs
) -> None:
    page = browser_as("annotator").get(f"/projects/{projects[0]}")
    assert page.status_code == 403
    assert 'id="simulated"' not in page.text


def test_marking_makes_one_annotator_and_is_repeatable(services: Services) -> None:
    for _ in range(2):
        with services.database.transaction() as session:
            know_simulated(session, [70], services.clock())
    with services.database.reading() as session:
        found = session.exec(select(Annotator)).all()
        assert [(row.label_studio_user_id, row.is_simulated) for row in found] == [(70, True)]
        assert not has_simulated_answers(session, 1)
