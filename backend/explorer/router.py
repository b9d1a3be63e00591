"""Sending records on, and saved views, over HTTP."""

from fastapi import APIRouter

from backend.core.dependencies import Engineer, ServicesDep, SessionDep, Viewer
from backend.explorer.saved_views import SavedViews
from backend.explorer.schemas import (
    ChosenBatchPublic,
    SavedViewChange,
    SavedViewCreate,
    SavedViewPublic,
    SendingRequest,
    SentCasesPublic,
    TakenBack,
)
from backend.explorer.sending import Sending, sending_key
from backend.projects.service import ProjectsService

router = APIRouter(prefix="/api/v1/projects/{project_id}", tags=["records of a project"])


@router.post("/batches/chosen", status_code=201)
def send_to_label(
    project_id: int,
    request: SendingRequest,
    session: SessionDep,
    services: ServicesDep,
    principal: Engineer,
) -> ChosenBatchPublic:
    """Have people label the records that match, in a batch that counts in no accuracy."""
    project = ProjectsService(session, services.clock).get(project_id)
    sending = request.sending or _new_key(request, principal.name, services.clock().isoformat())
    done = Sending(session, services).send(
        project, request.filter, "label", actor=principal.name, sending=sending
    )
    assert done.labelling is not None
    assert done.batch_id is not None
    return ChosenBatchPublic(
        sending=sending,
        batch_id=done.batch_id,
        records=done.records_to_send,
        tasked=done.labelling.tasked,
        outdated=done.labelling.outdated,
        machine=done.labelling.machine,
    )


@router.delete("/batches/chosen/{sending}")
def take_back_from_labelling(
    project_id: int, sending: str, session: SessionDep, services: ServicesDep, principal: Engineer
) -> TakenBack:
    """Take a batch of chosen records back, while Label Studio has nothing of it."""
    project = ProjectsService(session, services.clock).get(project_id)
    records = Sending(session, services).take_back(project, "label", sending, actor=principal.name)
    return TakenBack(records=records)


@router.post("/cases/chosen", status_code=201)
def send_to_desk(
    project_id: int,
    request: SendingRequest,
    session: SessionDep,
    services: ServicesDep,
    principal: Engineer,
) -> SentCasesPublic:
    """Have the review desk decide the labels of the records that match."""
    project = ProjectsService(session, services.clock).get(project_id)
    sending = request.sending or _new_key(request, principal.name, services.clock().isoformat())
    done = Sending(session, services).send(
        project, request.filter, "desk", actor=principal.name, sending=sending
    )
    assert done.desk is not None
    return SentCasesPublic(
        sending=sending,
        labels=done.records_to_send,
        unanswered=list(done.desk.unanswered),
        on_desk=done.desk.on_desk,
    )


@router.delete("/cases/chosen/{sending}")
def take_back_from_desk(
    project_id: int, sending: str, session: SessionDep, services: ServicesDep, principal: Engineer
) -> TakenBack:
    """Take labels back from the desk that nobody has decided yet."""
    project = ProjectsService(session, services.clock).get(project_id)
    records = Sending(session, services).take_back(project, "desk", sending, actor=principal.name)
    return TakenBack(records=records)


@router.get("/views")
def list_views(
    project_id: int, session: SessionDep, services: ServicesDep, principal: Viewer
) -> list[SavedViewPublic]:
    """List your own saved views and those that everybody sees."""
    project = ProjectsService(session, services.clock).get(project_id)
    return SavedViews(session, services.clock, principal).list_all(project)


@router.post("/views", status_code=201)
def save_view(
    project_id: int,
    request: SavedViewCreate,
    session: SessionDep,
    services: ServicesDep,
    principal: Viewer,
) -> SavedViewPublic:
    """Keep a choice of records under a name."""
    project = ProjectsService(session, services.clock).get(project_id)
    return SavedViews(session, services.clock, principal).save(project, request)


@router.get("/views/{view_id}")
def get_view(
    project_id: int, view_id: int, session: SessionDep, services: ServicesDep, principal: Viewer
) -> SavedViewPublic:
    """Show one saved view."""
    project = ProjectsService(session, services.clock).get(project_id)
    return SavedViews(session, services.clock, principal).get(project, view_id)


@router.patch("/views/{view_id}")
def change_view(
    *,
    project_id: int,
    view_id: int,
    request: SavedViewChange,
    session: SessionDep,
    services: ServicesDep,
    principal: Viewer,
) -> SavedViewPublic:
    """Rename a view of your own, or show something else under it; leads change any."""
    project = ProjectsService(session, services.clock).get(project_id)
    return SavedViews(session, services.clock, principal).change(project, view_id, request)


@router.delete("/views/{view_id}", status_code=204)
def delete_view(
    project_id: int, view_id: int, session: SessionDep, services: ServicesDep, principal: Viewer
) -> None:
    """Delete a view of your own; leads delete any."""
    project = ProjectsService(session, services.clock).get(project_id)
    SavedViews(session, services.clock, principal).delete(project, view_id)


def _new_key(request: SendingRequest, name: str, moment: str) -> str:
    return sending_key(name, request.model_dump_json(), moment)
