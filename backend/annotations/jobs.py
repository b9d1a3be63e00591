"""Background work with Label Studio; every handler may be run again from its start."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from backend.annotations import loop_repository
from backend.annotations.label_studio import push_batches, sync_project
from backend.annotations.service import APPLY_EVENTS, PUSH, SYNC, AnnotationsService, as_result
from backend.core.exceptions import AppError, InvalidInput, Unavailable
from backend.core.services import Services
from backend.jobs.context import JobContext
from backend.jobs.registry import Handler
from backend.projects.service import ProjectsService
from labeling.exceptions import LabelingError, LabelStudioRefused, LabelStudioUnavailable


def handlers(services: Services) -> dict[str, Handler]:
    """The room's jobs by name."""

    def apply_events(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        with services.database.transaction() as session:
            project = ProjectsService(session, services.clock).get(project_of(context))
            counts = AnnotationsService(session, services.clock).apply_events(project)
        return as_result(counts)

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
        return as_result(counts)

    return {
        APPLY_EVENTS: apply_events,
        PUSH: retry_while_unavailable(push),
        SYNC: retry_while_unavailable(sync),
    }


@contextmanager
def _failure_is_told(services: Services, project_id: int) -> Iterator[None]:
    """Inside, what keeps the sync from going through stands on the project's pages."""
    try:
        yield
    except (AppError, LabelingError) as error:
        with services.database.transaction() as session:
            loop_repository.mark_sync_failed(session, project_id, str(error))
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
                str(error), remedy="The work is kept and tried again; start Label Studio."
            ) from error
        except LabelStudioRefused as error:
            if error.status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
                raise
            raise Unavailable(
                str(error), remedy="The work is kept and tried again once the token is accepted."
            ) from error

    return run


def project_of(context: JobContext) -> int:
    """The project that the job is for.

    Raises:
        InvalidInput: it is for none.
    """
    if context.project_id is None:
        raise InvalidInput(f"Job {context.job_id} is for no project.", field="project_id")
    return context.project_id
