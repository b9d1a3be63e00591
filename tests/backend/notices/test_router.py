"""The API and the page of leads; nowhere but at its creation is a secret to be seen."""

import logging
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from backend.bootstrap import build_registry
from backend.core.logging import configure_logging
from backend.core.services import Services
from backend.jobs.inline import InlineRunner
from tests.backend.conftest import ClientAs
from tests.backend.notices.receiver import Receiver
from tests.backend.overview.store import fill

ADDRESSES = "/api/v1/notices/addresses"


@pytest.fixture
def allowed(services: Services) -> Services:
    services.settings = services.settings.model_copy(update={"notice_hosts": ("127.0.0.1",)})
    return services


@pytest.fixture
def logs(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Logs go to the standard error, as they do in a process of ours."""
    root, saved = logging.getLogger(), dict[str, int]()
    handlers = root.handlers[:]
    for name in ("", "httpx"):
        saved[name] = logging.getLogger(name).level
    configure_logging()
    yield
    root.handlers[:] = handlers
    for name, level in saved.items():
        logging.getLogger(name).setLevel(level)


def work(services: Services) -> None:
    InlineRunner(services.database, build_registry(services), services.clock).run_pending()


def send(browser: TestClient, path: str, **form: object) -> str:
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/account").text)
    assert token
    answer = browser.post(path, data={"csrf_token": token[1], **form}, follow_redirects=True)
    return answer.text


def test_only_leads_see_and_change_receivers(client_as: ClientAs) -> None:
    body = {"name": "n", "url": "https://hooks.example.org/x", "kinds": ["job.failed"]}
    for role in ("viewer", "engineer", "service"):
        program = client_as(role)
        assert program.post(ADDRESSES, json=body).status_code == 403
        assert program.get(ADDRESSES).status_code == 403
        assert program.get("/api/v1/notices").status_code == 403


def test_the_life_of_a_receiver(
    client_as: ClientAs,
    allowed: Services,
    receiver: Receiver,
    logs: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lead = client_as("lead")
    body = {"name": "channel", "url": receiver.url + "/T0KEN", "kinds": ["job.failed"]}
    made = lead.post(ADDRESSES, json=body)
    assert made.status_code == 201, made.text
    secret, address_id = made.json()["secret"], made.json()["id"]
    tested = lead.post(f"{ADDRESSES}/{address_id}/test").json()
    receiver.statuses = [500]
    work(allowed)
    (notice,) = lead.get("/api/v1/notices").json()
    assert notice["attempts"][0]["status"] == 500
    assert lead.post(f"/api/v1/notices/{tested['id']}/send-again").status_code == 202
    work(allowed)
    (notice,) = lead.get(f"/api/v1/notices?address_id={address_id}").json()
    assert notice["status"] == "delivered"
    assert [attempt["answer"] for attempt in notice["attempts"]] == ["thanks", "thanks"]
    assert lead.post(f"{ADDRESSES}/{address_id}/activate").json()["is_active"]
    seen = (
        lead.get(ADDRESSES).text + lead.get("/api/v1/notices").text + lead.get("/api/v1/audit").text
    )
    assert lead.delete(f"{ADDRESSES}/{address_id}").status_code == 204
    assert lead.get(ADDRESSES).json() == lead.get("/api/v1/notices").json() == []
    log = capsys.readouterr().err
    assert "notices/addresses" in log
    for place in (seen, log):
        assert secret not in place
        assert "T0KEN" not in place


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://10.0.0.1/"}, "url"),
        ({"url": "https://localhost:1/#x"}, "url"),
        ({"kinds": []}, "kinds"),
        ({"kinds": ["moon.risen"]}, "kinds.0"),
        ({"name": ""}, "name"),
        ({"secret": "mine"}, "secret"),
    ],
)
def test_what_cannot_be_registered_is_named(
    client_as: ClientAs, change: dict[str, object], field: str
) -> None:
    body = {"name": "n", "url": "https://hooks.example.org/", "kinds": ["job.failed"]} | change
    answer = client_as("lead").post(ADDRESSES, json=body)
    assert answer.status_code == 422
    assert answer.json()["field"] == field


def test_nothing_that_is_not_there_is_changed(client_as: ClientAs) -> None:
    lead = client_as("lead")
    body = {"name": "n", "url": "https://a.example/", "kinds": ["job.failed"], "project_id": 9}
    assert lead.post(ADDRESSES, json=body).status_code == 404
    assert lead.delete(f"{ADDRESSES}/9").status_code == 404
    assert lead.post(f"{ADDRESSES}/9/test").status_code == 404
    assert lead.post("/api/v1/notices/nothing/send-again").status_code == 404


def test_the_page_from_empty_to_delivered(
    browser_as: ClientAs, allowed: Services, receiver: Receiver
) -> None:
    with allowed.database.transaction() as session:
        project_id = fill(session, allowed.clock())
    lead = browser_as("lead")
    page = lead.get("/notices").text
    assert "Nobody is told yet" in page
    assert "Nothing was told yet" in page
    assert "还没有" in lead.get("/notices?lang=zh").text
    lead.get("/notices?lang=en")
    wrong = send(lead, "/notices", name="chat", url="http://10.0.0.1/", kinds=["job.failed"])
    assert "Notices go to 10.0.0.1 by https only." in wrong
    assert 'value="http://10.0.0.1/"' in wrong
    none = send(lead, "/notices", name="chat", url=receiver.url)
    assert "Choose one kind or more." in none
    made = send(
        lead, "/notices", name="chat", url=receiver.url, kinds="job.failed", project_id=project_id
    )
    assert "shown once" in made
    (secret,) = re.findall(r"<code>(assay_notice_[^<]+)</code>", made)
    assert "on its way" in send(lead, "/notices/addresses/1/test")
    work(allowed)
    page = lead.get("/notices").text
    assert secret not in page
    assert "delivered" in page
    assert "<code>thanks</code>" in page
    (notice_id,) = re.findall(r'id="notice-([^"]+)"', page)
    assert "on its way again" in send(lead, f"/notices/{notice_id}/send-again")
    assert "The receiver is gone." in send(lead, "/notices/addresses/1/delete")
    assert "Nobody is told yet" in lead.get("/notices").text
    assert "There is no receiver 1." in send(lead, "/notices/addresses/1/test")


def test_others_have_no_such_page(browser_as: ClientAs) -> None:
    engineer = browser_as("engineer")
    assert engineer.get("/notices").status_code == 403
    assert 'href="/notices"' not in engineer.get("/").text
