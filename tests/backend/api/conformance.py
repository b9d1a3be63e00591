"""Requests made from the OpenAPI document, and what the answers say against it.

Schemathesis makes them: the examples of the document, the edges of every schema (coverage), and
random ones (fuzzing). The application answers in this process.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import schemathesis
from fastapi import FastAPI
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.openapi.checks import RejectedPositiveData

NOTICE = "0123456789abcdef0123456789abcdef"
ROWS: Mapping[str, Sequence[int | str]] = {
    "project_id": (1, 2),
    "dataset_id": (1, 2),
    "case_id": (1, 2, 3),
    "annotator_id": (1, 2, 0),
    "user_id": (1, 2),
    "import_id": (1,),
    "address_id": (1, 2),
    "notice_id": (NOTICE,),
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
        return f"{self.operation}: {self.check}\n{self.message}\n  {self.request}\n  {self.answer}"


POLICY = frozenset({"policy.retrain_cron", "policy.annotators_at_most"})
"""A cron expression has a grammar; how many are asked at most depends on how many at least."""
BEYOND: Mapping[str, frozenset[str]] = {
    # The label schema has rules between its parts, and it is about the fields of a dataset.
    "POST /api/v1/projects": POLICY | {"label_schema", "dataset"},
    "PATCH /api/v1/projects/{project_id}/policy": POLICY,
    # The file says whether it can be read as what the request calls it.
    "POST /api/v1/imports": frozenset({"path", "header", "columns", "encoding", "delimiter"}),
    # What a rule is about stands in the project's label schema; names differ from each other.
    "POST /api/v1/projects/{project_id}/guideline/versions": frozenset({"rules.about", "rules"}),
    # Records have the fields and types of their dataset, and differ in their external ids.
    "POST /api/v1/projects/{project_id}/score": frozenset({"records"}),
    "POST /api/v1/datasets/{dataset_id}/records": frozenset({"records"}),
    # What is sorted by, and conditions on fields, are about the fields of a dataset.
    "GET /api/v1/projects/{project_id}/verdicts": frozenset({"sort", "where"}),
    "GET /api/v1/projects/{project_id}/verdicts/facets": frozenset({"where", "field"}),
    "GET /api/v1/projects/{project_id}/verdicts/export": frozenset({"sort", "where"}),
    # Only https and public hosts; a project that is there.
    "POST /api/v1/notices/addresses": frozenset({"url"}),
    # What goes is named once more.
    "DELETE /api/v1/projects/{project_id}": frozenset({"confirm"}),
    "DELETE /api/v1/datasets/{dataset_id}": frozenset({"confirm"}),
    "DELETE /api/v1/datasets/{dataset_id}/fields/{field}": frozenset({"confirm"}),
    # So do grades; only some labels have a confidence.
    "GET /api/v1/projects/{project_id}/exports": frozenset({"grade", "min_confidence"}),
    "GET /api/v1/projects/{project_id}/machine-labels": frozenset({"grade"}),
    # The action says what the rest may be, and the label schema which values there are.
    "POST /api/v1/projects/{project_id}/cases/{case_id}/decisions": frozenset(
        {"grade", "issues", "faulty_fields", "corrected_values", "soft_label", "reason", "rule"}
    ),
    "POST /api/v1/projects/{project_id}/cases/bulk": frozenset({"reason", "rule"}),
}
"""Fields of an operation about which the store has rules that a JSON schema cannot know. Only there
a well-formed request may be answered with 422, and only about these fields and their parts."""


def faults(
    app: FastAPI, document: dict[str, Any], phase: str, *, key: str | None, examples: int
) -> list[Fault]:
    """What is wrong with the answers of ``app``, one of each kind for each operation.

    ``phase`` is examples, coverage or fuzzing; in the last there are ``examples`` requests of each
    operation. Who has no ``key`` sends none.
    """
    schema = schemathesis.openapi.from_dict(document, config=_config(phase, key, examples))
    schema.app = app
    found: dict[tuple[str, str, int], Fault] = {}
    asked: set[str] = set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.FatalError):
            raise event.exception
        assert not isinstance(event, events.NonFatalError), event.info
        if isinstance(event, events.ScenarioFinished):
            asked.add(event.recorder.label)
            for fault, status in _of_scenario(event.recorder):
                found.setdefault((fault.operation, fault.check, status), fault)
    if phase != "examples":  # not every operation has one
        assert asked == {each.ok().label for each in schema.get_all_operations()}
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
    told = str(answer.json().get("field"))
    beyond = BEYOND.get(operation, frozenset())
    return told in beyond or any(told.startswith(f"{field}.") for field in beyond)


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
