"""Whatever a job comes to, its row says so, and it is not run for ever."""

import math
from typing import Any

import pytest

from backend.core.clock import utc_now
from backend.core.exceptions import InvalidInput, JobCancelled, Unavailable
from backend.jobs import execution
from backend.jobs.context import JobContext
from backend.jobs.inline import InlineRunner
from backend.jobs.registry import Registry
from backend.models import Job
from tests.backend.jobs.conftest import Store

NUL, SURROGATE = "a\0b", "a\ud800b"
RESULTS: list[dict[str, Any]] = [
    {"accuracy": math.nan},
    {"bounds": [0.5, math.inf, {"deep": -math.inf}]},
    {"text": NUL},
    {NUL: [SURROGATE]},
]


@pytest.fixture(autouse=True)
def quiet_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is logged goes into pytest's own reports, which cannot carry a lone surrogate."""
    monkeypatch.setattr(execution.logger, "disabled", True)


def run(store: Store, handler: Any) -> Job:
    registry = Registry()
    registry.add("test.odd", handler)
    job_id = store.enqueue("test.odd")
    assert InlineRunner(store.database, registry, utc_now).run_pending() == 1, "once, not for ever"
    return store.job(job_id)


@pytest.mark.parametrize("result", RESULTS, ids=["nan", "infinity", "nul", "surrogate"])
def test_a_result_that_no_store_keeps_is_kept_without_that(
    store: Store, result: dict[str, Any]
) -> None:
    job = run(store, lambda _context, _args: result)
    assert (job.status, job.error) == ("done", None)
    shown = repr(job.result)
    assert "nan" not in shown
    assert "inf" not in shown
    assert "\0" not in shown
    assert "None" in shown or "\N{REPLACEMENT CHARACTER}" in shown


@pytest.mark.parametrize("text", [NUL, SURROGATE], ids=["nul", "surrogate"])
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (ValueError, "failed"),
        (InvalidInput, "failed"),
        (Unavailable, "waiting"),
        (JobCancelled, "queued"),
    ],
)
def test_errors_and_progress_that_no_store_keeps_are_kept_without_that(
    store: Store, text: str, kind: type[Exception], status: str
) -> None:
    attempts: list[int] = []

    def handler(context: JobContext, _args: dict[str, Any]) -> None:
        attempts.append(context.attempt)
        context.progress(math.nan, text)
        if len(attempts) == 1:
            raise kind(text)

    registry = Registry()
    registry.add("test.odd", handler)
    job_id = store.enqueue("test.odd")
    InlineRunner(store.database, registry, utc_now).run_pending()
    job = store.job(job_id)
    if status == "queued":  # a stop that nobody asked for: it was run again
        assert (job.status, len(attempts)) == ("done", 2)
    else:
        assert job.status == status
        assert "\N{REPLACEMENT CHARACTER}" in (job.error or "")
    assert "\N{REPLACEMENT CHARACTER}" in job.message


def test_an_outcome_that_the_store_refuses_all_the_same_fails_the_job(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "storable_result", lambda result: result)
    job = run(store, lambda _context, _args: {"x": object()})
    assert job.status == "failed"
    assert (job.error or "").startswith("The store refused what the job came to: ")


def test_a_handler_that_wants_the_process_to_end_fails_its_job(store: Store) -> None:
    def leave(_context: JobContext, _args: dict[str, Any]) -> None:
        raise SystemExit(3)

    job = run(store, leave)
    assert job.status == "failed"
    assert "SystemExit: 3" in (job.error or "")
