"""What a project's loop does or waits for, and why nothing was trained, in words."""

from sqlmodel import Session

from backend.core.clock import Clock
from backend.jobs.repository import UNFINISHED
from backend.loop import repository
from backend.loop.halt import STEPS, halted_step
from backend.loop.job_names import NEXT_BATCH, PUSH, RETRAIN
from backend.loop.outlook import Outlook
from backend.loop.service import LoopService
from backend.models import Job, Project
from backend.overview.schemas import LoopStatus, NothingTrained
from backend.words import N_, Message, as_text

QUEUED = {
    PUSH: Message("Tasks are pushed to Label Studio as soon as a worker is free."),
    NEXT_BATCH: Message("The next batch is chosen as soon as a worker is free."),
    RETRAIN: Message("A model version is trained as soon as a worker is free."),
}
RUNNING = {
    PUSH: Message("Tasks are being pushed to Label Studio."),
    NEXT_BATCH: Message("The next batch is being chosen."),
    RETRAIN: Message("A model version is being trained."),
}
WAITING = {
    PUSH: Message("Tasks are to be pushed to Label Studio; what is needed is away or in use."),
    NEXT_BATCH: Message("The next batch is to be chosen; what is needed is away or in use."),
    RETRAIN: Message("A model version is to be trained; what is needed is away or in use."),
}
CANCELLED = {
    PUSH: Message("The push of the batch was cancelled; the loop waits until it is tried again."),
    NEXT_BATCH: Message("The batch was cancelled; the loop waits until it is tried again."),
    RETRAIN: Message("The last retraining was cancelled; new labels start another one."),
}
FAILED = {
    PUSH: N_("The push of the batch failed; it is tried again by itself: {error}"),
    NEXT_BATCH: N_("The batch failed; it is tried again by itself: {error}"),
    RETRAIN: N_("The retraining failed; it is tried again by itself: {error}"),
}


def loop_status(session: Session, clock: Clock, project: Project, *, pool: int) -> LoopStatus:
    """The state of the project's loop; nothing is written.

    Args:
        pool: records that nobody has labelled.
    """
    nothing = _nothing_trained(session, project.id)
    stopped = halted_step(session, project.id)
    newest = repository.newest_job(session, project.id, STEPS)
    if stopped is not None:
        return LoopStatus(
            state="stopped",
            reason=_why_stopped(stopped),
            job_id=stopped.id,
            step=stopped.name,
            nothing_trained=nothing,
        )
    if newest is not None and newest.status in UNFINISHED:
        words = {"queued": QUEUED, "running": RUNNING, "waiting": WAITING}[newest.status]
        return LoopStatus(
            state="at work",
            reason=words[newest.name],
            job_id=newest.id,
            step=newest.name,
            nothing_trained=nothing,
        )
    outlook = LoopService(session, clock).outlook(project)
    if outlook.progress.last_round == 0:
        return LoopStatus(
            state="not started",
            reason=Message("No batch has been chosen yet."),
            nothing_trained=nothing,
        )
    end = _why_ended(outlook, pool)
    return LoopStatus(
        state="ended" if end else "labelling",
        reason=end or _what_is_missing(outlook),
        nothing_trained=nothing,
    )


def _why_stopped(job: Job) -> Message:
    if job.status == "cancelled":
        return CANCELLED[job.name]
    error = job.error or "–"
    last = error if isinstance(error, Message) else error.strip().splitlines()[-1]
    return Message(FAILED[job.name], error=last)


def _why_ended(outlook: Outlook, pool: int) -> Message | None:
    if not outlook.is_batch_finished:
        return None
    if outlook.is_last_round:
        return Message.ngettext(
            "The {n} round of the policy is over.",
            "All {n} rounds of the policy are over.",
            n=outlook.progress.last_round,
        )
    if pool == 0:
        return Message("Every record is labelled; the loop goes on when records come in.")
    return None


def _what_is_missing(outlook: Outlook) -> Message:
    return Message(
        "A model version is trained with {wanted}, or when the batch is finished: {new} so far, "
        "{tasks} still open.",
        wanted=_new_labels(outlook.wanted),
        new=_new_labels(outlook.new),
        tasks=Message.ngettext("{n} task", "{n:,} tasks", n=outlook.progress.open_in_rounds),
    )


def _new_labels(number: int) -> Message:
    return Message.ngettext("{n} new label", "{n:,} new labels", n=number)


def _nothing_trained(session: Session, project_id: int) -> NothingTrained | None:
    job = repository.newest_job(session, project_id, (RETRAIN,))
    result = job.result if job is not None else None
    if job is None or job.finished_at is None or not result or result.get("trained", True):
        return None
    version = repository.latest_model_version(session, project_id)
    if version is not None and version.created_at > job.finished_at:
        return None
    return NothingTrained(at=job.finished_at, reason=as_text(str(result.get("why", ""))))
