"""What a person does on the labelling page is what is read from Label Studio."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from labeling.label_schema import LabelSchema
from labeling.label_studio.account import Account
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.predictions import Suggestion, build_prediction
from labeling.label_studio.server import LabelStudioServer
from labeling.label_studio.sync import changes_since, push_tasks
from labeling.label_studio.tasks import MISSING, build_task_data
from tests.fixtures.browser import (
    answer_in_browser,
    log_in_to_label_studio,
    marked_texts,
    open_labelling,
    the_record,
)
from tests.fixtures.label_studio import PASSWORD, ProjectFactory

pytestmark = [pytest.mark.label_studio, pytest.mark.browser]

SCHEMA = LabelSchema.default(["title", "brand", "price", "备注"])
RECORD = {"title": "保温杯 kettle <b>1.7 l</b> 😀", "brand": "Acme", "price": None, "备注": "满减"}


def test_the_answer_read_is_the_answer_given_with_its_origins(
    label_studio: LabelStudioServer,
    label_studio_client: LabelStudioClient,
    label_studio_project: ProjectFactory,
    accounts: list[Account],
    page: Page,
    tmp_path: Path,
) -> None:
    project = label_studio_project(SCHEMA)
    suggestion = Suggestion("fair", 0.7, "v1", {"missing_value": 0.8}, {"price": 0.9})
    tasks = push_tasks(
        label_studio_client,
        project,
        [
            {
                "data": build_task_data(f"key-{number}", f"SKU-{number}", RECORD, SCHEMA),
                "predictions": [build_prediction(suggestion, RECORD, SCHEMA)],
            }
            for number in range(2)
        ],
    )
    log_in_to_label_studio(page, label_studio.url, accounts[1].email, PASSWORD)
    assert open_labelling(page, label_studio.url, project) == tasks["key-0"]
    answer_in_browser(
        page,
        suggested_grade="fair",
        grade="poor",
        issues=["duplicate"],
        faulty_rows=[1],
        corrections={1: "Apex", 2: "39.90"},
        rationale="品牌错误 wrong brand 😀",
        screenshot=tmp_path / "labelling-page.png",
    )

    read = {
        snapshot.task_id: snapshot.annotations
        for part in changes_since(label_studio_client, project, None, SCHEMA)
        for snapshot in part
    }
    (annotation,) = read[tasks["key-0"]]
    assert annotation.problems == ()
    assert annotation.annotator_id == accounts[1].user_id
    assert annotation.grade == "poor"
    assert annotation.issues == ("missing_value", "duplicate")
    assert annotation.faulty_fields == ("brand", "price")
    assert annotation.corrected_values == {"brand": "Apex", "price": "39.90"}
    assert annotation.rationale == "品牌错误 wrong brand 😀"
    assert annotation.origins == {
        "grade": "prediction-changed",
        "issues": "prediction-changed",
        "faulty": "prediction-changed",
        "corrected": "prediction-changed",  # one of the two is on a mark that was suggested
        "rationale": "manual",
    }

    open_labelling(page, label_studio.url, project)
    page.get_by_text("Record — SKU-1").wait_for()
    the_record(page).locator(".htx-highlight").wait_for()
    assert marked_texts(page) == [MISSING]
    cells = the_record(page).locator("td").all_text_contents()
    shown = [RECORD["title"], RECORD["brand"], MISSING, RECORD["备注"]]
    assert cells == [text for pair in zip(SCHEMA.fields, shown, strict=True) for text in pair]
    assert read[tasks["key-1"]] == ()
