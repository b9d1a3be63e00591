"""The map and the page of a record in a real browser."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from backend.core.services import Services
from tests.backend.explorer.drawing import draw
from tests.backend.training.loop import Loop
from tests.fixtures.live_app import assert_accessible, assert_fits, live, log_in


@pytest.mark.browser
def test_points_are_drawn_around_and_shown_in_the_list(
    loop: Loop, services: Services, page: Page, tmp_path: Path
) -> None:
    draw(loop)
    pictures = Path(os.environ.get("ASSAY_PICTURES", tmp_path))
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    place = f"/projects/{loop.project_id}"
    with live(services) as address:
        log_in(page, address, services, "viewer")
        for width, scheme, language in ((1440, "light", "en"), (390, "dark", "zh")):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            for name, path in (("map", "/map"), ("record", "/records/5?sort=doubt&position=3")):
                joint = "&" if "?" in path else "?"
                page.goto(f"{address}{place}{path}{joint}lang={language}")
                if name == "map":
                    page.wait_for_selector("#map[data-ready]")
                page.wait_for_timeout(100)
                assert_accessible(page)
                assert_fits(page)
                page.screenshot(path=str(pictures / f"{name}-{width}.png"), full_page=True)
        page.set_viewport_size({"width": 1440, "height": 1400})
        page.goto(f"{address}{place}/map?lang=en")
        page.wait_for_selector("#map[data-ready]")
        page.select_option("#colour", "doubts")
        expect(page.locator("#legend li")).to_have_count(5)
        page.click("#mode-draw")
        box = page.locator("#points").bounding_box()
        assert box is not None
        _drag_around(page, box, 0.02, 0.98)
        expect(page.locator("#chosen")).to_have_text("90")
        page.click("#clear")
        expect(page.locator("#selection")).to_be_hidden()
        _drag_around(page, box, 0.02, 0.5)
        expect(page.locator("#selection")).to_be_visible()
        page.screenshot(path=str(pictures / "map-chosen.png"), full_page=True)
        count = int(page.locator("#chosen").inner_text())
        assert 0 < count < 90
        page.click("#show-list")
        page.wait_for_url("**/records?record_id=*")
        assert page.url.count("record_id=") == count
        assert [said for said in problems if "404" not in said] == []


@pytest.mark.browser
def test_a_point_opens_its_record_and_keys_turn_the_pages(
    loop: Loop, services: Services, page: Page
) -> None:
    draw(loop)
    place = f"/projects/{loop.project_id}"
    with live(services) as address:
        log_in(page, address, services, "viewer")
        page.set_viewport_size({"width": 1440, "height": 1400})
        page.goto(f"{address}{place}/map")
        page.wait_for_selector("#map[data-ready]")
        box = page.locator("#points").bounding_box()
        assert box is not None
        x, y = page.evaluate("seen(8)")
        page.mouse.move(box["x"] + x, box["y"] + y)
        expect(page.locator("#words b")).to_be_visible()
        record_id = page.evaluate("points.ids[over]")
        assert record_id is not None
        page.mouse.click(box["x"] + x, box["y"] + y)
        page.wait_for_url(f"**/records/{record_id}")
        page.goto(f"{address}{place}/records/1?sort=id&position=89")
        page.keyboard.press("k")
        page.wait_for_url("**/records/2?sort=id&position=88")
        page.keyboard.press("ArrowRight")
        page.wait_for_url("**/records/1?sort=id&position=89")


def _drag_around(page: Page, box: dict[str, float], low: float, high: float) -> None:
    """A rectangle from the left edge, over this part of the picture's width."""
    left, right = (box["x"] + box["width"] * share for share in (low, high))
    top, bottom = box["y"] + 5, box["y"] + box["height"] - 5
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom)):
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
