"""Whatever is sent to whichever operation: the answer is a problem, never an internal error."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from labeling.label_studio.webhooks import SECRET_HEADER
from tests.backend.api.conftest import Filled

MISSING = object()
DEEP = 100_000
ODD_BODIES = {
    "nothing": b"",
    "half": b'{"name": "x"',
    "null": b"null",
    "a list": b"[1]",
    "a text": b'"text"',
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"name":' * 900 + b"1" + b"}" * 900,
    "an endless number": b'{"version": ' + b"9" * 6_000 + b"}",
    "a name twice": b'{"name": "x", "name": "y"}',
}
ODD_VALUES = {
    "NUL": "a\x00b",
    "half a character": "a\ud800b",
    "long": "x" * 100_000,
    "a large number": 10**40,
    "an infinite number": float("inf"),
    "no number": float("nan"),
    "a deep object": json.loads('{"a":' * 400 + "1" + "}" * 400),
    "a list": [None],
}
ODD_TYPES = (
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "application/json, text/html",
    "none",
    "",
)
ODD_PLACES = ("%00", "9" * 30, "-1", "%ED%A0%80", "%F0%9F%98%80", "a" * 5_000, "9" * 5_000)


@pytest.fixture
def admin(filled: Filled) -> Iterator[TestClient]:
    headers = {
        "Authorization": f"Bearer {filled.keys['admin']}",
        SECRET_HEADER: "a webhook secret for the tests",
    }
    with TestClient(filled.app, headers=headers, raise_server_exceptions=False) as client:
        yield client


def test_odd_addresses(filled: Filled, admin: TestClient) -> None:
    for method, path, _ in filled.operations():
        for odd in ODD_PLACES if "{" in path else ():
            address = re.sub(r"\{[^}]+\}", odd, path)
            assert_no_fault(admin.request(method, address), f"{method} {path} {odd[:20]}")


def test_odd_queries(filled: Filled, admin: TestClient) -> None:
    for method, path, operation in filled.operations():
        for parameter in operation.get("parameters", ()):
            for odd in ODD_PLACES if parameter["in"] == "query" else ():
                address = f"{at(path)}?{parameter['name']}={odd}&{parameter['name']}=1"
                assert_no_fault(admin.request(method, address), address[:200])


def test_odd_bodies(filled: Filled, admin: TestClient) -> None:
    for method, path, operation in filled.operations():
        for name, body in ODD_BODIES.items() if "requestBody" in operation else ():
            headers = {"Content-Type": "application/json"}
            answer = admin.request(method, at(path), content=body, headers=headers)
            assert_no_fault(answer, f"{method} {path} {name}")


def test_odd_types(filled: Filled, admin: TestClient) -> None:
    for method, path, operation in filled.operations():
        for media_type in ODD_TYPES if "requestBody" in operation else ():
            headers = {"Content-Type": media_type}
            answer = admin.request(method, at(path), content=b'{"a": 1}', headers=headers)
            assert_no_fault(answer, f"{method} {path} {media_type}")
            assert answer.status_code >= 400 or media_type == "application/json"


def test_odd_values_among_good_ones(filled: Filled, admin: TestClient) -> None:
    tried = 0
    for method, path, operation in filled.operations():
        for good, names in filled.samples(operation):
            for field in names:
                for name, odd in ODD_VALUES.items():
                    body = json.dumps({**good, field: odd}).encode("utf-8", "surrogatepass")
                    headers = {"Content-Type": "application/json"}
                    answer = admin.request(method, at(path), content=body, headers=headers)
                    assert_no_fault(answer, f"{method} {path} {field}: {name}")
                    tried += 1
    assert tried > 100


def at(path: str) -> str:
    """The address of rows that are there."""
    return re.sub(r"\{[^}]+\}", "1", path)


def assert_no_fault(answer: Response, what: str) -> None:
    assert answer.status_code < 500, f"{what}: {answer.text[:500]}"
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", what
        problem: dict[str, Any] = answer.json()
        assert problem["status"] == answer.status_code, what
        assert len(answer.content) < 10_000, what
