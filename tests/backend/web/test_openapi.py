import pytest
from fastapi.testclient import TestClient

from backend.core.security import SESSION_COOKIE
from backend.core.services import Services
from tests.backend.conftest import ClientAs


def test_health_needs_no_credentials(client: TestClient) -> None:
    assert client.get("/health").json()["status"] == "ok"


def test_health_says_when_the_store_is_away(
    client: TestClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise ConnectionError("db.internal:5432 refused")

    monkeypatch.setattr(services.database, "reading", refuse)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert "db.internal" not in answer.text


def test_operations_are_described_with_problems_and_examples(client_as: ClientAs) -> None:
    document = client_as("viewer").get("/openapi.json").json()
    assert "HTTPValidationError" not in document["components"]["schemas"]
    tags = {tag["name"] for tag in document["tags"]}
    ids = set()
    for path, operations in document["paths"].items():
        assert path.startswith(("/api/v1/", "/health", "/webhooks/")), path
        for operation in operations.values():
            assert operation["description"], path
            assert set(operation["tags"]) <= tags, path
            ids.add(operation["operationId"])
            if path.startswith("/api/"):
                assert operation["security"], path
                example = operation["responses"]["401"]["content"]["application/problem+json"]
                assert example["example"]["status"] == 401
    assert len(ids) == sum(len(operations) for operations in document["paths"].values())


def test_the_documentation_is_served_from_here(client_as: ClientAs) -> None:
    viewer = client_as("viewer")
    page = viewer.get("/docs").text
    assert "https://" not in page
    bundle = viewer.get("/static/vendor/swagger-ui/swagger-ui-bundle.js")
    assert bundle.status_code == 200
    assert "SwaggerUIBundle" in bundle.text
    assert viewer.get("/static/vendor/swagger-ui/LICENSE").status_code == 200


def test_an_unknown_address_and_the_documentation_keep_the_navigation(
    client: TestClient, browser_as: ClientAs
) -> None:
    html = {"Accept": "text/html"}
    lead = browser_as("lead")
    for path in ("/nowhere", "/docs"):
        page = lead.get(path, headers=html).text
        for address in ("/", "/jobs", "/audit", "/docs"):
            assert f'<a href="{address}" ' in page, path
        assert ">lead@example.org</a>" in page
    assert "<nav" not in client.get("/nowhere", headers=html).text
    client.cookies.set(SESSION_COOKIE, "forged")
    answer = client.get("/nowhere", headers=html)
    assert answer.status_code == 404
    assert "<nav" not in answer.text


def test_the_document_is_made_once(client_as: ClientAs, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = client_as("viewer")
    first = viewer.get("/openapi.json").json()
    monkeypatch.setattr("backend.app.openapi_document", lambda _app: {})
    assert viewer.get("/openapi.json").json() == first
