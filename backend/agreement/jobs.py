"""Measure agreement and annotators' work; may be run again from its start."""

from typing import Any

from backend.agreement.measuring import measure
from backend.agreement.service import MEASURE
from backend.core.services import Services
from backend.jobs.context import JobContext
from backend.jobs.job_project import project_of
from backend.jobs.registry import Handler
from backend.words import Worded


def handlers(services: Services) -> dict[str, Handler]:
    """The room's jobs by name."""

    def measure_project(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)

        def step(fraction: float, message: str | Worded) -> None:
            context.check_cancelled()
            context.progress(fraction, message)

        with context.lease(f"agreement:{project_id}"):
            return {"measured": measure(services, project_id, step)}

    return {MEASURE: measure_project}
