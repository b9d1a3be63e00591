"""Make a project anew in a Label Studio that holds it no more.

The store is the record, so nothing is lost: every answer that was taken in still counts. Only what
wants answers is pushed again. Answers and people get numbers that the new Label Studio does not
give out; who signs in there with the same e-mail address is the same annotator again.
"""

from dataclasses import asdict, dataclass

from backend.annotations import repository as annotations_repository
from backend.audit.service import AuditTrail
from backend.core.exceptions import Conflict
from backend.core.services import Services
from backend.label_studio import recreation_repository
from backend.label_studio.connection import LabelStudioProjectGone, check_held
from backend.loop import answer_repository
from backend.loop.service import LoopService
from backend.models import Task
from backend.projects.service import ProjectsService, policy_of
from backend.words import Message


@dataclass(frozen=True)
class Recreated:
    """What a project that is made anew brings along."""

    answers_kept: int
    tasks_pushed_again: int
    annotators_let_go: int


def recreate(services: Services, project_id: int, *, actor: str) -> Recreated:
    """The project is in no Label Studio any more; the next push makes it there and fills it.

    Raises:
        Conflict: Label Studio holds the project, or was never given it.
    """
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
    if project.label_studio_project_id is None:
        raise Conflict(
            Message("'{project}' was never in Label Studio.", project=project.name),
            field="project",
            value=project.name,
            remedy=Message("Push it without --recreate."),
        )
    try:
        check_held(services, project)
    except LabelStudioProjectGone as error:
        reason = error.message
    else:
        raise Conflict(
            Message(
                "Label Studio holds '{project}', as its project {label_studio_project_id}.",
                project=project.name,
                label_studio_project_id=project.label_studio_project_id,
            ),
            field="project",
            value=project.name,
            remedy=Message("There is nothing to make anew; push it without --recreate."),
        )
    emails = {int(user["id"]): str(user["email"]).lower() for user in services.label_studio.users()}
    with services.database.transaction() as session:
        annotations_repository.lock_intake(session, project_id)
        strangers = [
            annotator
            for annotator in recreation_repository.known_annotators(session)
            if emails.get(annotator.label_studio_user_id) != (annotator.email or "").lower()
        ]
        recreation_repository.let_go_of_annotators(session, strangers)
        wanted = policy_of(project).annotators_per_record
        states = answer_repository.states(session, project_id)
        is_open = {
            task_id
            for task_id, state in states.items()
            if state.asked.is_open(state.responses, wanted)
        }
        answered = recreation_repository.answered_tasks(session, project_id)
        again, kept = list[int](), list[int]()
        for task in recreation_repository.tasks(session, project_id):
            (again if _wants_answers(task, is_open, answered) else kept).append(task.id)
        recreation_repository.let_go_of_tasks(session, again, is_pushed_again=True)
        recreation_repository.let_go_of_tasks(session, kept, is_pushed_again=False)
        done = Recreated(
            answers_kept=recreation_repository.keep_answers(session, project_id),
            tasks_pushed_again=len(again),
            annotators_let_go=len(strangers),
        )
        begun = {
            task_id: states[task_id].asked.answers_wanted(wanted)
            for task_id in is_open
            if states[task_id].responses
        }
        recreation_repository.want_the_rest(session, begun)
        loop = LoopService(session, services.clock)
        if begun:
            loop.request_asking(project)
        loop.request_review(project)
        recreation_repository.let_go_of_project(session, project_id)
        AuditTrail(session, services.clock).append(
            actor, "project.recreated", f"project:{project_id}", {"reason": reason, **asdict(done)}
        )
    return done


def _wants_answers(task: Task, is_open: set[int], answered: set[int]) -> bool:
    if task.deleted_at is not None:
        return False
    return task.id in is_open if task.purpose == "label" else task.id not in answered
