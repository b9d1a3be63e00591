"""Long names of classes, issues, fields and people in a real browser: nothing is cut or sticks out.

``ASSAY_PICTURES=FOLDER`` keeps a picture of every page.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlmodel import col, select

from backend.core.database import Database
from backend.core.services import Services
from backend.models import ReviewCase
from labeling.label_schema import LabelSchema
from tests.backend.training.conftest import new_loop
from tests.backend.training.loop import Loop
from tests.backend.web.measured import ISSUE, POLICY, VALUES, measured_project
from tests.fixtures.live_app import live, log_in

__all__ = ["new_loop"]

TITLES = {
    "good": (
        "Description complete and consistent with the picture",
        "商品描述完整准确并且与商品主图以及全部规格参数完全一致可以直接上架销售无需任何人工修改",
    ),
    "fair": (
        "Description needs a small correction before publication",
        "商品描述基本正确但是存在少量需要编辑人员在上架之前进行修改或者补充说明的细节问题",
    ),
    "poor": (
        "Descriptionunusablebecauseitcontradictsthepictureentirely",
        "商品描述与商品实际情况严重不符或者包含违规内容必须退回给商家重新填写之后再次提交审核",
    ),
}
PEOPLE = ("maximiliane.mustermann-oberhuber@annotation.example.org", "欧阳上官司马诸葛慕容皇甫端木")
LONG = LabelSchema.model_validate(
    {
        "fields": ["price", "title"],
        "grade": {
            "name": "shelf",
            "en": "How well does the description fit the picture and the price?",
            "zh": "商品描述与图片及价格的一致性程度如何？",
            "choices": [
                {"value": VALUES[name], "en": en, "zh": zh} for name, (en, zh) in TITLES.items()
            ],
        },
        "issues": [
            {
                "value": ISSUE,
                "en": "the price is missing although the shop asks for one",
                "zh": "商家要求填写价格但是价格字段为空或者只包含空白字符",
                "fields": ["price"],
            }
        ],
    }
)
PLACES = (
    "",
    "/explanations",
    "/review",
    "/review?state=decided",
    "/agreement",
    "/annotators",
    "/annotators/1",
    "/labels",
    "/guideline",
    "/guideline/edit",
    "/guideline/versions/2",
    "/exports",
)
CUT = """() => [...document.querySelectorAll('svg text')].filter(text => {
  const box = text.getBoundingClientRect(), svg = text.ownerSVGElement.getBoundingClientRect();
  return box.left < svg.left - 1 || box.right > svg.right + 1;
}).map(text => text.textContent)"""


@pytest.fixture
def services(new_loop: Callable[..., Loop], sqlite_database: Database) -> Services:
    return measured_project(new_loop(sqlite_database, records=120, **POLICY), LONG, PEOPLE)


@pytest.mark.browser
def test_long_names_stay_on_the_screen_and_whole_in_charts(
    services: Services, page: Page, tmp_path: Path
) -> None:
    pictures = Path(os.environ.get("ASSAY_PICTURES", tmp_path))
    with services.database.reading() as session:
        case = session.exec(select(ReviewCase.id).order_by(col(ReviewCase.id))).first()
    places = [f"/projects/1{place}" for place in (*PLACES, f"/review/{case}")]
    faults: list[str] = []
    with live(services) as address:
        log_in(page, address, services, "admin")
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            for language, place in ((each, place) for each in ("en", "zh") for place in places):
                mark = "&" if "?" in place else "?"
                page.goto(f"{address}{place}{mark}lang={language}")
                name = re.sub(r"\W+", "-", place).strip("-")
                page.screenshot(path=pictures / f"{name}-{language}-{width}.png", full_page=True)
                wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                cut = page.evaluate(CUT)
                if wide > 0 or cut:
                    faults.append(f"{page.url} at {width}: {wide} pixels too wide, cut: {cut}")
    assert faults == []
