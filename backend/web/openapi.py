"""The OpenAPI document, with the problems that every operation may answer with."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from backend.core.problems import MEDIA_TYPE, Problem, problem_responses

PROBLEM = {"$ref": "#/components/schemas/Problem"}
FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The document of ``app``; 401, 403 and 422 are problem details with examples everywhere."""
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
    for path in document["paths"].values():
        for operation in path.values():
            _describe_problems(operation)
    return document


def _describe_problems(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    wanted = [int(status) for status in responses if status.isdigit() and int(status) >= 400]
    if operation.get("security"):
        wanted += [401, 403]
    for status, response in problem_responses(*wanted).items():
        content = {MEDIA_TYPE: {"schema": PROBLEM, **response["content"][MEDIA_TYPE]}}
        responses[str(status)] = {"description": response["description"], "content": content}
