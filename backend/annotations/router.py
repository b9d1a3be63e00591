"""The webhook that Label Studio calls."""

from typing import Annotated

from fastapi import APIRouter, Request, Response, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import APIKeyHeader

from backend.annotations.service import AnnotationsService
from backend.core.dependencies import ApplicationServices, ServicesDep
from backend.core.exceptions import InvalidInput, NotAuthenticated
from backend.words import Message
from labeling.exceptions import MalformedWebhook
from labeling.label_studio.webhooks import SECRET_HEADER, verify_secret

WEBHOOK_PATH = "/webhooks/label-studio"

router = APIRouter(tags=["webhook"])

_secret = APIKeyHeader(
    name=SECRET_HEADER,
    auto_error=False,
    scheme_name="Webhook secret",
    description="`ASSAY_WEBHOOK_SECRET`",
)
BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["action"],
                "properties": {"action": {"type": "string", "minLength": 1}},
                "example": {"action": "ANNOTATION_CREATED", "project": {"id": 3}},
            }
        }
    },
}
"""What every event has; the rest is Label Studio's to say. Read as it came, so declared by hand."""


@router.post(
    WEBHOOK_PATH,
    status_code=202,
    response_class=Response,
    openapi_extra={"requestBody": BODY},
)
async def receive_webhook(
    request: Request,
    services: ServicesDep,
    _given: Annotated[str | None, Security(_secret)] = None,
) -> Response:
    """Store the event as it came and answer; a job applies it.

    Label Studio waits one second and never tries again: nothing here calls out.
    """
    secret = services.settings.webhook_secret
    if secret is None or not verify_secret(request.headers, secret.get_secret_value()):
        raise NotAuthenticated(
            Message("The webhook secret is missing or wrong."),
            field=SECRET_HEADER,
            remedy=Message(
                "Send ASSAY_WEBHOOK_SECRET in the header {secret_header}.",
                secret_header=SECRET_HEADER,
            ),
        )
    body = await request.body()
    await run_in_threadpool(_store, services, body)
    return Response(status_code=202)


def _store(services: ApplicationServices, body: bytes) -> None:
    try:
        with services.database.transaction() as session:
            AnnotationsService(session, services.clock).receive(body)
    except MalformedWebhook as error:
        raise InvalidInput(
            Message("The body is not a Label Studio webhook event: {error}", error=error),
            field="body",
            remedy=Message("Send Label Studio's JSON payload unchanged."),
        ) from error
