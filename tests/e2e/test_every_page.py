"""Every page in a real browser, at both widths, in both languages, in light and dark, with axe."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from backend.agreement import jobs as agreement_jobs
from backend.agreement.service import WorkReports
from backend.core.database import Database
from backend.core.services import Services
from backend.jobs.inline import InlineRunner
from backend.jobs.registry import Registry
from backend.loop.service import LoopService
from backend.models import Project
from backend.review import jobs as review_jobs
from backend.web.rendering import HERE
from tests.backend.conftest import cheap_passwords
from tests.backend.suspected_labels.conftest import labelled
from tests.backend.training.conftest import new_loop
from tests.backend.training.loop import Loop, true_grade
from tests.fixtures.live_app import assert_accessible, assert_fits, live, log_in

__all__ = ["cheap_passwords", "labelled", "new_loop"]

pytestmark = [pytest.mark.browser]

LOOKS = {
    "desk-en-light": ({"width": 1280, "height": 900}, "en", "light"),
    "phone-zh-dark": ({"width": 390, "height": 800}, "zh", "dark"),
}
PAGES = {
    "access/account.html": "/account",
    "access/users.html": "/users",
    "agreement/agreement.html": "/projects/1/agreement",
    "agreement/annotator.html": "/projects/1/annotators/1",
    "agreement/annotators.html": "/projects/1/annotators",
    "audit/events.html": "/audit",
    "exchange/exports.html": "/projects/1/exports",
    "explorer/map.html": "/projects/1/map",
    "explorer/record.html": "/projects/1/records/1",
    "explorer/records.html": "/projects/1/records",
    "findings/labels.html": "/projects/1/labels",
    "guidelines/edit.html": "/projects/1/guideline/edit",
    "guidelines/guideline.html": "/projects/1/guideline",
    "guidelines/version.html": "/projects/1/guideline/versions/1",
    "notices/notices.html": "/notices",
    "overview/explanations.html": "/projects/1/explanations",
    "overview/jobs.html": "/jobs",
    "overview/model.html": "/projects/1/models/1",
    "overview/models.html": "/projects/1/models",
    "overview/own_work.html": "/my-work",
    "overview/project.html": "/projects/1",
    "overview/start.html": "/",
    "problem.html": "/projects/999",
    "removal/project.html": "/projects/1/removal",
    "review/case.html": "/projects/1/review/1",
    "review/queue.html": "/projects/1/review",
}
BEHIND_A_FORM = {"explorer/sending.html", "review/bulk.html"}
OF_SWAGGER = {"docs.html": "/docs"}
"""Not ours but for the header: axe has no say about Swagger UI."""
BEFORE_LOGIN = {"access/login.html": "/login"}


@pytest.fixture
def services(labelled: Callable[..., Loop], sqlite_database: Database) -> Services:
    """A project after a round: two people differ, the classifier is trained, all is measured."""
    loop = labelled(sqlite_database)
    loop.answer(1, true_grade, person=2)
    services, clock = loop.services, loop.clock
    with services.database.transaction() as session:
        project = session.get(Project, loop.project_id)
        assert project is not None
        project.label_studio_project_id = 7
        session.add(project)
        LoopService(session, clock).request_review(project)
        WorkReports(session, clock).request(project)
    registry = Registry()
    registry.add_all(review_jobs.handlers(services))
    registry.add_all(agreement_jobs.handlers(services))
    InlineRunner(services.database, registry, clock).run_pending(skip_waiting_time=True)
    services.settings = services.settings.model_copy(
        update={"label_studio_url": "http://label-studio.example"}
    )
    return services


@pytest.fixture
def address(services: Services) -> Iterator[str]:
    with live(services) as found:
        yield found


def templates_of_pages() -> set[str]:
    """The templates that are pages of their own."""
    folder = HERE / "templates"
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.html")
        if '{% extends "base.html" %}' in path.read_text(encoding="utf-8")
    }


def test_no_page_is_forgotten() -> None:
    assert {*PAGES, *OF_SWAGGER, *BEFORE_LOGIN, *BEHIND_A_FORM} == templates_of_pages()


def test_every_page_fits_and_is_accessible(
    services: Services, address: str, page: Page, tmp_path: Path
) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    folder = Path(os.environ.get("ASSAY_PICTURES", tmp_path))

    def visit(look: str, template: str, place: str) -> None:
        size, language, scheme = LOOKS[look]
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        answer = page.goto(f"{address}{place}?lang={language}")
        assert answer is not None
        if template in OF_SWAGGER:
            page.locator("#docs .opblock").first.wait_for()
        assert answer.status == (404 if template == "problem.html" else 200), place
        page.screenshot(path=folder / f"{Path(template).stem}-{look}.png", full_page=True)
        assert page.locator("h1").count() == 1, place
        shown = page.locator("html").get_attribute("lang") or ""
        assert shown.startswith(language), place
        assert page.title() != "", place
        assert_fits(page)
        if template not in OF_SWAGGER:
            assert_accessible(page)

    for look in LOOKS:
        for template, place in BEFORE_LOGIN.items():
            visit(look, template, place)
    log_in(page, address, services, "admin")
    for look in LOOKS:
        for template, place in {**PAGES, **OF_SWAGGER}.items():
            visit(look, template, place)
    assert [each for each in faults if not re.search(r"404 \(Not Found\)", each)] == []
