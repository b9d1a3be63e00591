"""Answers that programs gave: who they are, and which projects hold any."""

from collections.abc import Collection
from datetime import datetime

from fastapi import Request
from sqlmodel import Session

from backend.annotations import people_repository, repository
from backend.core.dependencies import ServicesDep
from backend.web.rendering import is_fragment


def know_simulated(session: Session, label_studio_user_ids: Collection[int], now: datetime) -> None:
    """These Label Studio users are annotators here, and marked as simulated."""
    repository.add_annotators(session, label_studio_user_ids, now)
    people_repository.mark_simulated(session, label_studio_user_ids)


def has_simulated_answers(session: Session, project_id: int) -> bool:
    """True if the project holds an answer that no person gave."""
    simulated = people_repository.simulated_annotators(session)
    return bool(simulated) and people_repository.has_answer_of(session, project_id, simulated)


def mark_page(request: Request, services: ServicesDep) -> None:
    """Every page of a project with simulated answers says so (``base.html``).

    It reads in a session of its own: a page that writes must not hold the write lock for it.
    """
    project_id = request.path_params.get("project_id", "")
    if not str(project_id).isdigit() or is_fragment(request):
        return
    with services.database.reading() as session:
        request.state.has_simulated_answers = has_simulated_answers(session, int(project_id))
