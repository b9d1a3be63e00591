"""Who the annotators are: their names, and one annotator for each person."""

from sqlmodel import Session

from backend.annotations import people_repository
from backend.audit.service import AuditTrail
from backend.core.clock import Clock
from backend.core.services import Services
from backend.loop.service import LoopService
from backend.projects.service import ProjectsService

ACTOR = "sync"


def know_annotators(services: Services) -> None:
    """Everybody whom Label Studio knows has a name here, and nobody is two annotators."""
    with services.database.reading() as session:
        is_unnamed = bool(people_repository.annotators_without_name(session))
        is_doubled = bool(people_repository.twins(session))
    users = {}
    if is_unnamed:
        users = {int(user["id"]): user for user in services.label_studio.users()}
    if not users and not is_doubled:
        return
    with services.database.transaction() as session:
        for annotator in people_repository.annotators_without_name(session):
            user = users.get(annotator.label_studio_user_id)
            if user is not None:
                full = f"{user.get('first_name', '')} {user.get('last_name', '')}".strip()
                people_repository.name_annotator(
                    session, annotator, str(user["email"]), full or None
                )
        make_one(session, services.clock)


def make_one(session: Session, clock: Clock) -> int:
    """Who was imported by e-mail address and has signed in since is one annotator; how many.

    Both's answers stay. Of two answers of theirs to one record the later one counts, so what
    the projects' answers amount to is worked out anew.
    """
    touched: set[int] = set()
    merged: set[int] = set()
    for gone, kept in people_repository.twins(session):
        if gone.id in merged:
            continue
        merged.add(gone.id)
        answered = people_repository.projects_of(session, gone.id)
        touched.update(answered)
        AuditTrail(session, clock).append(
            ACTOR,
            "annotator.merged",
            f"annotator:{kept.id}",
            {"email": kept.email, "was": gone.id, "projects": answered},
        )
        people_repository.merge(session, gone, kept)
    annotations = LoopService(session, clock)
    for project_id in sorted(touched):
        annotations.request_review(ProjectsService(session, clock).get(project_id))
    return len(merged)
