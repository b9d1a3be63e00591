"""The labelling page in a real browser: suggestions are seen, marks and corrections are read."""

import pytest
from playwright.sync_api import Locator, Page

from labeling.label_schema import LabelSchema
from labeling.label_studio.account import Account
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.predictions import Suggestion, build_prediction
from labeling.label_studio.server import LabelStudioServer
from labeling.label_studio.sync import changes_since, push_tasks
from labeling.label_studio.tasks import MISSING, build_task_data
from tests.fixtures.browser import log_in_to_label_studio
from tests.fixtures.label_studio import PASSWORD, ProjectFactory

pytestmark = [pytest.mark.label_studio, pytest.mark.browser]

SCHEMA = LabelSchema.default(["title", "price", "note", "brand", "stock"])
RECORD = {"title": "😀👍🏽 红 cup", "price": "39.90", "note": "one\r\ntwo & <b>", "brand": "Acme"}


def test_marks_of_suggestion_and_person_are_on_the_right_fields(
    label_studio: LabelStudioServer,
    label_studio_client: LabelStudioClient,
    label_studio_project: ProjectFactory,
    accounts: list[Account],
    page: Page,
) -> None:
    project = label_studio_project(SCHEMA)
    suggestion = Suggestion(
        "fair", 0.7, "v1", faulty_fields={"title": 0.9, "note": 0.8, "stock": 1}
    )
    item = {
        "data": build_task_data("key", "r1", RECORD, SCHEMA),
        "predictions": [build_prediction(suggestion, RECORD, SCHEMA)],
    }
    push_tasks(label_studio_client, project, [item])

    log_in_to_label_studio(page, label_studio.url, accounts[0].email, PASSWORD)
    # The label stream: opened by a task's own link, the page now and then shows no suggestion.
    page.goto(f"{label_studio.url}/projects/{project}/data?labeling=1")
    page.wait_for_selector("text=等级 / Grade")
    record = page.frame_locator("iframe")
    record.locator(".htx-highlight").nth(2).wait_for()
    shown = record.locator(".htx-highlight").all_text_contents()
    assert shown == ["😀👍🏽 红 cup", "one\ntwo & <b>", MISSING]

    cells = record.locator("tr td:nth-child(2)")
    page.keyboard.press("q")
    drag(page, cells.nth(1), cells.nth(1))
    record.locator(".htx-highlight", has_text="39.90").click()
    corrected = page.locator("[placeholder*='corrected value']:visible")
    corrected.fill("49.90")
    corrected.press("Shift+Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("q")
    drag(page, cells.nth(2), cells.nth(3))
    record.locator(".htx-highlight", has_text="Ac").wait_for()
    with page.expect_response(lambda answer: "/annotations" in answer.url) as submitted:
        page.locator("button[name=submit]").click()
    assert submitted.value.status == 201

    ((snapshot,),) = changes_since(label_studio_client, project, None, SCHEMA)
    (annotation,) = snapshot.annotations
    assert annotation.problems == ()
    assert annotation.faulty_fields == SCHEMA.fields
    assert annotation.corrected_values == {"price": "49.90"}
    assert annotation.origins["faulty"] == "prediction-changed"


def drag(page: Page, first: Locator, last: Locator) -> None:
    """Select from the start of one cell's text to the fourth character or so of the other's."""
    start, end = first.bounding_box(), last.bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 13, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["x"] + 60, end["y"] + end["height"] / 2, steps=8)
    page.mouse.up()
