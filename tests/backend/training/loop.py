"""A loop that turns without Label Studio: people answer straight into the store."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import col, select

from backend.agreement import jobs as agreement_jobs
from backend.core.services import Services
from backend.features.store import FeatureStore
from backend.jobs.context import JobContext
from backend.jobs.inline import InlineRunner
from backend.jobs.queue import list_recent
from backend.jobs.registry import Registry
from backend.label_studio import repository as label_studio_repository
from backend.loop import repository as loop_repository
from backend.loop.job_names import PUSH
from backend.loop.service import LoopService
from backend.machine_labels import jobs as machine_label_jobs
from backend.model_reports import jobs as model_report_jobs
from backend.models import (
    Annotation,
    Annotator,
    Batch,
    Dataset,
    Job,
    ModelVersion,
    Prediction,
    Project,
    Promotion,
    Record,
    Task,
)
from backend.projects.schemas import LoopPolicy, ProjectCreate
from backend.projects.service import ProjectsService
from backend.review import jobs as review_jobs
from backend.scoring import jobs as scoring_jobs
from backend.selection import jobs as selection_jobs
from backend.suspected_labels import jobs as suspected_label_jobs
from backend.training import jobs as training_jobs
from backend.training.service import TrainingService

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
FIELDS = ("title", "price")
ACTOR = "test"

GradeOf = Callable[[Task, Record], str]


class SetClock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, minutes: float = 10) -> None:
        self.now += timedelta(minutes=minutes)


def fields_of(number: int) -> dict[str, str]:
    """A sound record, one without a price, or one that is wrong all over."""
    match number % 3:
        case 0:
            return {"title": f"steel kettle {number}", "price": f"{10 + number % 20}.50"}
        case 1:
            return {"title": f"cotton shirt {number}", "price": ""}
        case _:
            return {"title": f"?? broken ## {number}", "price": "-1"}


def true_grade(_task: Task, record: Record) -> str:
    """What an attentive person says."""
    return ("good", "fair", "poor")[int(record.external_id) % 3]


def wrong_grade(task: Task, record: Record) -> str:
    """Never the truth."""
    return {"good": "poor", "fair": "good", "poor": "fair"}[true_grade(task, record)]


@dataclass
class Loop:
    """A project in a store, a runner for its jobs, and people who answer."""

    services: Services
    clock: SetClock
    runner: InlineRunner
    project_id: int

    def ask_for_batch(self) -> str:
        """The next batch is queued; its job id."""
        self.clock.advance()
        with self.services.database.transaction() as session:
            project = ProjectsService(session, self.clock).get(self.project_id)
            return TrainingService(session, self.clock).request_batch(project, actor=ACTOR)

    def ask_for_retraining(self) -> str:
        """A retraining is queued; its job id."""
        self.clock.advance()
        with self.services.database.transaction() as session:
            project = ProjectsService(session, self.clock).get(self.project_id)
            return TrainingService(session, self.clock).request_retraining(project, actor=ACTOR)

    def run(self) -> None:
        """Every job has run, also those that wait and those that jobs asked for."""
        self.runner.run_pending(skip_waiting_time=True)

    def answer(self, round_number: int, grade_of: GradeOf = true_grade, *, person: int = 1) -> None:
        """The person has answered every task of the round, and the loop was told."""
        self.clock.advance()
        with self.services.database.transaction() as session:
            annotator = session.exec(
                select(Annotator).where(Annotator.label_studio_user_id == person)
            ).one_or_none() or Annotator(label_studio_user_id=person, created_at=self.clock())
            session.add(annotator)
            session.flush()
            for task, record in self._tasks(session, round_number):
                session.add(self._revision(task, annotator.id, grade_of(task, record), 1, person))
        self.tell()

    def revise(self, round_number: int, grade_of: GradeOf, *, revision: int = 2) -> None:
        """Person 1 has changed the answers to the round's tasks; the loop was not told."""
        self.clock.advance()
        with self.services.database.transaction() as session:
            annotator = session.exec(select(Annotator)).first()
            assert annotator is not None
            for task, record in self._tasks(session, round_number):
                grade = grade_of(task, record)
                session.add(self._revision(task, annotator.id, grade, revision, 1))

    def tell(self) -> None:
        """The loop looks what is due."""
        with self.services.database.transaction() as session:
            project = ProjectsService(session, self.clock).get(self.project_id)
            LoopService(session, self.clock).continue_loop(project)

    def turn(self, round_number: int) -> None:
        """The round is answered and everything that follows from it has happened."""
        self.answer(round_number)
        self.run()

    @property
    def versions(self) -> list[ModelVersion]:
        """Model versions, oldest first."""
        return self._all(select(ModelVersion).order_by(col(ModelVersion.number)))

    @property
    def promotions(self) -> list[Promotion]:
        """Decisions, oldest first."""
        return self._all(select(Promotion).order_by(col(Promotion.id)))

    @property
    def batches(self) -> list[Batch]:
        """Batches by round."""
        return self._all(select(Batch).order_by(col(Batch.round)))

    def tasks(self, round_number: int) -> list[Task]:
        """The round's tasks in the order people see them."""
        return self._all(
            select(Task)
            .join(Batch, col(Batch.id) == col(Task.batch_id))
            .where(Batch.round == round_number)
            .order_by(col(Task.position))
        )

    @property
    def predictions(self) -> list[Prediction]:
        """All that is shown to people."""
        return self._all(select(Prediction).order_by(col(Prediction.id)))

    @property
    def failed(self) -> list[Job]:
        """Jobs that failed for good."""
        with self.services.database.reading() as session:
            return list_recent(session, statuses=["failed"])

    def job(self, job_id: str) -> Job:
        """The job as it is now."""
        with self.services.database.reading() as session:
            return session.exec(select(Job).where(Job.id == job_id)).one()

    def project(self) -> Project:
        """The project as it is now."""
        with self.services.database.reading() as session:
            return ProjectsService(session, self.clock).get(self.project_id)

    def _all(self, statement: Any) -> list[Any]:
        with self.services.database.reading() as session:
            return list(session.exec(statement))

    def _tasks(self, session: Any, round_number: int) -> list[tuple[Task, Record]]:
        rows = session.exec(
            select(Task, Record)
            .join(Record, col(Record.id) == col(Task.record_id))
            .join(Batch, col(Batch.id) == col(Task.batch_id))
            .where(Task.project_id == self.project_id, Batch.round == round_number)
        )
        return list(rows)

    def _revision(
        self, task: Task, annotator_id: int | None, grade: str, revision: int, person: int
    ) -> Annotation:
        return Annotation(
            project_id=self.project_id,
            task_id=task.id,
            annotator_id=annotator_id,
            label_studio_annotation_id=10_000 * person + task.id,
            revision=revision,
            identity=f"{self.clock().isoformat()}-{revision}",
            grade=grade,
            issues=[] if grade == "good" else ["missing_value"],
            faulty_fields=[] if grade == "good" else ["price"],
            annotated_at=self.clock(),
            revised_at=self.clock(),
            via="sync",
            received_at=self.clock(),
        )


def make_loop(services: Services, clock: SetClock, *, records: int, policy: LoopPolicy) -> Loop:
    """A project over that many records; no batch yet."""
    with services.database.transaction() as session:
        dataset = Dataset(name="shop", kind="product", fields=list(FIELDS), created_at=START)
        session.add(dataset)
        session.flush()
        session.add_all(
            Record(
                dataset_id=dataset.id,
                external_id=str(number),
                content_hash=f"{number:064x}",
                kind="product",
                fields=fields_of(number),
                source="test",
                created_at=START,
            )
            for number in range(records)
        )
        project = ProjectsService(session, clock).create(
            ProjectCreate(name="Shop", dataset="shop", policy=policy), actor=ACTOR
        )
    return loop_over(services, clock, project.id)


def loop_over(services: Services, clock: SetClock, project_id: int) -> Loop:
    """That project of a store, with a runner of its jobs."""
    registry = Registry()
    features = FeatureStore(services)
    for room in (
        training_jobs,
        selection_jobs,
        machine_label_jobs,
        suspected_label_jobs,
        model_report_jobs,
        scoring_jobs,
    ):
        registry.add_all(room.handlers(services, features))
    registry.add_all(agreement_jobs.handlers(services))
    registry.add_all(review_jobs.handlers(services))

    def mark_pushed(context: JobContext, _args: dict[str, Any]) -> dict[str, Any]:
        """In place of the traffic with Label Studio, which has tests of its own."""
        assert context.project_id is not None
        with services.database.transaction() as session:
            for batch in loop_repository.batches_not_pushed(session, context.project_id):
                ids = [task.id for task, _ in label_studio_repository.due_tasks(session, batch.id)]
                label_studio_repository.set_label_studio_ids(
                    session, {i: 1_000 + i for i in ids if i}
                )
                label_studio_repository.mark_batch_pushed(session, batch.id, clock())
        return {}

    registry.add(PUSH, mark_pushed)
    runner = InlineRunner(services.database, registry, clock)
    return Loop(services, clock, runner, project_id)
