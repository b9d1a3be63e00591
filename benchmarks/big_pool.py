"""A pool of 10,000, 100,000 and 1,000,000 records through import, jobs and store.

    python -m benchmarks.big_pool [--quick] [--records N ...] [--encoder NAME] [--batch N]

Records have ten fields. The steps are those of the product, each in a process of its own, as after
a restart of the worker: the file is imported; the ``first batch`` is chosen, for which everything
is computed; its records are answered with their truth, and ``retraining and all after it`` learns
from the answers, decides about machine labels, judges the labels and chooses the next batch, each
of these jobs timed by itself too; then a ``batch again``, with everything cached. Only the traffic
with Label Studio is left out; ``benchmarks.push_sync`` measures that.

``seconds`` is the wall clock of a step, ``cpu_seconds`` what its process computed, which says more
where others use the machine too, and ``peak_mb`` the highest resident memory of its process, the
interpreter with everything loaded included. The last line is one JSON object.
"""

import argparse
import csv
import json
import multiprocessing
import resource
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

SIZES = (10_000, 100_000, 1_000_000)
QUICK_SIZES = (10_000,)
SEED = 20_26
DATASET, ACTOR = "shop", "benchmark"
WORDS = (
    *("ceramic", "mug", "steel", "bottle", "cotton", "shirt", "kettle", "glass", "lamp", "wooden"),
    *("blue", "large", "toy", "garden", "陶瓷", "马克杯", "保温杯", "纯棉"),
)
COLUMNS = "sku title brand category department price list_price stock colour listed description"
STEPS = ("import", "first batch", "retraining and all after it", "batch again")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="10,000 only")
    parser.add_argument("--records", type=int, nargs="+", help="sizes; all three if not given")
    parser.add_argument("--encoder", default="characters")
    parser.add_argument("--batch", type=int, default=100)
    options = parser.parse_args()
    sizes = options.records or (QUICK_SIZES if options.quick else SIZES)
    found: dict[str, dict[str, Any]] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="assay-benchmark-") as temporary:
            folder = Path(temporary)
            write_rows(folder / "rows.csv", size)
            found[str(size)] = {}
            for step in STEPS:
                measured = measure(folder, step, options.encoder, options.batch)
                found[str(size)][step] = measured
                print(f"{size:>9,} {step:28} {measured}", flush=True)
    print(
        json.dumps(
            {
                "benchmark": "big_pool",
                "encoder": options.encoder,
                "batch": options.batch,
                **{
                    figure: {
                        size: {step: one[figure] for step, one in steps.items()}
                        for size, steps in found.items()
                    }
                    for figure in ("seconds", "peak_mb")
                },
                "steps": found,
            }
        )
    )


def write_rows(path: Path, count: int) -> None:
    """Ten fields a record; a third of them is damaged in a way that its grade tells."""
    random = Random(SEED)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS.split())
        for number in range(count):
            price = random.random() * 500
            damage = number % 3
            writer.writerow(
                [
                    f"SKU-{number:08d}",
                    " ".join(random.choices(WORDS, k=6)) + (" ## ??" if damage == 2 else ""),
                    f"brand {random.randrange(997)}",
                    f"category {number % 53}",
                    f"department {number % 53 % 9}",
                    "" if damage else f"{price:.2f}",
                    f"{price + 500 * random.random():.2f}",
                    random.randrange(1_000),
                    random.choice(WORDS),
                    f"2026-{1 + number % 12:02d}-{1 + number % 28:02d}",
                    " ".join(random.choices(WORDS, k=14)),
                ]
            )


def true_grade(external_id: str) -> str:
    """What an attentive person says of that record."""
    return ("good", "fair", "poor")[int(external_id.rpartition("-")[2]) % 3]


def measure(folder: Path, step: str, encoder: str, batch: int) -> dict[str, Any]:
    """Seconds and megabytes of the step in a fresh interpreter, and the seconds of its jobs."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=run_step, args=(folder, step, encoder, batch, sender))
    child.start()
    sender.close()
    try:
        measured: dict[str, Any] = receiver.recv()
    except EOFError:
        raise SystemExit(f"step {step!r} failed; see above") from None
    finally:
        child.join()
    return measured


def run_step(folder: Path, step: str, encoder: str, batch: int, result: Connection) -> None:
    """Does the step and sends what was measured."""
    from backend.core.migrations import upgrade
    from backend.core.services import Services
    from backend.core.settings import Settings

    settings = Settings(data_dir=folder / "assay", encoder=encoder)
    settings.data_dir.mkdir(exist_ok=True)
    if step == "import":
        upgrade(settings.store_url)
    services = Services.from_settings(settings)
    begun, busy = time.perf_counter(), time.process_time()
    if step == "import":
        import_rows(services, folder / "rows.csv", batch)
        jobs: dict[str, float] = {}
    else:
        jobs = run_jobs(services, step)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result.send(
        {
            "seconds": round(seconds, 1),
            "cpu_seconds": round(cpu, 1),
            "peak_mb": round(peak / 1024, 1),
            "jobs": jobs,
        }
    )
    services.database.dispose()


def import_rows(services: Any, path: Path, batch: int) -> None:
    """The records are in the store, and a project over them."""
    from backend.ingestion.schemas import ImportRequest
    from backend.ingestion.service import import_source
    from backend.projects.schemas import LoopPolicy, ProjectCreate
    from backend.projects.service import ProjectsService

    request = ImportRequest(dataset=DATASET, path=path, id_column="sku", kind="product")
    import_source(services.database, request, services.clock)
    with services.database.transaction() as session:
        ProjectsService(session, services.clock).create(
            ProjectCreate(
                name="Big pool",
                dataset=DATASET,
                policy=LoopPolicy(batch_size=batch, seed=SEED, accept_error=0.05),
            ),
            actor=ACTOR,
        )


def run_jobs(services: Any, step: str) -> dict[str, float]:
    """The step's jobs have run, with those that they asked for; seconds by job name."""
    from backend.jobs.inline import InlineRunner
    from backend.models import Project
    from backend.projects.service import ProjectsService
    from backend.training.service import TrainingService

    if step == "retraining and all after it":
        answer(services)
    else:
        with services.database.transaction() as session:
            project: Project = next(iter(ProjectsService(session, services.clock).list()))
            TrainingService(session, services.clock).request_batch(project, actor=ACTOR)
    spent: dict[str, float] = {}
    runner = InlineRunner(services.database, timed_registry(services, spent), services.clock)
    runner.run_pending(skip_waiting_time=True)
    with services.database.reading() as session:
        fail_if_a_job_failed(session)
    return spent


def timed_registry(services: Any, spent: dict[str, float]) -> Any:
    """The learning rooms' handlers, each with its seconds; pushing only marks the batch."""
    from backend.agreement import jobs as agreement
    from backend.features.store import FeatureStore
    from backend.jobs.registry import Registry
    from backend.label_studio import repository as label_studio
    from backend.loop import repository as loop_repository
    from backend.loop.job_names import PUSH
    from backend.machine_labels import jobs as machine_labels
    from backend.model_reports import jobs as model_reports
    from backend.record_index import jobs as record_index
    from backend.review import jobs as review
    from backend.scoring import jobs as scoring
    from backend.selection import jobs as selection
    from backend.suspected_labels import jobs as suspected_labels
    from backend.training import jobs as training

    def mark_pushed(context: Any, _args: dict[str, Any]) -> dict[str, Any]:
        with services.database.transaction() as session:
            for batch in loop_repository.batches_not_pushed(session, context.project_id):
                for task, _ in label_studio.due_tasks(session, batch.id):
                    task.label_studio_task_id = task.id
                    session.add(task)
                label_studio.mark_batch_pushed(session, batch.id, services.clock())
        return {}

    def timed(name: str, handler: Any) -> Any:
        def run(context: Any, args: dict[str, Any]) -> Any:
            begun = time.perf_counter()
            try:
                return handler(context, args)
            finally:
                spent[name] = round(spent.get(name, 0.0) + time.perf_counter() - begun, 1)

        return run

    features = FeatureStore(services)
    handlers = {PUSH: mark_pushed}
    for plain in (agreement, review, record_index):
        handlers |= plain.handlers(services)
    for room in (training, selection, machine_labels, suspected_labels, model_reports, scoring):
        handlers |= room.handlers(services, features)
    registry = Registry()
    registry.add_all({name: timed(name, handler) for name, handler in handlers.items()})
    return registry


def fail_if_a_job_failed(session: Any) -> None:
    """Ends the benchmark with the job's own words."""
    from sqlmodel import select

    from backend.models import Job

    failed = session.exec(select(Job).where(Job.status == "failed")).first()
    if failed is not None:
        raise SystemExit(f"job {failed.name} failed: {failed.error}")


def answer(services: Any) -> None:
    """Every open task has the true answer, and the loop was told."""
    from sqlmodel import col, select

    from backend.loop.service import LoopService
    from backend.models import Annotation, Annotator, Project, Record, Task

    now = services.clock()
    with services.database.transaction() as session:
        project = session.exec(select(Project)).one()
        person = session.exec(select(Annotator)).first()
        if person is None:
            person = Annotator(label_studio_user_id=1, created_at=now)
            session.add(person)
            session.flush()
        open_tasks = session.exec(
            select(Task, Record)
            .join(Record, col(Record.id) == col(Task.record_id))
            .where(col(Task.id).not_in(select(Annotation.task_id)))
        ).all()
        for task, record in open_tasks:
            grade = true_grade(record.external_id)
            session.add(
                Annotation(
                    project_id=project.id,
                    task_id=task.id,
                    annotator_id=person.id,
                    label_studio_annotation_id=task.id,
                    revision=1,
                    identity=f"answer-{task.id}",
                    grade=grade,
                    issues=[] if grade == "good" else ["missing_value"],
                    faulty_fields=[] if grade == "good" else ["price"],
                    annotated_at=now,
                    revised_at=now,
                    via="sync",
                    received_at=now,
                )
            )
    with services.database.transaction() as session:
        LoopService(session, services.clock).continue_loop(session.exec(select(Project)).one())


if __name__ == "__main__":
    main()
