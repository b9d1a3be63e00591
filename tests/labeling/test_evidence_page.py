"""Evidence on the labelling page: seen in its own colours, never part of the answer."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from labeling.label_schema import LabelSchema
from labeling.label_studio.account import Account
from labeling.label_studio.annotations import Answer, build_result
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.label_config import build_label_config, has_evidence
from labeling.label_studio.predictions import EvidenceMark, Suggestion, build_prediction
from labeling.label_studio.server import LabelStudioServer
from labeling.label_studio.sync import changes_since, push_tasks
from labeling.label_studio.tasks import MISSING, build_task_data
from tests.fixtures.browser import (
    answer_in_browser,
    log_in_to_label_studio,
    mark_row,
    marked_texts,
    open_labelling,
    the_record,
)
from tests.fixtures.label_studio import PASSWORD, ProjectFactory

pytestmark = [pytest.mark.label_studio, pytest.mark.browser]

SCHEMA = LabelSchema.default(["title", "brand", "price", "备注", "stock"])
RECORD = {
    "title": "保温杯 😀 kettle <b>1.7 l</b>",
    "brand": "Acme",
    "price": None,
    "备注": "满减包邮",
    "stock": "12",
}
EVIDENCE = (
    EvidenceMark("title", 0.9, "kettle", RECORD["title"].index("kettle")),
    EvidenceMark("title", 0.3, "保温", 0),
    EvidenceMark("price", -1.3),
    EvidenceMark("备注", -0.4, "包邮", 2),
    EvidenceMark("stock", 0.2),
)
BOX = "[placeholder*='corrected value']:visible"


def test_evidence_is_seen_in_its_place_and_only_people_answer(
    label_studio: LabelStudioServer,
    label_studio_client: LabelStudioClient,
    label_studio_project: ProjectFactory,
    accounts: list[Account],
    page: Page,
    tmp_path: Path,
) -> None:
    project = label_studio_project(SCHEMA)
    suggestion = Suggestion("fair", 0.7, "v1", {}, {"price": 0.9}, EVIDENCE)
    item = {
        "data": build_task_data("key", "SKU-1", RECORD, SCHEMA),
        "predictions": [build_prediction(suggestion, RECORD, SCHEMA)],
    }
    push_tasks(label_studio_client, project, [item])
    log_in_to_label_studio(page, label_studio.url, accounts[2].email, PASSWORD)
    open_labelling(page, label_studio.url, project)
    record = the_record(page)
    marks = record.locator(".htx-highlight")
    marks.nth(4).wait_for()
    pictures = Path(os.environ.get("ASSAY_PICTURES", tmp_path))
    page.screenshot(path=str(pictures / "evidence.png"))
    texts = marked_texts(page)
    assert sorted(set(texts)) == sorted(["保温", "kettle", MISSING, "包邮", "12"])

    cells = record.locator("tr td:nth-child(2)")
    cells.nth(4).locator(".htx-highlight").first.click()
    expect(page.locator(BOX)).to_have_count(0)
    page.screenshot(path=str(pictures / "evidence-selected.png"))
    page.keyboard.press("Backspace")  # an attempt to delete it
    page.keyboard.press("Escape")

    # Where both lie on one value, a click chooses the mark that can be corrected.
    cells.nth(2).locator("text=缺失").click()
    expect(page.locator(BOX)).to_have_count(1)
    page.keyboard.press("Escape")

    mark_row(page, 4)
    page.get_by_text("faulty", exact=True).last.click()  # the person's own, in the list of regions
    expect(page.locator(BOX)).to_have_count(1)
    page.keyboard.press("Escape")
    page.screenshot(path=str(pictures / "evidence-faulty.png"))
    answer_in_browser(page, grade="poor", faulty_rows=[1], corrections={1: "Apex"})

    ((snapshot,),) = changes_since(label_studio_client, project, None, SCHEMA)
    (annotation,) = snapshot.annotations
    assert annotation.problems == ()
    assert annotation.grade == "poor"
    assert annotation.faulty_fields == ("brand", "price", "stock")
    assert annotation.corrected_values == {"brand": "Apex"}
    assert "evidence" not in annotation.origins


def test_an_old_screen_takes_the_control_while_it_has_tasks_and_answers(
    label_studio_client: LabelStudioClient, label_studio_project: ProjectFactory
) -> None:
    project = label_studio_project(SCHEMA)
    old = build_label_config(SCHEMA, evidence=False)
    label_studio_client.update_project(project, {"label_config": old})
    assert label_studio_client.get_project(project)["label_config"].strip() == old.strip()
    task = {"data": build_task_data("old", "SKU-0", RECORD, SCHEMA)}
    ids = push_tasks(label_studio_client, project, [task])
    answer = Answer("fair", (), ("price",), {"price": "9.90"}, None)
    label_studio_client.create_annotation(
        ids["old"], {"result": build_result(answer, RECORD, SCHEMA)}
    )
    label_studio_client.update_project(project, {"label_config": build_label_config(SCHEMA)})
    assert has_evidence(label_studio_client.get_project(project)["label_config"])
    suggestion = Suggestion("fair", 0.7, "v1", {}, {}, EVIDENCE)
    item = {
        "data": build_task_data("new", "SKU-1", RECORD, SCHEMA),
        "predictions": [build_prediction(suggestion, RECORD, SCHEMA)],
    }
    assert push_tasks(label_studio_client, project, [item])["new"] > 0
    assert label_studio_client.model_versions(project) == {"v1": 1}
