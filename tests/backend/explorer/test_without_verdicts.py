"""Before anybody judges the records, the page and the actions say what is missing."""

from backend.core.services import Services
from tests.backend.conftest import ClientAs
from tests.backend.explorer.conftest import PLACE
from tests.backend.explorer.conftest import unjudged as services

__all__ = ["services"]


def test_the_page_says_what_is_missing_and_where(services: Services, browser_as: ClientAs) -> None:
    viewer = browser_as("viewer")
    page = viewer.get(PLACE)
    assert page.status_code == 200
    assert "Nobody judges the records yet" in page.text
    assert 'class="button primary" href="/projects/1"' in page.text
    assert "There are no verdicts yet." in viewer.get(f"{PLACE}/state").text
    assert viewer.get(f"{PLACE}?risk_from=9").status_code == 422


def test_nothing_can_be_sent(services: Services, client_as: ClientAs) -> None:
    engineer = client_as("engineer")
    for place in ("batches/chosen", "cases/chosen"):
        answer = engineer.post(f"/api/v1/projects/1/{place}", json={"filter": {}})
        assert answer.status_code == 409
        assert "no champion" in answer.json()["detail"]
