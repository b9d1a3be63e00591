"""The page on which leads read why suggestions were made, in a browser and as text."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page
from sqlmodel import col, select

from backend.core.services import Services
from backend.models import ModelVersion, Prediction, Task
from backend.projects.field_effects import Piece, split_value
from tests.backend.conftest import ClientAs
from tests.fixtures.live_app import live, log_in

VALUE = "steel kettle 😀 不锈钢 <b>x</b>"


def mark(field: str, value: str, contribution: float, *tokens: tuple[str, float]) -> dict:
    return {
        "field": field,
        "value": value,
        "contribution": contribution,
        "reason": {"en": f"{field} in words", "zh": f"{field} 的依据"},
        "tokens": [
            {
                "start": value.index(text),
                "end": value.index(text) + len(text),
                "text": text,
                "contribution": effect,
            }
            for text, effect in tokens
        ],
    }


@pytest.fixture
def explained(services: Services, project_id: int) -> int:
    """The project's newest batch has suggestions; the first of them shows no reasons."""
    with services.database.transaction() as session:
        version = session.exec(
            select(ModelVersion).where(ModelVersion.project_id == project_id)
        ).first()
        tasks = session.exec(
            select(Task)
            .where(Task.project_id == project_id)
            .order_by(col(Task.batch_id).desc(), col(Task.position))
        ).all()
        for place, task in enumerate(tasks[:6]):
            task.is_audit = place == 1
            marks = [
                mark("title", VALUE, 1.26, ("kettle", 0.8), ("不锈", 0.4), ("x", -0.2)),
                mark("price", "", -2.5),
            ]
            session.add(task)
            session.add(
                Prediction(
                    task_id=task.id,
                    model_version_id=(version and version.id) or 0,
                    grade="fair",
                    score=0.71,
                    grade_probabilities={},
                    issue_probabilities={},
                    field_probabilities={},
                    explanation=marks if place else [],
                    created_at=services.clock(),
                )
            )
    return project_id


@pytest.fixture
def address(services: Services) -> Iterator[str]:
    with live(services) as found:
        yield found


def test_the_page_shows_signed_bars_and_pieces_and_says_where_reasons_are_hidden(
    explained: int, browser_as: ClientAs
) -> None:
    browser: TestClient = browser_as("viewer")
    path = f"/projects/{explained}/explanations"
    assert f'href="{path}"' in browser.get(f"/projects/{explained}").text
    page = browser.get(path).text
    assert page.count('class="card suggestion"') == 5  # not the audit task
    assert page.count("see this suggestion without reasons") == 1
    assert '<mark class="supports" title="+0.80">kettle</mark>' in page
    assert '<mark class="against" title="-0.20">x</mark>' in page
    assert '&lt;b&gt;<mark class="against"' in page
    assert '<rect class="supports" x="0.0" y="1" width="50.4"' in page
    assert '<rect class="against" x="-100.0" y="1" width="100.0"' in page
    assert "-2.5" in page
    assert "71 %" in page
    chinese = browser.get(f"{path}?lang=zh").text
    for words in ("最近建议的依据", "缺失值", "title 的依据", "支持"):
        assert words in chinese


def test_a_project_without_suggestions_and_strangers(
    project_id: int, browser_as: ClientAs, client: TestClient
) -> None:
    path = f"/projects/{project_id}/explanations"
    assert "come with the second batch" in browser_as("viewer").get(path).text
    assert client.get(path).status_code in {303, 401}
    assert browser_as("engineer").get("/projects/999/explanations").status_code == 404


def test_pieces_make_up_the_value_whatever_the_tokens_are() -> None:
    tokens = mark("t", VALUE, 1.0, ("kettle", 0.8), ("不锈", 0.4))["tokens"]
    assert split_value(VALUE, tokens)[1] == Piece("kettle", 0.8)
    odd = [
        {"start": 3, "end": 9, "contribution": 1.0},
        {"start": 0, "end": 5, "contribution": -1.0},
        {"start": 8, "end": 500, "contribution": 1.0},
        {"start": 600, "end": 700, "contribution": 1.0},
    ]
    for found in (tokens, odd, []):
        assert "".join(piece.text for piece in split_value(VALUE, found)) == VALUE
    assert split_value("", []) == []


@pytest.mark.browser
def test_the_page_fits_desk_and_phone(
    explained: int, services: Services, address: str, page: Page, tmp_path: Path
) -> None:
    pictures = Path(os.environ.get("ASSAY_PICTURES", tmp_path))
    log_in(page, address, services, "viewer")
    for name, width, language in (("desk", 1280, "en"), ("phone", 390, "zh")):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{address}/projects/{explained}/explanations?lang={language}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        bar = page.locator(".effects rect.against").first.bounding_box()
        value = page.locator(".effects .value").first.bounding_box()
        assert bar is not None
        assert value is not None
        card = page.locator(".card").first.bounding_box()
        number = page.locator(".effects .bar b").first.bounding_box()
        assert card is not None
        assert number is not None
        assert number["x"] + number["width"] < card["x"] + card["width"]
        assert bar["width"] > 25
        assert value["width"] > 200
        page.screenshot(path=str(pictures / f"explanations-{name}.png"))
