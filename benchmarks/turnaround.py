"""From the last annotation of a batch to the next batch visible in Label Studio.

    python -m benchmarks.turnaround [--quick] [--records N] [--batch N] [--rounds N]
        [--encoder NAME] [--url URL --token TOKEN]

Everything is real: a Label Studio server (its own, or the one at ``--url``), the API and the
worker as processes, the embedded store. A batch is labelled through Label Studio's API; the
clock runs from the return of its last annotation until Label Studio lists the next batch's
tasks: webhook, retraining, selection from the pool and push. The records are embedded before
the clock starts, with the first batch; how long that took is ``first_batch_seconds``.

The last line is one JSON object: ``seconds`` is the median over the rounds, ``steps`` the median
seconds and ``share`` the share of each step, read from the jobs' own times: ``webhook`` until the
last answer is in our store, then the three jobs; ``waiting`` is what is left, mostly between jobs.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from sqlmodel import col, insert, select
from tqdm import tqdm

from backend.core.services import Services
from backend.demo.records import flat_row, generate
from backend.demo.source import SCHEMA_FILE
from backend.demo.truth import Truth
from backend.loop.job_names import NEXT_BATCH, PUSH, RETRAIN
from backend.models import Batch, Dataset, Job, Project, Record, Task
from backend.projects.schemas import LoopPolicy, ProjectCreate
from backend.projects.service import ProjectsService
from backend.records.content import content_hash
from backend.training.service import TrainingService
from benchmarks.processes import TOKEN, label_studio, running_backend
from labeling.label_schema import LabelSchema
from labeling.label_studio.annotations import Answer, build_result

SEED = 7
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 900.0
JOBS = {RETRAIN: "retrain", NEXT_BATCH: "select", PUSH: "push"}
STEPS = ("webhook", *JOBS.values())


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="2,000 records as characters")
    parser.add_argument("--records", type=int, help="size of the pool; 10,000 if not given")
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--rounds", type=int, help="rounds that are timed; 3 if not given")
    parser.add_argument("--encoder", help="auto if not given; characters with --quick")
    parser.add_argument("--url", help="a Label Studio that runs; one is started if not given")
    parser.add_argument("--token", help="its admin's API token")
    options = parser.parse_args()
    if bool(options.url) != bool(options.token):
        parser.error("give --url and --token together")
    records = options.records or (2_000 if options.quick else 10_000)
    rounds = options.rounds or (2 if options.quick else 3)
    encoder = options.encoder or ("characters" if options.quick else "auto")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="assay-benchmark-")))
        url, token = options.url, options.token
        if url is None:
            url, token = stack.enter_context(label_studio(folder)), TOKEN
        services = stack.enter_context(running_backend(folder, url, token, encoder))
        result = measure(services, records, options.batch, rounds)
    print(json.dumps({"benchmark": "turnaround", "encoder": encoder, **result}))


def measure(services: Services, records: int, batch: int, rounds: int) -> dict[str, Any]:
    """Everything that the last line tells."""
    truths = insert_records(services, records)
    project_id = create_project(services, batch)
    started = time.monotonic()
    await_tasks(services, project_id, batch, "first batch")
    first = time.monotonic() - started
    numbers = tqdm(range(1, rounds + 1), desc="batches", unit="batch")
    try:
        timed = [turn(services, project_id, number, batch, truths) for number in numbers]
    finally:
        services.label_studio.delete_project(label_studio_id(services, project_id))
    steps = {name: median(one[name] for one in timed) for name in (*STEPS, "waiting")}
    seconds = median(one["seconds"] for one in timed)
    return {
        "records": records,
        "batch": batch,
        "rounds": rounds,
        "seconds": round(seconds, 2),
        "seconds_by_round": [round(one["seconds"], 2) for one in timed],
        "steps": {name: round(value, 2) for name, value in steps.items()},
        "share": {name: round(value / sum(steps.values()), 3) for name, value in steps.items()},
        "first_batch_seconds": round(first, 1),
    }


def insert_records(services: Services, count: int) -> dict[str, Truth]:
    """Generated records are in the store; their truth by external id."""
    schema = LabelSchema.from_file(SCHEMA_FILE)
    now = services.clock()
    truths: dict[str, Truth] = {}
    with services.database.transaction() as session:
        dataset = Dataset(name="shop", kind="product", fields=list(schema.fields), created_at=now)
        session.add(dataset)
        session.flush()
        rows = []
        for record in generate(count, SEED):
            truths[record.record_id] = record.truth
            flat = flat_row(record)
            fields = {name: flat[name] for name in schema.fields}
            rows.append(
                {
                    "dataset_id": dataset.id,
                    "external_id": record.record_id,
                    "content_hash": content_hash(record.kind, fields),
                    "kind": record.kind,
                    "fields": fields,
                    "source": "generated",
                    "is_current": True,
                    "created_at": now,
                }
            )
        session.execute(insert(Record), rows)
    return truths


def create_project(services: Services, batch: int) -> int:
    """The project exists and its first batch is asked for."""
    schema = LabelSchema.from_file(SCHEMA_FILE)
    with services.database.transaction() as session:
        project = ProjectsService(session, services.clock).create(
            ProjectCreate(
                name=f"Turnaround {int(time.time() * 1000)}",
                dataset="shop",
                label_schema=schema.model_dump(mode="json"),
                policy=LoopPolicy(batch_size=batch, seed=SEED),
            ),
            actor="benchmark",
        )
        TrainingService(session, services.clock).request_batch(project, actor="benchmark")
        return project.id


def turn(
    services: Services, project_id: int, number: int, batch: int, truths: dict[str, Truth]
) -> dict[str, float]:
    """Label batch ``number``; seconds until the next one is listed, step by step."""
    rows = pushed_tasks(services, project_id, number)
    schema = LabelSchema.from_file(SCHEMA_FILE)
    for label_studio_task_id, record in rows:
        truth = truths[record.external_id]
        answer = Answer(
            grade=truth.grade,
            issues=tuple(issue for issue in truth.issues if issue in schema.issue_values),
            faulty_fields=truth.faulty_fields,
        )
        result = build_result(answer, record.fields, schema)
        services.label_studio.create_annotation(
            label_studio_task_id, {"result": result, "lead_time": 5.0}
        )
    answered = datetime.now(UTC)
    started = time.monotonic()
    await_tasks(services, project_id, (number + 1) * batch, f"batch {number + 1}")
    seconds = time.monotonic() - started
    return {"seconds": seconds, **steps_since(services, project_id, answered, seconds)}


def pushed_tasks(services: Services, project_id: int, number: int) -> Sequence[tuple[int, Record]]:
    """(Label Studio's id, record) of the batch's tasks, once our store knows these ids too."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with services.database.reading() as session:
            rows = session.exec(
                select(Task.label_studio_task_id, Record)
                .join(Record, col(Record.id) == col(Task.record_id))
                .join(Batch, col(Batch.id) == col(Task.batch_id))
                .where(
                    Task.project_id == project_id,
                    Batch.round == number,
                    col(Batch.pushed_at).is_not(None),
                )
                .order_by(col(Task.position))
            ).all()
        if rows:
            return [(task_id, record) for task_id, record in rows if task_id is not None]
        time.sleep(POLL_SECONDS)
    raise SystemExit(f"batch {number} was never marked as pushed")


def await_tasks(services: Services, project_id: int, count: int, what: str) -> None:
    """Returns when Label Studio lists so many tasks."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        known = label_studio_id(services, project_id)
        if known and services.label_studio.count_tasks(known) >= count:
            return
        fail_if_a_job_failed(services, project_id)
        time.sleep(POLL_SECONDS)
    raise SystemExit(f"{what} did not appear in Label Studio in {PATIENCE_SECONDS:.0f} s")


def label_studio_id(services: Services, project_id: int) -> int:
    """The project's id there; 0 before it exists."""
    with services.database.reading() as session:
        project = session.get(Project, project_id)
    return (project.label_studio_project_id or 0) if project else 0


def fail_if_a_job_failed(services: Services, project_id: int) -> None:
    """Ends the benchmark with the job's own words."""
    with services.database.reading() as session:
        failed = session.exec(
            select(Job).where(Job.project_id == project_id, Job.status == "failed")
        ).first()
    if failed is not None:
        raise SystemExit(f"job {failed.id} failed: {failed.error}")


def steps_since(
    services: Services, project_id: int, answered: datetime, seconds: float
) -> dict[str, float]:
    """Seconds of each step after the last answer, by the jobs' own times."""
    time.sleep(1.0)  # the push ends a moment after the tasks are listed
    with services.database.reading() as session:
        jobs = session.exec(
            select(Job)
            .where(Job.project_id == project_id, col(Job.finished_at) > answered)
            .order_by(col(Job.enqueued_at))
        ).all()
    spent = dict.fromkeys(STEPS, 0.0)
    for job in jobs:
        if job.name not in JOBS or job.started_at is None or job.finished_at is None:
            continue
        if job.name == RETRAIN:
            # It is asked for in the transaction that takes in the last answer.
            spent["webhook"] = max(0.0, (job.enqueued_at - answered).total_seconds())
        spent[JOBS[job.name]] += (job.finished_at - job.started_at).total_seconds()
    return {**spent, "waiting": max(0.0, seconds - sum(spent.values()))}


if __name__ == "__main__":
    main()
