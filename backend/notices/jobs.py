"""The delivery of notices as a job; it may be run again from its start."""

from typing import Any

from backend.core.services import Services
from backend.jobs.context import JobContext
from backend.jobs.registry import Handler
from backend.notices.delivery import deliver_due
from backend.notices.schemas import DELIVER


def handlers(services: Services) -> dict[str, Handler]:
    """This room's jobs by name."""

    def deliver(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        """Args: none."""
        return dict(deliver_due(services, context))

    return {DELIVER: deliver}
