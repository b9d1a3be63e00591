"""A store in the middle of the loop: three rounds done, the fourth batch half labelled."""

import os
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from backend.jobs.worker_lock import WorkerLock, lock_of
from backend.models import (
    Annotation,
    Annotator,
    AuditSample,
    Batch,
    Dataset,
    Job,
    ModelVersion,
    Project,
    Promotion,
    Record,
    SyncCursor,
    Task,
    VersionReport,
    WebhookEvent,
    Worker,
)
from backend.words import in_both
from labeling.label_schema import LabelSchema

BATCH = 20
ROUNDS = 4
RECORDS = 200
HALF_DONE = 8
PARTS_OF_A_REPORT = ("classes", "confusion", "grades", "issues", "calibration", "worst_parts")
LOCKS: list[WorkerLock] = []
NAMES = ("Ana Duarte", "李明", "Kofi Mensah")


def fill(
    session: Session, now: datetime, name: str = "Shop catalogue", label_studio_id: int = 7
) -> int:
    """The project's id. Of the 80 tasks 68 have an answer that counts: round 4 has 8; one
    answer of round 3 was revised, one of round 2 deleted, one of round 1 skipped."""
    start = now - timedelta(hours=9)
    dataset = Dataset(
        name=f"{name} records", kind="product", fields=["title", "price"], created_at=start
    )
    session.add(dataset)
    session.flush()
    project = Project(
        name=name,
        dataset_id=dataset.id,
        label_schema=LabelSchema.default(["title", "price"]).model_dump(mode="json"),
        policy={},
        label_studio_project_id=label_studio_id,
        created_at=start,
    )
    session.add(project)
    session.flush()
    project_id = project.id
    records = [_record(dataset, number, start) for number in range(RECORDS)]
    session.add_all(records)
    annotators = [
        Annotator(label_studio_user_id=10 * label_studio_id + n, name=who, created_at=start)
        for n, who in enumerate(NAMES)
    ]
    session.add_all(annotators)
    session.flush()
    for number in range(1, ROUNDS + 1):
        _round(session, project_id, number, records=records, annotators=annotators, start=start)
    _models(session, project_id, start)
    session.add(SyncCursor(project_id=project_id, synced_at=now - timedelta(seconds=12)))
    session.add(WebhookEvent(project_id=project_id, body="{}", received_at=now))
    session.add(WebhookEvent(project_id=project_id, body="{}", status="applied", received_at=now))
    session.flush()
    return project_id


def fill_jobs(session: Session, now: datetime, project_id: int) -> None:
    """A living worker, whose lock this process holds, a dead one, and a job of every status."""
    lock = WorkerLock(lock_of(session.get_bind().engine.url))
    lock.acquire()
    LOCKS.append(lock)
    session.add(
        Worker(
            id="desk-1",
            host="desk",
            pid=os.getpid(),
            instance="a1",
            started_at=now,
        )
    )
    session.add(
        Worker(
            id="desk-0",
            host="desk",
            pid=4000,
            instance="a0",
            started_at=now,
        )
    )
    states = [
        ("running", 0.62, "training on 60 labels", None),
        ("queued", 0.0, "", None),
        ("waiting", 0.3, "Label Studio does not answer; next try in 20 s", None),
        ("failed", 0.1, "", "Traceback …\nUnreadableSource: shop.csv: line 3 is not UTF-8."),
        ("done", 1.0, "20 tasks pushed", None),
        ("cancelled", 0.5, "", None),
    ]
    names = ["training.retrain", "labeling.push", "labeling.sync", "ingestion.import"]
    for number, (status, progress, message, error) in enumerate(states):
        session.add(
            Job(
                id=f"{status}-1",
                name=names[number % len(names)],
                project_id=project_id,
                args={},
                status=status,
                attempt=3 if status == "waiting" else 1,
                progress=progress,
                message=message,
                error=error,
                enqueued_at=now - timedelta(minutes=number),
            )
        )
    session.flush()


def _record(dataset: Dataset, number: int, at: datetime) -> Record:
    return Record(
        dataset_id=dataset.id,
        external_id=f"SKU-{10_000 + number}",
        content_hash=f"{number:064x}",
        kind="product",
        fields={"title": f"Kettle {number}", "price": "19.99"},
        source="shop.csv",
        created_at=at,
    )


def _round(
    session: Session,
    project_id: int,
    number: int,
    *,
    records: list[Record],
    annotators: list[Annotator],
    start: datetime,
) -> None:
    at = start + timedelta(hours=2 * number)
    batch = Batch(
        project_id=project_id, round=number, strategy="default", seed=1, created_at=at, pushed_at=at
    )
    session.add(batch)
    session.flush()
    for position in range(BATCH):
        index = (number - 1) * BATCH + position
        task = Task(
            project_id=project_id,
            record_id=records[index].id,
            batch_id=batch.id,
            key=f"{project_id}-{index}",
            position=position,
            is_audit=position % 5 == 0,
            acquisition_score=1 - position / BATCH,
            reason=in_both(
                "The classifier hesitates between fair and poor (0.46 against 0.44).",
                "模型在“一般”和“差”之间犹豫（0.46 对 0.44）。",
            ),
            label_studio_task_id=500 + index,
        )
        session.add(task)
        session.flush()
        if number < ROUNDS or position < HALF_DONE:
            _answer(session, task, annotators[index % 3], at + timedelta(minutes=position), index)


def _answer(session: Session, task: Task, annotator: Annotator, at: datetime, index: int) -> None:
    def revision(number: int, *, deleted: bool = False, skipped: bool = False) -> Annotation:
        return Annotation(
            project_id=task.project_id,
            task_id=task.id,
            annotator_id=annotator.id,
            label_studio_annotation_id=900 + index,
            revision=number,
            identity="deleted" if deleted else f"{at.isoformat()}-{number}",
            is_deleted=deleted,
            was_cancelled=skipped,
            grade=None if skipped else "fair",
            annotated_at=at,
            revised_at=at,
            via="sync",
            received_at=at,
        )

    session.add(revision(1, skipped=index == 5))
    if index == 2 * BATCH + 3:
        session.add(revision(2))
    if index == BATCH + 2:
        session.add(revision(2, deleted=True))


def _models(session: Session, project_id: int, start: datetime) -> None:
    encoder = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
    measured = [(0.71, 0.58, 0.81), (0.79, 0.69, 0.87), (0.78, 0.7, 0.85)]
    versions = []
    for number, (value, low, high) in enumerate(measured, start=1):
        version = ModelVersion(
            project_id=project_id,
            number=number,
            fingerprint=f"{number:064x}",
            artifact=f"{project_id}/{number}",
            encoder=encoder,
            training_labels=BATCH * number,
            audit_labels=4 * number,
            metrics={
                "round": number,
                "labels": BATCH * number,
                "audit_accuracy": {"value": value, "low": low, "high": high, "n": 4 * number},
                "audit_macro_f1": {"value": value - 0.06, "low": low - 0.06, "high": high},
                **({"agreement": {"alpha": 0.64, "low": 0.5, "high": 0.75}} if number > 1 else {}),
            },
            created_at=start + timedelta(hours=2 * number, minutes=40),
        )
        session.add(version)
        session.flush()
        versions.append(version)
    decisions = [
        ("promoted", 0, "The first model version.", "第一个模型版本。"),
        (
            "promoted",
            1,
            "79.0 % against 71.0 % on the same 8 audit records.",
            "在相同的 8 条审计记录上为 79.0 %，原为 71.0 %。",
        ),
        (
            "kept",
            1,
            "78.0 % against 79.0 %: no better on the audit records.",
            "78.0 % 对 79.0 %：在审计记录上没有提高。",
        ),
    ]
    _measure(session, versions, measured)
    for number, (kind, champion, reason, reason_zh) in enumerate(decisions):
        session.add(
            Promotion(
                project_id=project_id,
                kind=kind,
                model_version_id=versions[champion].id,
                challenger_id=versions[number].id,
                reason=in_both(reason, reason_zh),
                decided_by="gate",
                created_at=versions[number].created_at,
            )
        )


def _measure(
    session: Session, versions: list[ModelVersion], measured: list[tuple[float, float, float]]
) -> None:
    """All versions are measured on the twelve audit records that the last was decided on."""
    audited = session.exec(
        select(Task)
        .where(Task.project_id == versions[0].project_id, col(Task.is_audit))
        .order_by(col(Task.id))
        .limit(12)
    ).all()
    sample = AuditSample(
        project_id=versions[0].project_id,
        model_version_id=versions[-1].id,
        labels=[[task.id, task.record_id, "fair", {}] for task in audited],
        created_at=versions[-1].created_at,
    )
    session.add(sample)
    session.flush()
    for version, (value, low, high) in zip(versions, measured, strict=True):
        accuracy = {"value": value, "low": low, "high": high, "n": 12}
        session.add(
            VersionReport(
                model_version_id=version.id,
                project_id=version.project_id,
                sample_id=sample.id,
                answers=["good"] * (5 - version.number) + ["fair"] * (7 + version.number),
                report={
                    "accuracy": accuracy,
                    "macro_f1": {**accuracy, "value": value - 0.06, "low": low - 0.06},
                    "ece": 0.08,
                    "parts_looked_at": 0,
                    "smallest_part": 20,
                    **{part: [] for part in PARTS_OF_A_REPORT},
                },
                measured_at=sample.created_at,
            )
        )
