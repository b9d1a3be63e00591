import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.core.dependencies import Viewer
from backend.core.request_body import RequestBody
from backend.core.security import SESSION_COOKIE
from backend.core.services import Services
from backend.web.openapi import openapi_document
from tests.backend.conftest import ClientAs


class Thing(RequestBody):
    size: int


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


def test_a_new_route_documents_its_problems_by_itself(app: FastAPI) -> None:
    @app.get("/api/v1/things")
    def things(_principal: Viewer) -> None: ...

    @app.get("/api/v1/things/{thing}")
    def thing(thing: str, _principal: Viewer) -> None: ...

    @app.post("/api/v1/things")
    def create(thing: Thing, _principal: Viewer, size: int | None = None) -> None: ...

    paths = openapi_document(app)["paths"]
    assert set(paths["/api/v1/things"]["get"]["responses"]) == {"200", "401", "403"}
    one = {"200", "401", "403", "404", "422"}
    assert set(paths["/api/v1/things/{thing}"]["get"]["responses"]) == one
    created = paths["/api/v1/things"]["post"]
    assert set(created["responses"]) == {"200", "400", "401", "403", "409", "422"}
    assert created["parameters"][0]["schema"] == {"type": "integer", "title": "Size"}


def test_the_webhook_documents_its_secret_and_no_role(app: FastAPI) -> None:
    webhook = openapi_document(app)["paths"]["/webhooks/label-studio"]["post"]
    assert webhook["security"] == [{"Webhook secret": []}]
    assert set(webhook["responses"]) == {"202", "400", "401", "409", "422"}


def test_numbers_that_the_store_cannot_hold_are_outside_of_the_schemas(app: FastAPI) -> None:
    for path, operations in openapi_document(app)["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                choices = [parameter["schema"], *parameter["schema"].get("anyOf", ())]
                for schema in choices if parameter["in"] == "query" else ():
                    bounded = schema.get("type") != "integer" or "maximum" in schema
                    assert bounded, f"{path}: {parameter['name']} has no maximum"
