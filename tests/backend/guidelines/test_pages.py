"""The guideline's pages, by role and language; the edit form and its conflicts."""

import re

import pytest
from fastapi.testclient import TestClient

from backend.access import account_pages, user_pages
from backend.core.database import Database
from backend.guidelines import pages
from backend.guidelines.schemas import GuidelineDraft, Rule
from backend.guidelines.service import FIRST_AUTHOR, FIRST_CHANGE, Guidelines
from backend.models import Project
from backend.words.catalogue import catalogue
from tests.backend.conftest import ClientAs
from tests.backend.guidelines.conftest import CHINESE, ENGLISH
from tests.backend.review.conftest import Desk

RULE = Rule(
    name="which duplicate stays", about="duplicate", text="The *older*.", text_zh="较早者。"
)


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    return sqlite_database


@pytest.fixture
def path(desk: Desk) -> str:
    return f"/projects/{desk.project_id}/guideline"


@pytest.fixture
def lead(browser_as: ClientAs) -> TestClient:
    browser = browser_as("lead")
    token = browser.get("/account").text.split('name="csrf_token" value="')[1][:64]
    browser.headers["X-CSRF-Token"] = token
    return browser


def form_of(page: str) -> dict[str, list[str]]:
    """What a browser would send of the edit form."""
    fields: dict[str, list[str]] = {}
    body = page.split('id="guideline-form"', 1)[1]
    for match in re.finditer(
        r'<input (?:type="hidden" )?name="(\w+)" value="([^"]*)"'
        r'|<textarea name="(\w+)"[^>]*>\n(.*?)</textarea>'
        r'|<select name="(\w+)">(.*?)</select>',
        body,
        re.DOTALL,
    ):
        name = match[1] or match[3] or match[5]
        value = match[2] if match[1] else match[4]
        if match[5]:
            chosen = re.search(r'value="([^"]*)" selected', match[6])
            value = chosen[1] if chosen else ""
        fields.setdefault(name, []).append(value or "")
    return fields


def disagree(desk: Desk) -> None:
    ana, bo = desk.people("Ana", "Bo")
    for task in (1, 2, 3):
        desk.answer(task, ana, "good", issues=["duplicate"])
        desk.answer(task, bo, "poor" if task == 1 else "good")


def publish_rule(desk: Desk) -> None:
    with desk.services.database.transaction() as session:
        guidelines = Guidelines(session, desk.clock)
        made = GuidelineDraft(
            text="New <b>text</b>", text_zh="新文本", rules=[RULE], change="a rule", based_on=1
        )
        guidelines.save(desk.project, made, author="lead@example.org")
        guidelines.publish(desk.project, 2, actor="lead@example.org")


def test_everybody_reads_what_counts_in_their_language(
    desk: Desk, path: str, browser_as: ClientAs
) -> None:
    publish_rule(desk)
    annotator = browser_as("annotator")
    page = annotator.get(path).text
    assert "New &lt;b&gt;text&lt;/b&gt;" in page
    assert "The <em>older</em>." in page
    assert "较早者。" in annotator.get(f"{path}?lang=zh").text
    for hidden in ("Versions", "Rules people disagree about", "lead@example.org", "Write a new"):
        assert hidden not in annotator.get(f"{path}?lang=en").text
    assert annotator.get(f"{path}/versions/1").status_code == 403
    assert annotator.get(f"{path}/edit").status_code == 403


def test_the_first_version_is_the_schemas(desk: Desk, path: str, browser_as: ClientAs) -> None:
    viewer = browser_as("viewer")
    assert ENGLISH in viewer.get(path).text
    assert CHINESE in viewer.get(f"{path}?lang=zh").text
    assert "Rules people disagree about" not in viewer.get(f"{path}?lang=en").text
    assert viewer.get(f"{path}/versions/1").status_code == 200
    assert viewer.get(f"{path}/versions/2").status_code == 404


def test_reviewers_see_which_rule_is_unclear(desk: Desk, path: str, browser_as: ClientAs) -> None:
    reviewer = browser_as("reviewer")
    assert "No record has answers of two people yet" in reviewer.get(path).text
    disagree(desk)
    before = reviewer.get(path).text
    row = next(part for part in before.split("<tr>") if "duplicate" in part and "<td" in part)
    assert re.findall(r'class="number"[^>]*>(\d+)<', row) == ["3", "3"]
    assert "no rule yet" in row
    assert "Write one" not in row, "that is for leads"
    publish_rule(desk)
    after = reviewer.get(path).text
    row = next(part for part in after.split("<tr>") if "duplicate" in part and "<td" in part)
    assert '<a href="#rule-1">which duplicate stays</a>' in row
    assert 'id="rule-1"' in after
    assert "no rule yet" not in row


def test_a_lead_writes_previews_saves_and_publishes(
    desk: Desk, path: str, lead: TestClient
) -> None:
    disagree(desk)
    assert f'href="{path}/edit?about=duplicate#new-rule"' in lead.get(path).text
    form = form_of(lead.get(f"{path}/edit?about=duplicate").text)
    assert form["text"] == [ENGLISH]
    assert form["rule_about"] == ["duplicate"]
    form["text"] = ["**Good**\r\nnothing is wrong"]
    form["rule_name"] = ["which duplicate stays"]
    form["change"] = ["clearer"]
    shown = lead.post(f"{path}/edit", data={**form, "action": "preview"})
    assert "<strong>Good</strong><br />" in shown.text
    assert "<ins>+ **Good**</ins>" in shown.text
    assert f"<del>− {ENGLISH}</del>" in shown.text
    assert form_of(shown.text)["text"] == ["**Good**\nnothing is wrong"]
    fragment = lead.post(
        f"{path}/edit", data={**form, "action": "preview"}, headers={"HX-Request": "true"}
    )
    assert "<html" not in fragment.text
    assert "<strong>Good</strong>" in fragment.text
    more = form_of(lead.post(f"{path}/edit", data={**form, "action": "add"}).text)
    assert more["rule_name"] == ["which duplicate stays", ""]
    saved = lead.post(f"{path}/edit", data={**more, "action": "save"})
    assert saved.headers["location"] == f"{path}/versions/2?notice=saved"
    page = lead.get(saved.headers["location"]).text
    assert "Publish this version" in page
    assert "<ins>+ == § which duplicate stays (duplicate)</ins>" in page
    published = lead.post(f"{path}/versions/2/publish")
    assert published.headers["location"] == f"{path}?notice=published"
    after = lead.get(published.headers["location"]).text
    assert "Label Studio does not show this version yet" in after
    assert ">clearer</td>" in after


def test_the_second_of_two_editors_keeps_their_text(
    desk: Desk, path: str, lead: TestClient
) -> None:
    first, second = (form_of(lead.get(f"{path}/edit").text) for _ in range(2))
    saved = lead.post(f"{path}/edit", data={**first, "text": "from Ana", "change": "one"})
    assert saved.status_code == 303
    mine = {**second, "text": "from Bo", "change": "two"}
    answer = lead.post(f"{path}/edit", data=mine)
    assert answer.status_code == 409
    assert "Somebody saved version 2 meanwhile: lead@example.org." in answer.text
    assert "<del>− from Ana</del>" in answer.text
    assert "<ins>+ from Bo</ins>" in answer.text
    again = form_of(answer.text)
    assert (again["text"], again["based_on"]) == (["from Bo"], ["2"])
    assert lead.post(f"{path}/edit", data=again).status_code == 303


def test_wrong_forms_are_shown_again(desk: Desk, path: str, lead: TestClient) -> None:
    form = form_of(lead.get(f"{path}/edit").text)
    for changes, words in (
        ({"change": "why"}, "Nothing is different from version 1."),
        ({"text": "kept words"}, "change:"),
        ({"text": "kept words", "rule_text": "no name"}, "A rule has a text and no name."),
        (
            {"text": "kept words", "rule_name": "r", "rule_about": "nonsense", "change": "why"},
            "cannot be about",
        ),
    ):
        answer = lead.post(f"{path}/edit", data={**form, **changes})
        assert answer.status_code == 422, changes
        assert words in answer.text
        assert changes.get("text", ENGLISH) in answer.text
    assert lead.post(f"{path}/edit", data={**form, "action": "burn"}).status_code == 422


def test_programs_read_and_write_it_too(desk: Desk, client_as: ClientAs) -> None:
    base = f"/api/v1/projects/{desk.project_id}/guideline"
    lead = client_as("lead")
    draft = {"text": "x", "change": "new words", "based_on": 1, "rules": [RULE.model_dump()]}
    assert lead.post(f"{base}/versions", json=draft).status_code == 201
    conflict = lead.post(f"{base}/versions", json=draft)
    assert conflict.status_code == 409
    assert conflict.json()["field"] == "based_on"
    assert lead.get(base).json()["version"] == 1
    assert lead.post(f"{base}/versions/2/publish").json()["is_current"] is True
    assert lead.get(base).json()["rules"] == [RULE.model_dump()]
    assert [each["version"] for each in lead.get(f"{base}/versions").json()] == [2, 1]
    assert lead.get(f"{base}/versions/1").json()["text"] == ENGLISH
    found = client_as("reviewer").get(f"{base}/disagreements").json()
    assert found["records"] == 0
    viewer = client_as("viewer")
    assert viewer.get(f"{base}/disagreements").status_code == 403
    assert viewer.post(f"{base}/versions", json=draft).status_code == 403
    assert lead.get("/api/v1/projects/99/guideline").status_code == 404


def test_a_project_that_label_studio_does_not_have_yet(
    desk: Desk, path: str, lead: TestClient
) -> None:
    with desk.services.database.transaction() as session:
        session.get_one(Project, desk.project_id).label_studio_project_id = None
    publish_rule(desk)
    assert "it begins with this version there" in lead.get(path).text


def test_captions_are_chinese_too() -> None:
    words = {*pages.NOTICES.values(), *pages.SHOWING.values(), FIRST_AUTHOR, FIRST_CHANGE}
    words |= {*user_pages.NOTICES.values(), *user_pages.ROLE_WORDS.values(), *user_pages.ROLE_WORDS}
    words |= {account_pages.WRONG_PASSWORD, account_pages.NOT_THE_SAME, account_pages.CHANGED}
    assert [text for text in words if text not in catalogue("zh")] == []
