"""What a project's loop does or waits for, and why nothing was trained, in words."""

from sqlmodel import Session

from active_learning.types import Reason
from backend.core.clock import Clock
from backend.core.counting import amount
from backend.jobs.repository import UNFINISHED
from backend.loop import repository
from backend.loop.halt import STEPS, halted_step
from backend.loop.job_names import NEXT_BATCH, PUSH, RETRAIN
from backend.loop.outlook import Outlook
from backend.loop.service import LoopService
from backend.models import Job, Project
from backend.overview.schemas import LoopStatus, NothingTrained

WORK = {
    PUSH: Reason("Tasks are being pushed to Label Studio", "正在把任务推送到 Label Studio"),
    NEXT_BATCH: Reason("The next batch is being chosen", "正在选择下一批次"),
    RETRAIN: Reason("A model version is being trained", "正在训练模型版本"),
}
STOPPED = {
    PUSH: Reason("The push of the batch", "批次的推送"),
    NEXT_BATCH: Reason("The choice of the batch", "批次的选择"),
    RETRAIN: Reason("The last retraining", "最近一次重新训练"),
}


def loop_status(session: Session, clock: Clock, project: Project, *, pool: int) -> LoopStatus:
    """The state of the project's loop; nothing is written.

    Args:
        pool: records that nobody has labelled.
    """
    job = halted_step(session, project.id)
    state, reason = "stopped", _halted(job) if job else Reason("", "")
    if job is None:
        newest = repository.newest_job(session, project.id, STEPS)
        job = newest if newest is not None and newest.status in UNFINISHED else None
        if job is not None:
            state, reason = "at work", _at_work(job)
        else:
            outlook = LoopService(session, clock).outlook(project)
            state, reason = _waiting(outlook, pool)
    return LoopStatus.model_validate(
        {
            "state": state,
            "reason": reason.en,
            "reason_zh": reason.zh,
            "job_id": job.id if job else None,
            "step": job.name if job else None,
            "nothing_trained": _nothing_trained(session, project.id),
        }
    )


def _halted(job: Job) -> Reason:
    what = STOPPED[job.name]
    if job.status == "cancelled":
        return Reason(
            f"{what.en} was cancelled; the loop waits until somebody tries it again.",
            f"{what.zh}已被取消；再次尝试之前，循环不会继续。",
        )
    lines = (job.error or "").strip().splitlines()
    why = lines[-1] if lines else "–"
    return Reason(
        f"{what.en} failed; it is tried again by itself, or now by hand. {why}",
        f"{what.zh}失败；系统会自动重试，也可以立即手动重试。{why}",
    )


def _at_work(job: Job) -> Reason:
    what = WORK[job.name]
    if job.status == "running":
        return Reason(f"{what.en}.", f"{what.zh}。")
    if job.status == "waiting":
        return Reason(
            f"{what.en}: the job waits and is tried again soon.",
            f"{what.zh}：作业正在等待，很快会再次尝试。",
        )
    return Reason(f"{what.en} as soon as a worker is free.", f"{what.zh}：等待空闲的工作进程。")


def _waiting(outlook: Outlook, pool: int) -> tuple[str, Reason]:
    is_last = outlook.is_last_round
    if outlook.progress.last_round == 0:
        return "not started", Reason("No batch has been chosen yet.", "尚未选择任何批次。")
    if outlook.is_batch_finished and is_last:
        rounds = outlook.progress.last_round
        return "ended", Reason(
            f"All {amount(rounds, 'round')} of the policy are over.",
            f"策略规定的 {rounds} 轮已全部完成。",
        )
    if outlook.is_batch_finished and pool == 0:
        return "ended", Reason(
            "Every record is labelled; the loop goes on when records come in.",
            "所有记录均已标注；导入新记录后循环会继续。",
        )
    tasks = amount(outlook.progress.open, "task")
    return "labelling", Reason(
        f"A model version is trained with {amount(outlook.wanted, 'new label')}, or when the batch "
        f"is finished: {amount(outlook.new, 'new label')} so far, {tasks} still open.",
        f"新增 {outlook.wanted} 个标签或本批次完成后训练新的模型版本："
        f"目前新增 {outlook.new} 个标签，"
        f"还有 {outlook.progress.open} 个任务未完成。",
    )


def _nothing_trained(session: Session, project_id: int) -> NothingTrained | None:
    job = repository.newest_job(session, project_id, (RETRAIN,))
    result = job.result if job is not None else None
    if job is None or job.finished_at is None or not result or result.get("trained", True):
        return None
    version = repository.latest_model_version(session, project_id)
    if version is not None and version.created_at > job.finished_at:
        return None
    why = str(result.get("why", ""))
    return NothingTrained(at=job.finished_at, reason=why, reason_zh=str(result.get("why_zh", why)))
