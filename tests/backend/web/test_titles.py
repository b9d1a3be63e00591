"""No page shows a raw value of a grade, or a column that the label schema does not have."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlmodel import col, select
from typer.testing import CliRunner

from backend.agreement import jobs as agreement_jobs
from backend.agreement.service import WorkReports
from backend.cli import app as cli
from backend.core.database import Database
from backend.core.security import CSRF_FIELD
from backend.core.services import Services
from backend.guidelines.schemas import GuidelineDraft, Rule
from backend.guidelines.service import Guidelines
from backend.jobs.inline import InlineRunner
from backend.jobs.registry import Registry
from backend.loop.service import LoopService
from backend.models import Dataset, Project, Record, ReviewCase, Task
from backend.review import jobs as review_jobs
from backend.review.decisions import Decisions
from backend.review.schemas import DecisionRequest
from labeling.label_schema import LabelSchema
from tests.backend.conftest import ClientAs
from tests.backend.training.conftest import new_loop
from tests.backend.training.loop import Loop, true_grade

__all__ = ["new_loop"]

VALUES = {"good": "qv1", "fair": "qv2", "poor": "qv3"}
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
POLICY = {
    "batch_size": 60,
    "audit_share": 0.2,
    "max_rounds": 2,
    "fine_tune_after": None,
    "explanation_share": 1.0,
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


def shelf_of(task: Task, record: Record) -> str:
    return VALUES[true_grade(task, record)]


def neighbour_of(task: Task, record: Record) -> str:
    """Another answer to every fourth record."""
    right = true_grade(task, record)
    return VALUES[right if int(record.external_id) % 4 else {"good": "fair"}.get(right, "good")]


@pytest.fixture
def services(new_loop: Callable[..., Loop], sqlite_database: Database) -> Services:
    """Two rounds with own choices, answered by two people who differ, measured and decided."""
    loop = new_loop(sqlite_database, records=120, **POLICY)
    services, clock = loop.services, loop.clock
    with services.database.transaction() as session:
        project = session.get_one(Project, loop.project_id)
        schema = LabelSchema.model_validate(SCHEMA)
        project.label_schema = schema.model_dump(mode="json")
        dataset = session.get_one(Dataset, project.dataset_id)
        extra = [f"truth_column_{number}" for number in range(5)]
        dataset.fields = [*extra, *dataset.fields]
        for record in session.exec(select(Record)):
            hidden = dict.fromkeys(extra, f"hidden-truth {record.external_id}")
            record.fields = {**hidden, **record.fields}
            session.add(record)
        session.add_all([project, dataset])
    loop.ask_for_batch()
    loop.run()
    loop.answer(1, shelf_of)
    loop.run()
    loop.answer(1, neighbour_of, person=2)
    loop.run()
    assert loop.failed == []
    with services.database.transaction() as session:
        project = session.get_one(Project, loop.project_id)
        project.label_studio_project_id = 7
        session.add(project)
        LoopService(session, clock).request_review(project)
        _write_guideline(Guidelines(session, clock), project)
    registry = Registry()
    registry.add_all(review_jobs.handlers(services))
    registry.add_all(agreement_jobs.handlers(services))
    runner = InlineRunner(services.database, registry, clock)
    runner.run_pending(skip_waiting_time=True)
    with services.database.transaction() as session:
        cases = list(session.exec(select(ReviewCase).order_by(col(ReviewCase.id))))
        for case, action in zip(cases, ("decide", "decide", "ambiguous"), strict=False):
            wanted: dict[str, Any] = {"version": case.version, "action": action}
            if action == "decide":
                wanted |= {"grade": "qv2", "issues": ["iv1"]}
            request = DecisionRequest.model_validate(wanted)
            Decisions(session, clock).decide(project, case.id, request, author="lead")
        WorkReports(session, clock).request(project)
    runner.run_pending(skip_waiting_time=True)
    services.settings = services.settings.model_copy(
        update={
            "session_secret": SecretStr("a session secret for the tests"),
            "label_studio_url": "http://label-studio.example",
        }
    )
    return services


def _write_guideline(guidelines: Guidelines, project: Project) -> None:
    rules = [Rule(name="Shelves", about="qv2", text="Look."), Rule(name="Prices", about="iv1")]
    draft = GuidelineDraft(based_on=1, text="Look twice.", rules=rules, change="rules")
    guidelines.save(project, draft, author="lead")
    guidelines.publish(project, 2, actor="lead")


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
