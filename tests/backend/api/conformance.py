"""Requests made from the OpenAPI document, and what the answers say against it.

Schemathesis makes them: the examples of the document, the edges of every schema (coverage), and
random ones (fuzzing). The application answers in this process.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import schemathesis
from fastapi import FastAPI
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.openapi.checks import RejectedPositiveData

from backend.web.openapi import openapi_document

EXAMPLES = int(os.environ.get("ASSAY_CONFORMANCE_EXAMPLES", "0"))
"""Random requests of every operation for every role; 0: the few that CI has time for."""

ROWS: Mapping[str, Sequence[int | str]] = {
    "project_id": (1, 2),
    "dataset_id": (1, 2),
    "case_id": (1, 2, 3),
    "annotator_id": (1, 2, 0),
    "user_id": (1, 2),
    "import_id": (1,),
    "version": (1, 2),
    "job_id": ("queued-1", "running-1", "waiting-1", "failed-1", "done-1", "cancelled-1"),
}
"""Rows that are there, by the name that addresses have for them."""
SHARE = 0.5
"""Of addresses that name one of them."""


@dataclass(frozen=True)
class Fault:
    """A request whose answer is not what the document says."""

    operation: str
    check: str
    message: str
    request: str
    answer: str

    def __str__(self) -> str:
        return (
            f"{self.operation}: {self.check}\n{self.message}\n  {self.request}\n  {self.answer}"
        )


BEYOND: Mapping[str, frozenset[str]] = {}
"""Fields about which the store has rules that a JSON schema cannot know."""


def faults(app: FastAPI, phase: str, *, key: str | None, examples: int = 1) -> list[Fault]:
    """What is wrong with the answers of ``app``, one of each kind for each operation."""
    schema = schemathesis.openapi.from_dict(openapi_document(app), config=_config(phase, key, examples))
    schema.app = app
    found: dict[tuple[str, str, int], Fault] = {}
    requests = 0
    for event in from_schema(schema).execute():
        assert not isinstance(event, events.FatalError | events.NonFatalError), event.info
        if isinstance(event, events.ScenarioFinished):
            requests += len(event.recorder.interactions)
            for fault, status in _of_scenario(event.recorder):
                found.setdefault((fault.operation, fault.check, status), fault)
    assert requests > len(schema), "every operation was asked"
    return list(found.values())


def _of_scenario(recorder: ScenarioRecorder) -> Iterator[tuple[Fault, int]]:
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is None:
                continue
            answer = recorder.interactions[case_id].response
            assert answer is not None
            failure = check.failure_info.failure
            body = (answer.content or b"").decode(errors="replace")
            if isinstance(failure, RejectedPositiveData) and _is_beyond(recorder.label, answer):
                continue
            fault = Fault(
                recorder.label,
                check.name,
                failure.message[:500],
                check.failure_info.code_sample[:1500],
                f"{answer.status_code} {body[:500]}",
            )
            yield fault, answer.status_code


def _is_beyond(operation: str, answer: Any) -> bool:
    if answer.status_code != 422:
        return False
    return answer.json().get("field") in BEYOND.get(operation, frozenset())


def _config(phase: str, key: str | None, examples: int) -> SchemathesisConfig:
    rows = {name: {"values": list(values)} for name, values in ROWS.items()}
    phases = {name: {"enabled": name == phase} for name in ("examples", "fuzzing", "stateful")}
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "continue-on-failure": True,
            "headers": {"Authorization": f"Bearer {key}"} if key else {},
            "dictionaries": rows,
            "parameters": {
                f"path.{name}": {"dictionary": name, "probability": SHARE} for name in rows
            },
            "generation": {
                "max-examples": examples,
                "deterministic": True,
                "database": "none",
            },
            "phases": {
                **phases,
                "coverage": {
                    "enabled": phase == "coverage",
                    "generate-duplicate-query-parameters": True,
                },
            },
        }
    )
