"""The project page in a real browser."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

from backend.core.services import Services
from tests.fixtures.live_app import live, log_in


@pytest.mark.browser
def test_the_learning_curve_is_seen_whole_and_readable_on_a_phone(
    project_id: int, services: Services, page: Page, tmp_path: Path
) -> None:
    pictures = Path(os.environ.get("ASSAY_PICTURES", tmp_path))
    with live(services) as address:
        log_in(page, address, services, "viewer")
        for name, width in (("desk", 1280), ("phone", 390)):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{address}/projects/{project_id}")
            curve = page.locator("svg.curve:not(.intervals)")
            box, card = curve.bounding_box(), page.locator(".scroll:has(svg.curve)").bounding_box()
            assert box is not None
            assert card is not None
            assert box["width"] <= card["width"] + 1
            captions = [each.bounding_box() for each in curve.locator("text").all()]
            for caption in captions:
                assert caption is not None
                assert caption["height"] >= 9
                assert caption["x"] >= box["x"] - 1
                assert caption["x"] + caption["width"] <= box["x"] + box["width"] + 1
            curve.screenshot(path=str(pictures / f"curve-{name}.png"))
