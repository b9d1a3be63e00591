"""The import as a background job."""

from typing import Any

from backend.core.exceptions import JobCancelled
from backend.core.services import Services
from backend.ingestion.schemas import IMPORT_JOB, ImportRequest
from backend.ingestion.service import import_source
from backend.jobs.context import JobContext
from backend.jobs.registry import Handler


def handlers(services: Services) -> dict[str, Handler]:
    """This room's jobs by name."""

    def run_import(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        """Args: an ``ImportRequest``, and ``actor``. Repeated from its start after a kill."""
        request = ImportRequest.model_validate(args["request"])
        try:
            report = import_source(
                services.database,
                request,
                services.clock,
                progress=context.progress,
                should_stop=context.should_stop,
                actor=str(args.get("actor", "job")),
            )
        except JobCancelled:
            context.check_cancelled()
            raise
        return report.model_dump(mode="json")

    return {IMPORT_JOB: run_import}
