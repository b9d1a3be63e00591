"""A view is a name for an address: one's own or everybody's."""

from tests.backend.conftest import ClientAs
from tests.backend.explorer.conftest import PLACE, matching, token, told
from tests.backend.training.loop import Loop

VIEWS = "/api/v1/projects/1/views"
PAGES = "/projects/1/views"


def test_views_are_kept_opened_renamed_and_deleted(loop: Loop, browser_as: ClientAs) -> None:
    viewer = browser_as("viewer")
    csrf = {"csrf_token": token(viewer.get(f"{PLACE}?grade=poor").text)}
    form = {**csrf, "query": "grade=poor&sort=doubt&nonsense=1", "name": "Poor ones"}
    saved = viewer.post(PAGES, data=form)
    assert saved.headers["location"] == f"{PLACE}?grade=poor&sort=doubt&notice=view_saved"
    (view,) = viewer.get(VIEWS).json()
    assert (view["name"], view["query"], view["is_shared"]) == (
        "Poor ones",
        "grade=poor&sort=doubt",
        False,
    )
    assert matching(viewer, view["address"]) < 90
    page = viewer.get(PLACE).text
    assert f'href="{view["address"].replace("&", "&amp;")}"' in page
    viewer.post(f"{PAGES}/{view['id']}", data={**csrf, "name": "Bad ones", "shared": "1"})
    (view,) = viewer.get(VIEWS).json()
    assert (view["name"], view["is_shared"]) == ("Bad ones", True)
    viewer.post(f"{PAGES}/{view['id']}/delete", data=csrf)
    assert viewer.get(VIEWS).json() == []


def test_a_refused_name_is_told_and_stays_in_the_form(loop: Loop, browser_as: ClientAs) -> None:
    viewer = browser_as("viewer")
    form = {"csrf_token": token(viewer.get(PLACE).text), "query": "grade=poor", "name": "Mine"}
    assert viewer.post(PAGES, data=form).status_code == 303
    for name, words in (("Mine", "There is a view"), ("  ", "A view needs a name")):
        refused = viewer.post(PAGES, data={**form, "name": name})
        assert refused.status_code in {409, 422}
        assert words in told(refused.text)
        assert "Remove this filter" in refused.text
        assert f'name="name" value="{name}"' in refused.text
    assert len(viewer.get(VIEWS).json()) == 1


def test_only_owners_and_leads_change_a_view_and_only_they_see_a_private_one(
    loop: Loop, client_as: ClientAs
) -> None:
    engineer, viewer, lead = client_as("engineer"), client_as("viewer"), client_as("lead")
    private = engineer.post(VIEWS, json={"name": "Own", "query": "grade=poor"}).json()
    shared = engineer.post(VIEWS, json={"name": "All", "is_shared": True}).json()
    assert [each["name"] for each in viewer.get(VIEWS).json()] == ["All"]
    assert viewer.get(f"{VIEWS}/{private['id']}").status_code == 404
    assert viewer.get(f"{VIEWS}/{shared['id']}").json()["may_change"] is False
    assert viewer.patch(f"{VIEWS}/{shared['id']}", json={"name": "x"}).status_code == 403
    assert viewer.delete(f"{VIEWS}/{shared['id']}").status_code == 403
    assert viewer.post(VIEWS, json={"name": "Own"}).status_code == 201, "names are each owner's"
    changed = lead.patch(f"{VIEWS}/{private['id']}", json={"query": "?sort=-risk&bogus=1"})
    assert (changed.json()["name"], changed.json()["query"]) == ("Own", "sort=-risk")
    assert lead.delete(f"{VIEWS}/{private['id']}").status_code == 204
    wrong = engineer.post(VIEWS, json={"name": "Wrong", "query": "risk_from=7"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "query")
    assert engineer.post("/api/v1/projects/9/views", json={"name": "x"}).status_code == 404
