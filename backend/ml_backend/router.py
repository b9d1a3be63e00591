"""What a Label Studio calls that somebody connects to a project as its ML backend."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from backend.core.dependencies import ServicesDep, SessionDep
from backend.core.exceptions import InvalidInput, NotAuthenticated
from backend.core.security import Authenticator, Principal
from backend.core.services import Services
from backend.loop.service import LoopService
from backend.ml_backend.service import MlBackend
from backend.models import Project
from backend.projects.service import ProjectsService
from backend.scoring.live_router import LiveScorerDep
from backend.words import Message
from labeling.exceptions import MalformedTasks
from labeling.label_studio.ml_backend import parse_prediction_request
from labeling.label_studio.webhooks import verify_secret

router = APIRouter(
    prefix="/ml/projects/{project_id}",
    include_in_schema=False,  # Label Studio's protocol, not an API of ours
)

_basic = HTTPBasic(auto_error=False, scheme_name="ML backend key")


def principal_by_basic(
    request: Request,
    services: ServicesDep,
    given: Annotated[HTTPBasicCredentials | None, Security(_basic)] = None,
) -> Principal:
    """Whose API key came as the password; the user's name may be any.

    Raises:
        NotAuthenticated: no key, or none that may ask the classifier.
    """
    authenticator = cast(Authenticator, request.app.state.authenticator)
    principal: Principal | None = None
    if given is not None:
        with services.database.reading() as session:
            principal = authenticator.by_api_key(session, given.password)
    if principal is None or not principal.may("scorer"):
        raise NotAuthenticated(
            Message("The API key is missing or not valid."),
            remedy=Message(
                "In Label Studio, under Settings, Model, choose Basic Authentication and give a "
                "key with the role {role} as the password.",
                role=Message("scorer"),
            ),
        )
    return principal


ByBasic = Annotated[Principal, Depends(principal_by_basic)]


def principal_by_secret(
    request: Request,
    services: ServicesDep,
    given: Annotated[HTTPBasicCredentials | None, Security(_basic)] = None,
) -> Principal:
    """The same, or whoever knows the webhook's secret: events come without Basic credentials.

    Raises:
        NotAuthenticated: neither.
    """
    secret = services.settings.webhook_secret
    if secret is not None and verify_secret(request.headers, secret.get_secret_value()):
        return Principal(name="webhook", role="scorer")
    return principal_by_basic(request, services, given)


@router.get("/health")
def health(
    project_id: int, session: SessionDep, services: ServicesDep, _principal: ByBasic
) -> dict[str, str]:
    """Answers at once if the project is there; Label Studio waits one second."""
    ProjectsService(session, services.clock).get(project_id)
    return {"status": "UP"}


@router.post("/setup")
def setup(
    project_id: int, services: ServicesDep, scorer: LiveScorerDep, _principal: ByBasic
) -> dict[str, str | None]:
    """Who would answer; Label Studio waits three seconds.

    The body, which has the API token of whoever made the project there, is not read.
    """
    return {"model_version": MlBackend(services, scorer).model_version(_get(services, project_id))}


@router.post("/predict")
async def predict(
    project_id: int,
    request: Request,
    services: ServicesDep,
    scorer: LiveScorerDep,
    _principal: ByBasic,
) -> dict[str, Any]:
    """A prediction, or nothing, for each task that came."""
    body = await request.body()

    def answer() -> dict[str, Any]:
        try:
            asked = parse_prediction_request(body)
        except MalformedTasks as error:
            raise InvalidInput(
                Message("The body is no request of Label Studio's: {error}", error=error),
                field="body",
                remedy=Message("Send Label Studio's JSON payload unchanged."),
            ) from error
        return MlBackend(services, scorer).predict(_get(services, project_id), asked)

    return await run_in_threadpool(answer)


@router.post("/webhook", status_code=201)
def receive_hint(
    project_id: int,
    session: SessionDep,
    services: ServicesDep,
    _principal: Annotated[Principal, Depends(principal_by_secret)],
) -> dict[str, str]:
    """Something happened in Label Studio, or somebody pressed its button for training.

    A sync is queued unless one is waiting; when to train is the loop's to say. The body is not
    read, and no job is named, for Label Studio would ask how it goes.
    """
    project = ProjectsService(session, services.clock).get(project_id)
    LoopService(session, services.clock).request_sync(project.id)
    return {"status": "taken"}


def _get(services: Services, project_id: int) -> Project:
    with services.database.reading() as session:
        return ProjectsService(session, services.clock).get(project_id)
