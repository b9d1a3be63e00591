"""The OpenAPI document, with the problems that every operation may answer with."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from backend.core.dependencies import ROLE_SCHEMES, SAFE_METHODS
from backend.core.problems import MEDIA_TYPE, Problem
from backend.core.responses import problem_responses

PROBLEM = {"$ref": "#/components/schemas/Problem"}
FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
NOTHING = {"type": "null"}
EMPTY = ""
"""A form sends it for what is left out."""


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The document of ``app``.

    What an operation asks for says which problems it may answer with: who declares a route
    declares only those beyond them.
    """
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in FRAMEWORK_SCHEMAS:
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _describe_problems(operation, path, method.upper())
            for schema in _parameters(operation):
                _without_null(schema)
            for schema, is_required in _fields(operation, schemas):
                _without_null(schema)
                if not is_required and "enum" in schema:
                    schema["enum"] = [*schema["enum"], EMPTY]
    return document


def _describe_problems(operation: dict[str, Any], path: str, method: str) -> None:
    responses = operation["responses"]
    declared = {int(status) for status in responses if status.isdigit() and int(status) >= 400}
    wanted = sorted(declared | _statuses_of(operation, path, method))
    for status, response in problem_responses(*wanted).items():
        content = {MEDIA_TYPE: {"schema": PROBLEM, **response["content"][MEDIA_TYPE]}}
        responses[str(status)] = {"description": response["description"], "content": content}


def _statuses_of(operation: dict[str, Any], path: str, method: str) -> set[int]:
    """Statuses of the problems that follow from what the operation asks for."""
    statuses: set[int] = set()
    schemes = {name for each in operation.get("security", ()) for name in each}
    if schemes:
        statuses.add(401)
    if schemes & ROLE_SCHEMES:
        statuses.add(403)
    if "{" in path:
        statuses.add(404)
    if method not in SAFE_METHODS:
        statuses.add(409)  # somebody else may do the same at the same time
    if "requestBody" in operation:
        statuses |= {400, 422}
    if operation.get("parameters"):
        statuses.add(422)
    return statuses


def _parameters(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for parameter in operation.get("parameters", ()):
        yield parameter["schema"]


def _fields(
    operation: dict[str, Any], schemas: dict[str, dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], bool]]:
    """The fields of an operation's form, and whether each has to be there."""
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        if media_type in FORM_TYPES:
            form = schemas[content["schema"]["$ref"].rpartition("/")[2]]
            for name, schema in form["properties"].items():
                yield schema, name in form.get("required", ())


def _without_null(schema: dict[str, Any]) -> None:
    """Neither an address nor a form can say null: what is not wanted is left out."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != NOTHING]
    if len(choices) == 1:
        del schema["anyOf"]
        schema.update({**choices[0], **schema})
    elif choices:
        schema["anyOf"] = choices
