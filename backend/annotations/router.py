"""The webhook that Label Studio calls, and sync on demand."""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from backend.annotations.service import AnnotationsService
from backend.core.dependencies import ApplicationServices, Engineer, ServicesDep, SessionDep
from backend.core.exceptions import InvalidInput, NotAuthenticated
from backend.projects.service import ProjectsService
from labeling.exceptions import MalformedWebhook
from labeling.label_studio.webhooks import SECRET_HEADER, verify_secret

WEBHOOK_PATH = "/webhooks/label-studio"

webhook_router = APIRouter(tags=["webhook"])
router = APIRouter(prefix="/api/v1/projects/{project_id}", tags=["annotations"])


class QueuedJob(BaseModel):
    """A job that was queued."""

    job_id: str


@webhook_router.post(WEBHOOK_PATH, status_code=202, response_class=Response)
async def receive_webhook(request: Request, services: ServicesDep) -> Response:
    """Store the event as it came and answer; a job applies it.

    Label Studio waits one second and never tries again: nothing here calls out.
    """
    secret = services.settings.webhook_secret
    if secret is None or not verify_secret(request.headers, secret.get_secret_value()):
        raise NotAuthenticated(
            "The webhook secret is missing or wrong.",
            field=SECRET_HEADER,
            remedy=f"Send ASSAY_WEBHOOK_SECRET in the header {SECRET_HEADER}.",
        )
    body = await request.body()
    await run_in_threadpool(_store, services, body)
    return Response(status_code=202)


@router.post("/sync", status_code=202)
def request_sync(
    project_id: int, session: SessionDep, services: ServicesDep, _principal: Engineer
) -> QueuedJob:
    """Make the store equal to Label Studio, now."""
    project = ProjectsService(session, services.clock).get(project_id)
    assert project.id is not None
    service = AnnotationsService(session, services.clock)
    return QueuedJob(job_id=service.request_sync(project.id, is_full=True))


def _store(services: ApplicationServices, body: bytes) -> None:
    try:
        with services.database.transaction() as session:
            AnnotationsService(session, services.clock).receive(body)
    except MalformedWebhook as error:
        raise InvalidInput(
            f"The body is not a Label Studio webhook event: {error}",
            field="body",
            remedy="Send Label Studio's JSON payload unchanged.",
        ) from error
