"""Tell Label Studio how many answers a task wants, and who is not to get it from the queue."""

from backend.core.services import Services
from backend.label_studio.push import push_batches
from backend.label_studio.recreation_repository import kept_answers
from backend.review import decision_repository
from backend.words import Message, Progress
from labeling.label_studio.sync import ask_for_answers


def ask_label_studio(services: Services, project_id: int, progress: Progress) -> int:
    """Every task of the project asks for as many answers as it wants; tasks that were changed.

    Copies that Label Studio does not have yet are pushed first. Told one by one and kept after
    each, so a repeat goes on where a kill stopped it. A task for one annotator counts as finished
    in Label Studio: its queue gives it to nobody, and the annotator opens it by its address.
    Answers of a Label Studio that is gone are not asked for again.
    """
    push_batches(services, project_id)
    with services.database.reading() as session:
        waiting = decision_repository.tasks_to_ask(session, project_id)
        kept = kept_answers(session, project_id) if waiting else {}
    for place, task in enumerate(waiting):
        assert task.label_studio_task_id is not None
        assert task.annotators_wanted is not None
        ask_for_answers(
            services.label_studio,
            task.label_studio_task_id,
            max(task.annotators_wanted - kept.get(task.id, 0), 1),
            is_queued=task.assignee_id is None,
        )
        with services.database.transaction() as session:
            decision_repository.mark_asked(session, task.id, task.annotators_wanted)
        progress(
            (place + 1) / len(waiting),
            Message.ngettext(
                "{done} of {n} task", "{done} of {n} tasks", n=len(waiting), done=place + 1
            ),
        )
    return len(waiting)
