"""No page shows a raw value of a grade, or a column that the label schema does not have."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select
from typer.testing import CliRunner

from backend.cli import app as cli
from backend.core.database import Database
from backend.core.security import CSRF_FIELD
from backend.core.services import Services
from backend.models import ReviewCase
from labeling.label_schema import LabelSchema
from tests.backend.conftest import ClientAs
from tests.backend.training.conftest import new_loop
from tests.backend.training.loop import Loop
from tests.backend.web.measured import POLICY, VALUES, measured_project

__all__ = ["new_loop"]

TITLES = {"en": ["Kettles", "Shirts", "Rubble"], "zh": ["水壶", "衬衫", "瓦砾"]}
QUESTION = {"en": "Which shelf?", "zh": "哪个货架？"}
ISSUES = [{"value": "iv1", "en": "price is gone", "zh": "价格缺失", "fields": ["price"]}]
RAW = re.compile(r"\b([qi]v\d)\b")
COMMAND = re.compile(r"\b(?:assay|make) [a-z-]+ ?[a-z-]*")
OUTSIDE = ("hidden-truth", "truth_column")
SCHEMA = {
    "fields": ["price", "title"],
    "grade": {
        "name": "shelf",
        "en": QUESTION["en"],
        "zh": QUESTION["zh"],
        "choices": [
            {"value": value, "en": en, "zh": zh}
            for value, en, zh in zip(VALUES.values(), TITLES["en"], TITLES["zh"], strict=True)
        ],
    },
    "issues": ISSUES,
}


class Visible(HTMLParser):
    """What people see or hear of a page."""

    SPOKEN = ("title", "aria-label", "placeholder", "alt", "data-label", "label")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in {"script", "style"}
        self.words += [value or "" for name, value in attrs if name in self.SPOKEN]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


@pytest.fixture
def services(new_loop: Callable[..., Loop], sqlite_database: Database) -> Services:
    loop = new_loop(sqlite_database, records=120, **POLICY)
    return measured_project(loop, LabelSchema.model_validate(SCHEMA), ("Ana", "Bo"))


def checked(page: str, language: str, place: str) -> str:
    words = " ".join(Visible(page).words)
    assert RAW.findall(words) == [], place
    assert [each for each in OUTSIDE if each in words] == [], place
    assert COMMAND.findall(words) == [], place
    other = {"zh": [*TITLES["en"], QUESTION["en"], "price is gone"], "en": TITLES["zh"]}[language]
    assert [each for each in other if each in words] == [], place
    return words


PAGES = {
    "/": False,
    "/projects/1": True,
    "/projects/1/agreement": True,
    "/projects/1/agreement?question=issue:iv1": True,
    "/projects/1/annotators": False,
    "/projects/1/annotators/1": True,
    "/projects/1/annotators/2": True,
    "/projects/1/explanations": True,
    "/projects/1/exports": True,
    "/projects/1/guideline": True,
    "/projects/1/guideline/edit": True,
    "/projects/1/guideline/edit?about=qv2": True,
    "/projects/1/guideline/versions/2": True,
    "/projects/1/labels": True,
    "/projects/1/map": False,
    "/projects/1/labels?kind=relabel": True,
    "/projects/1/labels?kind=all": True,
    "/projects/1/review": True,
    "/projects/1/review?state=decided": True,
    "/projects/1/review?state=ambiguous": True,
    "/my-work": False,
    "/audit": False,
    "/jobs": False,
}
"""Address to whether a value of the label schema stands there."""


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_says_titles_and_shows_the_schema_s_fields(
    browser_as: ClientAs, services: Services, language: str
) -> None:
    browser = browser_as("admin")
    browser.get("/", params={"lang": language})
    with services.database.reading() as session:
        cases = [case.id for case in session.exec(select(ReviewCase).order_by(col(ReviewCase.id)))]
    of_cases = {f"/projects/1/review/{case}": True for case in cases[:5]}
    seen = {}
    for place, has_titles in {**PAGES, **of_cases}.items():
        answer = browser.get(place)
        assert answer.status_code == 200, place
        seen[place] = words = checked(answer.text, language, place)
        named = [each for each in (*TITLES[language], QUESTION[language]) if each in words]
        assert bool(named) or not has_titles, place
    for place in of_cases:
        assert QUESTION[language] in seen[place]
        assert all(each in seen[place] for each in TITLES[language])
    # Choices without an order have no ordinal alpha.
    assert {"en": "rdinal", "zh": "有序"}[language] not in seen["/projects/1/agreement"]
    forms_say_titles(browser, services, language)


def forms_say_titles(browser: TestClient, services: Services, language: str) -> None:
    """What forms answer is in words too: a preview, and a decision without a choice."""
    token = re.search(
        f'name="{CSRF_FIELD}" value="([^"]+)"', browser.get("/projects/1/review").text
    )
    assert token is not None
    form = {CSRF_FIELD: token[1]}
    preview = browser.post(
        "/projects/1/review/bulk/preview",
        data={**form, "action": "accept_consensus", "state": ""},
    )
    assert preview.status_code == 200
    checked(preview.text, language, "a preview")
    with services.database.reading() as session:
        case = session.exec(select(ReviewCase).where(ReviewCase.state == "open")).first()
    assert case is not None
    refused = browser.post(
        f"/projects/1/review/{case.id}",
        data={**form, "action": "decide", "version": str(case.version)},
    )
    assert refused.status_code == 422
    words = checked(refused.text, language, "a decision without a choice")
    assert all(words.count(each) > 1 for each in TITLES[language])


COMMANDS = (
    ("review", "list", "Shop"),
    ("labels", "suspects", "Shop"),
    ("labels", "relabel", "Shop"),
    ("agreement", "Shop"),
    ("annotators", "list", "Shop"),
    ("annotators", "show", "Shop", "1"),
)


def test_machines_read_values_and_the_command_line_says_titles(
    services: Services, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = client_as("lead")
    for place in ("cases?limit=3", "label-findings?kind=all&limit=3"):
        items = lead.get(f"/api/v1/projects/1/{place}").json()["items"]
        assert items, place
        for item in items:
            assert item["grade"] is None or item["grade"] in VALUES.values()
            assert list(item["fields"]) == ["price", "title"]
    report: Any = lead.get("/api/v1/projects/1/agreement").json()
    assert report["questions"][0]["alpha"]["value"] is not None
    assert report["questions"][0]["ordinal"] is None
    monkeypatch.setattr("backend.bootstrap.open_services", lambda: services)
    monkeypatch.setenv("COLUMNS", "400")
    for command in COMMANDS:
        done = CliRunner().invoke(cli, command)
        assert done.exit_code == 0, done.output
        assert RAW.findall(done.output) == [], command
        assert [each for each in OUTSIDE if each in done.output] == [], command
