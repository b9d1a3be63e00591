"""The web application: API, pages, webhook."""

from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field

from backend.access import pages as access_pages
from backend.access.login import Login
from backend.access.login_limit import LoginLimit
from backend.access.router import router as access_router
from backend.agreement import pages as agreement_pages
from backend.agreement.router import router as agreement_router
from backend.annotations.router import router as annotations_router
from backend.annotations.simulated import mark_page
from backend.audit import pages as audit_pages
from backend.audit.router import router as audit_router
from backend.bootstrap import Services, open_services
from backend.core.dependencies import ServicesDep, require
from backend.core.exceptions import Unavailable
from backend.core.language import ReaderLanguage
from backend.core.logging import configure_logging
from backend.core.middleware import RequestContext
from backend.core.problems import install_problem_handlers
from backend.core.proxies import ForwardedClient
from backend.core.responses import problem_responses
from backend.explorer import map_pages as explorer_map_pages
from backend.explorer import pages as explorer_pages
from backend.explorer import record_pages as explorer_record_pages
from backend.explorer import sending_pages as explorer_sending_pages
from backend.explorer import view_pages as explorer_view_pages
from backend.explorer.router import router as explorer_router
from backend.guidelines import pages as guideline_pages
from backend.guidelines.router import router as guidelines_router
from backend.ingestion.router import router as ingestion_router
from backend.label_exchange import pages as exchange_pages
from backend.label_exchange.router import router as label_exchange_router
from backend.label_studio.router import router as label_studio_router
from backend.machine_labels.router import router as machine_labels_router
from backend.ml_backend.router import router as ml_backend_router
from backend.model_reports.router import router as model_reports_router
from backend.notices import pages as notices_pages
from backend.notices.router import router as notices_router
from backend.overview import own_work_pages
from backend.overview import pages as overview_pages
from backend.overview.repository import ping
from backend.overview.router import router as overview_router
from backend.projects.router import router as projects_router
from backend.records.router import router as records_router
from backend.registry.router import router as registry_router
from backend.removal import pages as removal_pages
from backend.removal.router import router as removal_router
from backend.review import bulk_pages as review_bulk_pages
from backend.review import pages as review_pages
from backend.review.router import router as review_router
from backend.scoring.live_router import router as live_router
from backend.scoring.live_scorer import LiveScorer
from backend.scoring.router import router as verdicts_router
from backend.suspected_labels import pages as findings_pages
from backend.suspected_labels.router import router as suspected_labels_router
from backend.training.router import router as training_router
from backend.web.errors import problem_page
from backend.web.openapi import openapi_document
from backend.web.rendering import STATIC_DIR, render
from backend.words import Message

TAGS = [
    {"name": "status", "description": "What is going on, at a glance."},
    {"name": "records", "description": "Datasets and their records."},
    {"name": "imports", "description": "CSV, Parquet, JSONL and SQL tables into datasets."},
    {"name": "projects", "description": "Labelling efforts: label schema and loop policy."},
    {"name": "annotations", "description": "What people said in Label Studio."},
    {"name": "webhook", "description": "What Label Studio calls; it carries a shared secret."},
    {"name": "training", "description": "Retraining and choosing the next batch."},
    {"name": "review desk", "description": "Consensus, cases of disagreement, decisions."},
    {"name": "agreement", "description": "How far people agree, and how well each works."},
    {"name": "label findings", "description": "Suspected label errors and what labels are worth."},
    {"name": "guidelines", "description": "Labelling guidelines and what people disagree about."},
    {"name": "models", "description": "Model versions, the champion, promotion and rollback."},
    {"name": "machine labels", "description": "The champion's own labels, under a promise."},
    {"name": "verdicts", "description": "What the champion says of every record."},
    {"name": "records of a project", "description": "Send chosen records on; saved views."},
    {"name": "exchange", "description": "Labels with their lineage out, labels of others in."},
    {"name": "removal", "description": "What was made by mistake is taken away."},
    {"name": "notices", "description": "Other systems are told by webhook what happens."},
    {"name": "jobs", "description": "Background work with its progress."},
    {"name": "access", "description": "Users, API keys and audit events."},
    {"name": "health", "description": "For load balancers and containers."},
]

# Every room's router, in the order of the API documentation.
ROOM_ROUTERS = (
    records_router,
    ingestion_router,
    projects_router,
    annotations_router,
    label_studio_router,
    training_router,
    review_router,
    agreement_router,
    suspected_labels_router,
    guidelines_router,
    registry_router,
    model_reports_router,
    machine_labels_router,
    verdicts_router,
    live_router,
    ml_backend_router,
    explorer_router,
    label_exchange_router,
    removal_router,
    notices_router,
)

DESCRIPTION = """\
Human-in-the-loop labelling and active learning for e-commerce data quality.

Every request but `/health` and the webhook needs a role (annotator < scorer < viewer <
reviewer < engineer < service < lead < admin): send `Authorization: Bearer <API key>`, which whoever
runs the server makes, or log in to the pages.
Errors are problem details (RFC 9457, `application/problem+json`) that name the field,
the value and the remedy. A body with a name or a type that its schema does not have is refused.
What a schema cannot know (which grades a project has, which names are taken) is answered with
404, 409 or 422.
"""


class Health(BaseModel):
    """The application answers and so does its store."""

    status: str = Field(examples=["ok"])
    version: str = Field(examples=["0.1.0"])


def create_app(services: Services) -> FastAPI:
    """The application over ``services``."""
    app = FastAPI(
        title="Assay",
        version=_version(),
        description=DESCRIPTION,
        openapi_tags=TAGS,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    app.state.authenticator = Login(services.settings)
    app.state.live_scorer = LiveScorer(services)
    app.state.login_limit = LoginLimit(services.clock)
    install_problem_handlers(app, problem_page)
    app.add_middleware(ForwardedClient, trusted=services.settings.trusted_proxies)
    app.add_middleware(ReaderLanguage)
    app.add_middleware(RequestContext, html_page=problem_page)
    app.mount("/static", StaticFiles(directory=STATIC_DIR), name="static")
    for router in (
        overview_pages.router,
        explorer_pages.router,
        explorer_sending_pages.router,
        explorer_view_pages.router,
        explorer_record_pages.router,
        explorer_map_pages.router,
        findings_pages.router,
        exchange_pages.router,
        review_bulk_pages.router,
        review_pages.router,
        agreement_pages.router,
        guideline_pages.router,
        own_work_pages.router,
        audit_pages.router,
        removal_pages.router,
        notices_pages.router,
        access_pages.router,
    ):
        app.include_router(router, dependencies=[Depends(mark_page)])
    for router in (_documentation, overview_router, *ROOM_ROUTERS):
        app.include_router(router)
    app.include_router(access_router)
    app.include_router(audit_router)
    app.include_router(_health)
    return app


def app_factory() -> FastAPI:
    """For uvicorn: the application over the environment's settings."""
    configure_logging()
    return create_app(open_services())


_documentation = APIRouter(include_in_schema=False, dependencies=[Depends(require("viewer"))])


@_documentation.get("/openapi.json")
def openapi(request: Request) -> JSONResponse:
    """The OpenAPI document; made once, for routes do not change while the application runs."""
    state = request.app.state
    if not hasattr(state, "openapi_document"):
        state.openapi_document = openapi_document(request.app)
    return JSONResponse(state.openapi_document)


@_documentation.get("/docs")
def docs(request: Request) -> Response:
    """The API documentation, without anything from outside."""
    return render(request, "docs.html", {})


_health = APIRouter()


@_health.get("/health", tags=["health"], responses=problem_responses(503))
def health(services: ServicesDep) -> Health:
    """Answers 200 if the store does; needs no role."""
    try:
        with services.database.reading() as session:
            ping(session)
    except Exception as error:
        raise Unavailable(
            Message("The store does not answer."),
            remedy=Message("Look at the database and its address."),
        ) from error
    return Health(status="ok", version=_version())


def _version() -> str:
    try:
        return version("assay")
    except PackageNotFoundError:
        return "0.0.0"
