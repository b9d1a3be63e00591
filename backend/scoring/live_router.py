"""Records judged at once, and records brought one by one, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlmodel import Session

from backend.core.dependencies import Engineer, Scorer, ServicesDep
from backend.core.exceptions import Conflict
from backend.core.request_body import LARGEST_NUMBER
from backend.core.responses import problem_responses
from backend.core.services import Services
from backend.models import Project
from backend.projects.service import ProjectsService
from backend.records.service import RecordsService
from backend.registry.service import RegistryService
from backend.scoring.arrivals import Arrivals
from backend.scoring.exceptions import no_champion
from backend.scoring.live import LiveVerdicts
from backend.scoring.live_scorer import LiveScorer
from backend.scoring.schemas import ArrivalAnswer, ArrivalRequest, ScoreAnswer, ScoreRequest
from backend.words import Message

router = APIRouter(tags=["verdicts"])


def live_scorer(request: Request) -> LiveScorer:
    """The process's own."""
    scorer: LiveScorer = request.app.state.live_scorer
    return scorer


LiveScorerDep = Annotated[LiveScorer, Depends(live_scorer)]


@router.post("/api/v1/projects/{project_id}/score", responses=problem_responses(503))
def score(
    project_id: int,
    request: ScoreRequest,
    services: ServicesDep,
    scorer: LiveScorerDep,
    _principal: Scorer,
) -> ScoreAnswer:
    """Ask the champion about up to 1,000 records, by the dataset's fields; nothing is stored."""
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
    return LiveVerdicts(services, scorer).score(project, request.records)


@router.post(
    "/api/v1/datasets/{dataset_id}/records",
    tags=["records"],
    responses=problem_responses(503),
)
def take_records(
    *,
    dataset_id: int,
    request: ArrivalRequest,
    services: ServicesDep,
    scorer: LiveScorerDep,
    principal: Engineer,
    score: Annotated[bool, Query(description="answer what the champion says of them")] = False,
    project: Annotated[
        int | None,
        Query(ge=1, le=LARGEST_NUMBER, description="whose champion, where there are several"),
    ] = None,
) -> ArrivalAnswer:
    """Store up to 1,000 records by their external ids; what is there already changes nothing."""
    with services.database.transaction() as session:
        dataset = RecordsService(session, services.clock).get_dataset(dataset_id)
        judge = _judge(session, services, dataset_id, project) if score else None
        answer = Arrivals(session, services.clock).take(
            dataset, request.records, source=f"api: {principal.name}"
        )
    if judge is not None:
        records = [each.fields for each in request.records]
        answer.score = LiveVerdicts(services, scorer).score(judge, records)
    return answer


def _judge(
    session: Session, services: Services, dataset_id: int, project_id: int | None
) -> Project:
    """The project whose champion answers about the dataset's records.

    Raises:
        Conflict: it is none of the dataset's, there are several, or it has no champion yet.
    """
    projects = {
        each.id: each
        for each in ProjectsService(session, services.clock).list()
        if each.dataset_id == dataset_id
    }
    if project_id is None and len(projects) == 1:
        (project_id,) = projects
    if project_id in projects:
        if RegistryService(session, services.clock).champion(project_id) is None:
            raise no_champion(projects[project_id])
        return projects[project_id]
    raise Conflict(
        Message(
            "Dataset {dataset} is labelled by these projects: {projects}.",
            dataset=dataset_id,
            projects=list(projects) or Message("none"),
        ),
        field="project",
        value=project_id,
        remedy=Message("Name one of them, or send the records without score."),
    )
