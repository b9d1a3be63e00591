"""Every page of a project has the same tabs, with its own marked."""

import re

import pytest

from backend.core.services import Services
from backend.web.project_pages import PROJECT_PAGES, project_page
from tests.backend.conftest import ClientAs
from tests.backend.overview.conftest import project_id
from tests.backend.web.test_titles import PAGES

__all__ = ["project_id"]

TABS = re.compile(r'<nav class="project-tabs".*?</nav>', re.DOTALL)
MARKED = re.compile(r'<a href="([^"]+)" aria-current="page">')
PLACES = sorted({place.partition("?")[0] for place in PAGES if place.startswith("/projects/1")})


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/projects/1", ""),
        ("/projects/1/explanations", ""),
        ("/projects/1/review", "/review"),
        ("/projects/1/review/7", "/review"),
        ("/projects/1/annotators/3", "/annotators"),
        ("/projects/1/labelsome", ""),
        ("/projects/12/guideline/versions/2", ""),
    ],
)
def test_sub_pages_belong_to_their_tab(path: str, place: str) -> None:
    assert project_page(path, 1).place == place


def test_all_pages_have_the_same_tabs_and_mark_one(
    browser_as: ClientAs, services: Services, project_id: int
) -> None:
    lead, seen = browser_as("lead"), set()
    for place in PLACES:
        answer = lead.get(place)
        if answer.status_code == 404:  # what this store does not hold, as single annotators
            continue
        (tabs,) = TABS.findall(answer.text)
        (marked,) = MARKED.findall(tabs)
        assert place.startswith(marked), place
        assert tabs.count("<a ") == len(PROJECT_PAGES)
        seen.add(marked)
    assert len(seen) == len(PROJECT_PAGES)


def test_a_reader_sees_only_tabs_that_open(browser_as: ClientAs, project_id: int) -> None:
    for role in ("viewer", "reviewer", "engineer"):
        browser = browser_as(role)
        (tabs,) = TABS.findall(browser.get("/projects/1").text)
        for address in re.findall(r'href="([^"]+)"', tabs):
            assert browser.get(address).status_code == 200, f"{role}: {address}"
    assert TABS.findall(browser_as("annotator").get("/projects/1/guideline").text) == []
