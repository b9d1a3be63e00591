"""Where the loop stands still: a step that is due, and that failed or was cancelled."""

from datetime import datetime

from sqlmodel import Session

from backend.core.services import Services
from backend.jobs.queue import UNSUCCESSFUL
from backend.loop import repository
from backend.loop.job_names import NEXT_BATCH, PUSH, RETRAIN
from backend.loop.service import RETRY_FAILED_AFTER
from backend.models import Job

STEPS = (PUSH, NEXT_BATCH, RETRAIN)


def halted_step(session: Session, project_id: int) -> Job | None:
    """The job that failed or was cancelled and that the project's loop cannot do without.

    None while another attempt is on its way, and where something else has done its work since.
    """
    newest = {name: repository.newest_job(session, project_id, (name,)) for name in STEPS}
    batch = repository.latest_batch(session, project_id)
    push, choice = newest[PUSH], newest[NEXT_BATCH]
    if _is_unsuccessful(push) and repository.batches_not_pushed(session, project_id):
        return push
    last_round = batch.round if batch else 0
    if choice is not None and _is_unsuccessful(choice) and choice.args["round"] > last_round:
        return choice
    last = repository.newest_job(session, project_id, STEPS)
    return last if last is not None and last.name == RETRAIN and _is_unsuccessful(last) else None


def is_retry_due(services: Services, project_id: int) -> bool:
    """True if the loop stands still at a step that failed some time ago.

    One that was cancelled waits for a person.
    """
    with services.database.reading() as session:
        job = halted_step(session, project_id)
    return job is not None and job.status == "failed" and _is_long_ago(job, services.clock())


def _is_unsuccessful(job: Job | None) -> bool:
    return job is not None and job.status in UNSUCCESSFUL


def _is_long_ago(job: Job, now: datetime) -> bool:
    return job.finished_at is None or job.finished_at <= now - RETRY_FAILED_AFTER
