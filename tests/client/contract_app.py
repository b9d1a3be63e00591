"""A stand-in that answers as the API of scores is agreed upon, and keeps nothing."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

PROJECT = "/api/v1/projects/{project_id}"


def contract_app(versions: list[int]) -> FastAPI:
    """The stand-in; scoring is done by these model versions in turn, the last one goes on."""
    app = FastAPI()
    app.state.asked = []

    def verdict(fields: dict[str, Any], number: int | None = None) -> dict[str, Any]:
        return {
            "record_id": number,
            "external_id": None if number is None else str(number),
            "kind": "product",
            "fields": fields,
            "grade": "poor",
            "confidence": 0.8,
            "probabilities": {"good": 0.2, "poor": 0.8},
            "issues": [{"name": "wrong_value", "probability": 0.7}],
            "issue_probabilities": {"wrong_value": 0.7, "duplicate": 0.1},
            "faulty_fields": [{"field": "price", "probability": 0.9, "reason": "far from others"}],
            "risk": 0.8,
            "doubt": 0.4,
            "model_version": 3,
            "source": "model",
            "label": None,
            "is_disagreement": False,
        }

    @app.post(PROJECT + "/score")
    async def score(request: Request) -> Response:
        records = (await request.json())["records"]
        if not 1 <= len(records) <= 1_000:
            return JSONResponse({"status": 422, "detail": "1 to 1,000"}, 422)
        app.state.asked.append(len(records))
        version = versions.pop(0) if len(versions) > 1 else versions[0]
        found = [verdict(fields) for fields in records]
        return JSONResponse({"model_version": version, "verdicts": found})

    @app.post("/api/v1/datasets/{dataset_id}/records")
    async def add(request: Request) -> dict[str, Any]:
        records = (await request.json())["records"]
        app.state.asked.append(records)
        counts = {"new": len(records), "changed": 0, "unchanged": 0}
        return counts | {"record_ids": list(range(len(records))), "score": None}

    return app
