import re
from collections import defaultdict

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from tests.backend.conftest import ClientAs


def test_a_refused_method_is_told_every_method_of_its_address(
    app: FastAPI, client: TestClient
) -> None:
    methods: dict[str, set[str]] = defaultdict(set)
    for route in iter_route_contexts(app.routes):
        methods[str(route.path)] |= route.methods or set()
    del methods["/static"]
    assert {"GET", "POST"} in methods.values()
    for path, expected in methods.items():
        address = re.sub(r"\{[^}]+\}", "1", path)
        for refused in {"DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"} - expected:
            answer = client.request(refused, address)
            assert answer.status_code == 405, f"{refused} {address}"
            assert set(answer.headers["allow"].split(", ")) == expected, f"{refused} {address}"


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_files_can_only_be_read(client: TestClient, method: str) -> None:
    answer = client.request(method, "/static/style.css")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_a_word_in_the_place_of_an_id_is_another_address(client_as: ClientAs) -> None:
    lead = client_as("lead")
    answer = lead.get("/api/v1/projects/1/cases/bulk")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert lead.get("/api/v1/projects/1/cases/word").status_code == 404
