"""What the client expects is what the application says that it answers."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from assay_client import models
from backend.web.openapi import openapi_document

THEIRS: dict[type[BaseModel], str] = {
    models.AddedRecords: "ArrivalAnswer",
    models.Batch: "RoundStatus",
    models.Dataset: "DatasetPublic",
    models.Estimate: "EstimatePublic",
    models.ImportReport: "ImportReport",
    models.Job: "JobPublic",
    models.LoopState: "LoopStatus",
    models.ModelVersion: "ModelVersionStatus",
    models.Project: "ProjectPublic",
    models.ProjectStatus: "ProjectStatus",
    models.Queued: "QueuedStep",
    models.Record: "RecordPublic",
    models.RecordPage: "RecordPage",
    models.FaultyField: "FaultyField",
    models.IssueProbability: "NamedProbability",
    models.QueuedIfNoneWaits: "QueuedRefresh",
    models.Scores: "ScoreAnswer",
    models.Verdict: "VerdictPublic",
    models.VerdictPage: "VerdictPage",
    models.VerdictState: "VerdictState",
    models.WhoAmI: "WhoAmI",
}


def test_no_field_is_expected_that_nobody_sends(app: FastAPI) -> None:
    schemas: dict[str, Any] = openapi_document(app)["components"]["schemas"]
    sent = {
        name.removesuffix("-Output"): set(each.get("properties", ()))
        for name, each in schemas.items()
    }
    missing = {
        ours.__name__: set(ours.model_fields) - sent[theirs]
        for ours, theirs in THEIRS.items()
        if not set(ours.model_fields) <= sent[theirs]
    }
    assert missing == {}
