"""The application over a filled store, made once and copied for each test."""

import logging
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from backend.app import create_app
from backend.web.openapi import openapi_document
from tests.backend.api.store import fill_store, open_store


@dataclass(frozen=True)
class Filled:
    """The application, its OpenAPI document, and a key of each role."""

    app: FastAPI
    keys: Mapping[str, str]
    document: dict[str, Any]

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Method, path and description of every operation."""
        for path, operations in self.document["paths"].items():
            for method, operation in operations.items():
                yield method.upper(), path, operation

    def samples(self, operation: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[str]]]:
        """A body that the operation takes, and the names of all that it could hold."""
        content = operation.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if schema is None:
            return
        schema = self._resolved(schema)
        properties = schema["properties"]
        wanted = schema.get("required", [])
        yield {name: self._sample(properties[name]) for name in wanted}, list(properties)

    def _sample(self, schema: dict[str, Any]) -> Any:
        schema = self._resolved(schema)
        kind = schema.get("type")
        if "examples" in schema:
            return schema["examples"][0]
        if "enum" in schema:
            return schema["enum"][0]
        return {"integer": 1, "object": {"1": 1}}.get(str(kind), "catalogue")

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in schema:
            return schema
        found: dict[str, Any] = self.document["components"]["schemas"][
            schema["$ref"].rpartition("/")[2]
        ]
        return found


@pytest.fixture(scope="session")
def filled_store(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> tuple[Path, dict[str, str]]:
    """A folder with a filled store, and a key of each role."""
    folder = tmp_path_factory.mktemp("filled")
    services = open_store(folder)
    shutil.copyfile(sqlite_template, str(services.database.engine.url.database))
    keys = fill_store(services)
    services.database.dispose()
    return folder, keys


@pytest.fixture
def filled(tmp_path: Path, filled_store: tuple[Path, dict[str, str]]) -> Iterator[Filled]:
    """The application over a copy of the filled store; thousands of requests are not logged."""
    source, keys = filled_store
    shutil.copytree(source, tmp_path, dirs_exist_ok=True)
    services = open_store(tmp_path)
    app = create_app(services)
    logging.disable(logging.CRITICAL)
    yield Filled(app, keys, openapi_document(app))
    logging.disable(logging.NOTSET)
    services.database.dispose()
