"""Push and sync in the background; every handler may be run again from its start."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from backend.core.exceptions import AppError, Unavailable
from backend.core.services import Services
from backend.jobs.context import JobContext
from backend.jobs.job_project import project_of
from backend.jobs.registry import Handler
from backend.label_studio import repository
from backend.label_studio.push import push_batches
from backend.label_studio.sync import sync_project
from backend.loop.job_names import PUSH, SYNC
from backend.words import Message
from labeling.exceptions import LabelingError, LabelStudioRefused, LabelStudioUnavailable


def handlers(services: Services) -> dict[str, Handler]:
    """The room's jobs by name."""

    def push(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        # One push at a time: two in flight could not see each other's tasks.
        with context.lease(f"push:{project_id}"):
            return {"tasks": push_batches(services, project_id, context.progress)}

    def sync(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        project_id = project_of(context)
        with context.lease(f"sync:{project_id}"), _failure_is_told(services, project_id):
            counts = sync_project(
                services,
                project_id,
                is_full=bool(args.get("is_full")),
                progress=context.progress,
            )
        return asdict(counts)

    return {PUSH: retry_while_unavailable(push), SYNC: retry_while_unavailable(sync)}


@contextmanager
def _failure_is_told(services: Services, project_id: int) -> Iterator[None]:
    """Inside, what keeps the sync from going through stands on the project's pages."""
    try:
        yield
    except (AppError, LabelingError) as error:
        with services.database.transaction() as session:
            repository.mark_sync_failed(session, project_id, Message.of_error(error))
        raise


def retry_while_unavailable(
    handler: Callable[[JobContext, dict[str, Any]], dict[str, Any]],
) -> Handler:
    """The handler, tried again later while Label Studio is away."""

    def run(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        try:
            return handler(context, args)
        except LabelStudioUnavailable as error:
            raise Unavailable(
                Message.of_error(error),
                remedy=Message("The work is kept and tried again; start Label Studio."),
            ) from error
        except LabelStudioRefused as error:
            if error.status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
                raise
            raise Unavailable(
                Message.of_error(error),
                remedy=Message("The work is kept and tried again once the token is accepted."),
            ) from error

    return run
