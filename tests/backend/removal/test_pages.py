"""Leads delete a project on its page, by writing its name."""

import pytest
from sqlmodel import select

from backend.core.services import Services
from backend.models import Job, Project
from tests.backend.conftest import ClientAs
from tests.backend.removal.test_router import shop

__all__ = ["shop"]


def test_the_name_is_written_and_the_project_is_gone(shop: Services, browser_as: ClientAs) -> None:
    lead = browser_as("lead")
    assert 'href="/projects/1/removal"' in lead.get("/projects/1").text
    page = lead.get("/projects/1/removal")
    assert "This cannot be undone. The dataset shop and its records stay" in page.text
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]

    wrong = lead.post("/projects/1/removal", data={"csrf_token": token, "confirm": "shop"})
    assert wrong.status_code == 422
    assert "“shop” is not the name of the project: nothing was deleted." in wrong.text
    with shop.database.reading() as session:
        assert session.exec(select(Project)).one().name == "Shop"

    form = {"csrf_token": token, "confirm": "Shop", "label_studio": "delete"}
    done = lead.post("/projects/1/removal", data=form)
    assert (done.status_code, done.headers["location"]) == (303, "/?notice=deleted")
    assert "The project is deleted." in lead.get("/?notice=deleted").text
    with shop.database.reading() as session:
        assert session.exec(select(Project)).all() == []
        (job,) = session.exec(select(Job).where(Job.name == "removal.clean_up")).all()
    assert job.args["label_studio"] is not None


@pytest.mark.parametrize("role", ["viewer", "reviewer", "engineer"])
def test_others_neither_see_nor_do_it(shop: Services, browser_as: ClientAs, role: str) -> None:
    browser = browser_as(role)
    assert "/projects/1/removal" not in browser.get("/projects/1").text
    assert browser.get("/projects/1/removal").status_code == 403


def test_it_is_told_in_chinese(shop: Services, browser_as: ClientAs) -> None:
    page = browser_as("lead").get("/projects/1/removal?lang=zh").text
    assert "删除项目" in page
    assert "数据集 shop 及其记录会保留" in page
