"""Labels and titles in a real browser: seen letter by letter, suggested, answered, read back."""

import pytest
from playwright.sync_api import Page, expect

from labeling.label_schema import LabelSchema
from labeling.label_studio.account import Account
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.label_mapping import LabelMapping, translate
from labeling.label_studio.predictions import Suggestion, build_prediction
from labeling.label_studio.server import LabelStudioServer
from labeling.label_studio.sync import changes_since, push_tasks
from labeling.label_studio.tasks import build_task_data
from tests.fixtures.browser import log_in_to_label_studio, open_labelling
from tests.fixtures.label_studio import PASSWORD, ProjectFactory

pytestmark = [pytest.mark.label_studio, pytest.mark.browser]

LABELS = [
    "$0-$10",
    "costs $5",
    "$$$",
    "US$ 5",
    "＄0-＄10",
    "a & b <c>",
    "\"quoted\" 'x'",
    "👍",
    "good ",
    "two  blanks",
    "line\nbreak",
    "true",
    "{{x}}",
]
ANSWERED = ["$0-$10", "＄0-＄10", "costs $5", "line\nbreak", "true"]
QUESTION = "Which price in $USD?  & <b>"
SCHEMA = LabelSchema.model_validate(
    {
        "fields": ["title"],
        "grade": {
            "name": "价格/price $band",
            "en": QUESTION,
            "choices": [*LABELS, {"value": "plain", "en": "title in $EUR", "zh": "欧元$"}],
        },
        "issues": ["wrong $currency", "false", "other"],
    }
)
RECORD = {"title": "costs $price"}


def test_labels_are_seen_and_come_back_letter_by_letter(
    label_studio: LabelStudioServer,
    label_studio_client: LabelStudioClient,
    label_studio_project: ProjectFactory,
    accounts: list[Account],
    page: Page,
) -> None:
    project = label_studio_project(SCHEMA)
    places = [LABELS.index(label) for label in ANSWERED]
    items = [
        {
            "data": build_task_data(f"key-{place}", f"r{place}", RECORD, SCHEMA),
            "predictions": [
                build_prediction(
                    Suggestion(SCHEMA.grades[place], 0.5, "v1", {"wrong $currency": 0.9}),
                    RECORD,
                    SCHEMA,
                )
            ],
        }
        for place in places
    ]
    ids = push_tasks(label_studio_client, project, items)
    place_of = {ids[f"key-{place}"]: place for place in places}

    log_in_to_label_studio(page, label_studio.url, accounts[0].email, PASSWORD)
    for number in range(len(places)):
        place = place_of[open_labelling(page, label_studio.url, project)]
        expect(page.locator("input[type=radio]").nth(place)).to_be_checked()
        expect(page.locator("input[type=checkbox]").nth(0)).to_be_checked()
        if number == 0:
            shown = page.locator(".lsf-choice label")
            titles = [*LABELS, "title in $EUR 欧元$", "wrong $currency", "false", "other"]
            for title, label in zip(titles, shown.all(), strict=True):
                # What is seen, with the key that Label Studio writes behind it.
                assert label.inner_text().partition("[")[0] == title
            assert page.get_by_text(QUESTION, exact=True).inner_text() == QUESTION
        page.locator("input[type=checkbox]").nth(1).check()
        with page.expect_response(lambda answer: "/annotations" in answer.url) as submitted:
            page.locator("button[name=submit]").click()
        assert submitted.value.status == 201

    found = [
        (place_of[snapshot.task_id], annotation)
        for part in changes_since(label_studio_client, project, None, SCHEMA)
        for snapshot in part
        for annotation in snapshot.annotations
    ]
    assert {place: (row.grade, row.issues, row.problems) for place, row in found} == {
        place: (SCHEMA.grades[place], ("wrong $currency", "false"), ()) for place in places
    }
    for place, row in found:  # as an import of its export reads it
        told, misfits = translate(
            row.result, LabelMapping(), SCHEMA, RECORD, table_fields=SCHEMA.fields
        )
        assert misfits == []
        assert told[0]["value"]["choices"] == [SCHEMA.grades[place]]
