"""The application's services over a real store, with people, Label Studio and a worker to play."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import SecretStr
from sqlmodel import Session, col, select

from active_learning.encoders.base import Encoder
from active_learning.types import Embeddings, Progress, ShouldStop, never, silent
from backend.annotations.jobs import handlers as annotation_handlers
from backend.annotations.service import AnnotationsService
from backend.core.database import Database
from backend.core.exceptions import AppError
from backend.core.services import Services
from backend.core.settings import Settings
from backend.features.encoder_choice import EncoderChoice
from backend.features.snapshot import TrainingSnapshot, take_snapshot
from backend.features.store import FeatureStore
from backend.jobs.context import JobContext
from backend.label_exchange.destination import LabelImport
from backend.label_exchange.label_import import import_labels
from backend.label_studio.connection import project_marker
from backend.label_studio.push import push_batches
from backend.label_studio.sync import sync_project
from backend.loop import repository
from backend.loop.job_names import APPLY_EVENTS, ASK, NEXT_BATCH, PUSH, RETRAIN, REVIEW, SYNC
from backend.loop.service import LEARNT, LoopService
from backend.model_reports.measuring import measure_versions
from backend.model_reports.service import MEASURE
from backend.models import (
    Decision,
    Job,
    ModelVersion,
    Prediction,
    Project,
    Record,
    ReviewCase,
    Task,
)
from backend.projects.schemas import LoopPolicy, ProjectCreate
from backend.projects.service import ProjectsService, label_schema_of
from backend.records.schemas import DatasetCreate, RecordCreate
from backend.records.service import RecordsService
from backend.registry.service import RegistryService
from backend.review.asking import ask_label_studio
from backend.review.decisions import Decisions
from backend.review.refreshing import is_desk_behind, refresh_desk
from backend.review.schemas import DecisionRequest
from backend.selection import repository as selection_repository
from backend.suspected_labels import repository as findings_repository
from backend.training.retraining import retrain
from labeling.label_schema import LabelSchema
from labeling.label_studio.label_config import build_label_config
from tests.same_answers.label_studio import PROJECT, LabelStudioInMemory

FIELDS = ["title", "price"]
UNSHOWN = "answer"
"""A column of the dataset that the label schema does not have: nobody is shown it."""
GRADES = ("good", "fair", "poor")
CONTENTS = {"kettle": 0, "shirt": 0, "lamp": 0}
BATCH = 3
MOST_JOBS = 60
"""More for one step would be a loop that never rests."""


class TinyEncoder:
    """Tells what is new from what is not; names of even and of odd length turn it round."""

    dimension = 2

    def __init__(self, revision: str) -> None:
        self.revision = revision

    def encode(
        self, texts: Sequence[str], progress: Progress = silent, should_stop: ShouldStop = never
    ) -> Embeddings:
        progress(1.0, "")
        assert not should_stop()
        is_even = len(self.revision) % 2 == 0
        sides = [("new" in text) == is_even for text in texts]
        return np.array([[side, not side] for side in sides], np.float32).reshape(len(texts), 2)


class PoolStore(FeatureStore):
    """The real feature store with an encoder that costs nothing."""

    revision = "first"

    @property
    def own(self) -> EncoderChoice:
        return EncoderChoice(self.revision)

    def _load(self, choice: EncoderChoice) -> Encoder:
        return TinyEncoder(choice.name)


class World:
    """One project with everybody who works on it; a worker runs what the application queues."""

    def __init__(self, url: str, folder: Path) -> None:
        self.database = Database(url)
        settings = Settings(
            data_dir=folder,
            sync_overlap_seconds=1,
            webhook_secret=SecretStr("a webhook secret for the tests"),
            label_studio_url="http://label-studio.example",
        )
        self.services = Services(settings=settings, database=self.database)
        self.folder = folder
        self.features = PoolStore(self.services)
        self.late: list[bytes] = []
        self.meanwhile: list[Callable[[], None]] = []
        """Happens while the next refresh of the desk runs."""
        self.current_when_decided: dict[int, dict[str, int]] = {}
        """Decision to what was current then."""
        self._annotation = count(1000)
        with self.database.transaction() as session:
            created = LabelStudioInMemory("", "")
            RecordsService(session, created.tick).create_dataset(
                DatasetCreate(name="shop", kind="product", fields=[UNSHOWN, *FIELDS]),
                actor="test",
            )
            project = ProjectsService(session, created.tick).create(
                ProjectCreate(
                    name="Shop",
                    dataset="shop",
                    label_schema=LabelSchema.default(FIELDS).model_dump(mode="json"),
                    policy=LoopPolicy(batch_size=BATCH, refill_at=0, explanation_share=0.0),
                ),
                actor="test",
            )
            project.label_studio_project_id = PROJECT
            session.add(project)
        self.project_id = project.id
        self.dataset_id = project.dataset_id
        config = build_label_config(label_schema_of(project), evidence=False)
        self.label_studio = LabelStudioInMemory(project_marker(project), config)
        self.services.__dict__["label_studio"] = self.label_studio
        self.services.clock = self.label_studio.tick

    def project(self) -> Project:
        with self.database.reading() as session:
            return ProjectsService(session, self.services.clock).get(self.project_id)

    # What people and machines do.

    def bring(self, contents: Mapping[str, int]) -> None:
        """An import: each record has that version of its content."""
        rows = [self.record(name, version) for name, version in sorted(contents.items())]
        with self.database.transaction() as session:
            RecordsService(session, self.services.clock).upsert(self.dataset_id, rows)

    def record(self, name: str, version: int) -> RecordCreate:
        return RecordCreate(
            external_id=name,
            kind="product",
            fields={
                UNSHOWN: f"as {name} was sold",
                "title": f"{name} number {version}",
                "price": version,
            },
            source="test",
        )

    def bring_labels(
        self, said: Mapping[str, Sequence[tuple[str | None, str]]], version: int = 0
    ) -> None:
        """Labels of another Label Studio: record to (e-mail address or nobody, grade) of each."""
        moment = self.label_studio.tick().isoformat()
        choice = {"from_name": "grade", "to_name": "record", "type": "choices"}
        tasks = [
            {
                "id": number,
                "data": {"record_id": name, **self.record(name, version).fields},
                "annotations": [
                    {
                        "id": next(self._annotation),
                        "completed_by": {"email": person} if person else None,
                        "created_at": moment,
                        "updated_at": moment,
                        "result": [{**choice, "value": {"choices": [grade]}}],
                    }
                    for person, grade in answers
                ],
            }
            for number, (name, answers) in enumerate(said.items(), start=1)
        ]
        path = self.folder / f"labels-{next(self._annotation)}.json"
        path.write_text(json.dumps(tasks))
        report = import_labels(self.services, LabelImport(path=path, project="Shop"), actor="test")
        assert report.rejects == []

    def audit(self, names: Collection[str]) -> None:
        """These records are of the audit sample."""
        with self.database.transaction() as session:
            records = select(Record.id).where(col(Record.external_id).in_(names))
            for task in session.exec(select(Task).where(col(Task.record_id).in_(records))):
                task.is_audit = True
                session.add(task)

    def tell(self, action: str, annotation: Mapping[str, Any], how: str) -> None:
        """Label Studio's webhook: once, twice, later or never."""
        body = json.dumps(
            {"action": action, "project": {"id": PROJECT}, "annotation": dict(annotation)}
        ).encode()
        if how == "late":
            self.late.append(body)
        for _ in range({"once": 1, "twice": 2}.get(how, 0)):
            self.receive(body)

    def receive(self, body: bytes) -> None:
        with self.database.transaction() as session:
            AnnotationsService(session, self.services.clock).receive(body)

    def sync(self, *, is_full: bool) -> None:
        sync_project(self.services, self.project_id, is_full=is_full)

    def decide(self, place: int, action: Any, grade: str) -> None:
        """Something is decided about one of the cases, if it can be."""
        with self.database.reading() as session:
            cases = session.exec(select(ReviewCase).order_by(col(ReviewCase.id))).all()
        if not cases:
            return
        case, current = cases[place % len(cases)], self.current()
        request = DecisionRequest(
            version=case.version,
            action=action,
            grade=grade if action == "decide" else None,
            soft_label={"good": 0.5, "poor": 0.5} if action == "ambiguous" else None,
            reason="seen",
        )
        try:
            with self.database.transaction() as session:
                project = ProjectsService(session, self.services.clock).get(self.project_id)
                Decisions(session, self.services.clock).decide(
                    project, case.id, request, author="lea@example.org"
                )
                made = session.exec(select(Decision).order_by(col(Decision.id).desc())).first()
                assert made is not None
                self.current_when_decided[made.id] = current
        except AppError:
            return  # not of this case, as it is now

    def set_policy(self, **changes: Any) -> None:
        with self.database.transaction() as session:
            ProjectsService(session, self.services.clock).set_policy(
                self.project_id, changes, actor="test"
            )

    def task_of(self, name: str) -> int:
        """Label Studio's id of the record's newest task."""
        with self.database.reading() as session:
            found = session.exec(
                select(Task.label_studio_task_id)
                .join(Record, col(Record.id) == col(Task.record_id))
                .where(Record.external_id == name, col(Task.label_studio_task_id).is_not(None))
                .order_by(col(Task.id).desc())
            ).first()
        assert found is not None
        return found

    def answer(self, name: str, person: int | None, grade: str | None) -> None:
        """Somebody answers for the record, and the webhook says so."""
        made = self.label_studio.say(self.task_of(name), person, grade)
        self.tell("ANNOTATION_CREATED", made, "once")

    def answer_all(self, person: int | None = 1, grade: str = "good") -> None:
        """Somebody answers every task, and the desk knows."""
        for task_id in sorted(self.label_studio.tasks):
            made = self.label_studio.say(task_id, person, grade)
            self.tell("ANNOTATION_CREATED", made, "once")
        self.work()

    def foresee(self, opinions: Mapping[str, Mapping[str, float]]) -> None:
        """The newest model version said that of these records before anybody had answered."""
        with self.database.transaction() as session:
            version = self._newest_version(session)
            rows = session.exec(
                select(Task, Record.external_id)
                .join(Record, col(Record.id) == col(Task.record_id))
                .where(col(Record.external_id).in_(opinions), col(Task.original_id).is_(None))
            ).all()
            session.add_all(
                _prediction(task.id, version, opinions[name], self.label_studio.now)
                for task, name in rows
            )

    def assess(self, suspicion: float) -> None:
        """The newest model version thinks that every label is so likely wrong."""
        learnt = self.snapshot()
        with self.database.transaction() as session:
            version = self._newest_version(session)
            rows = [
                {
                    "project_id": self.project_id,
                    "model_version_id": version.id,
                    "task_id": label.task_id,
                    "grade": label.grade,
                    "suggested": GRADES[0],
                    "grade_probabilities": {
                        each: 1 - suspicion if each == label.grade else suspicion / 2
                        for each in GRADES
                    },
                    "suspicion": suspicion,
                    "is_suspect": suspicion > 0.5,
                    "value": 0.0,
                    "value_group": "harmful",
                    "relabel_score": suspicion,
                    "reason": "",
                }
                for label in (*learnt.training, *learnt.audit)
            ]
            findings_repository.put(session, version.id, rows)
            findings_repository.keep_assessment(session, version, {"suspicion": suspicion})

    def has_versions(self) -> bool:
        with self.database.reading() as session:
            return session.exec(select(ModelVersion)).first() is not None

    def _newest_version(self, session: Session) -> ModelVersion:
        return session.exec(
            select(ModelVersion).order_by(col(ModelVersion.number).desc()).limit(1)
        ).one()

    # The worker.

    def look(self) -> None:
        """What the periodic sync asks: is anything due?"""
        with self.database.transaction() as session:
            project = ProjectsService(session, self.services.clock).get(self.project_id)
            LoopService(session, self.services.clock).continue_loop(project)

    def request_batch(self) -> None:
        with self.database.transaction() as session:
            project = ProjectsService(session, self.services.clock).get(self.project_id)
            loop = LoopService(session, self.services.clock)
            loop.request_batch(project, loop.progress(project).last_round + 1)

    def tick(self) -> None:
        """What the worker's clock asks: is the desk behind?"""
        if is_desk_behind(self.services, self.project_id):
            with self.database.transaction() as session:
                project = ProjectsService(session, self.services.clock).get(self.project_id)
                LoopService(session, self.services.clock).request_review(project)

    def work(self, names: Sequence[str] = (APPLY_EVENTS, REVIEW, SYNC, ASK)) -> None:
        """Queued jobs of these names have run, and what they asked for."""
        for _ in range(MOST_JOBS):
            with self.database.reading() as session:
                job = session.exec(
                    select(Job)
                    .where(Job.status == "queued", col(Job.name).in_(names))
                    .order_by(col(Job.enqueued_at), col(Job.id))
                ).first()
            if job is None:
                return
            with self.database.transaction() as session:
                row = session.get_one(Job, job.id)
                row.status = "running"
                session.add(row)
            self._run(job)
            while self.meanwhile and job.name == REVIEW:
                self.meanwhile.pop()()
            with self.database.transaction() as session:
                row = session.get_one(Job, job.id)
                row.status = "done"
                session.add(row)
        raise AssertionError("the loop never rests")

    def settle(self) -> None:
        """Everything that is due has happened."""
        self.look()
        self.work((APPLY_EVENTS, REVIEW, SYNC, ASK, PUSH, NEXT_BATCH, RETRAIN))

    def _run(self, job: Job) -> None:
        match job.name:
            case "labeling.apply_events":
                context = JobContext(self.database, self.services.clock, job)
                annotation_handlers(self.services)[APPLY_EVENTS](context, {})
            case "review.refresh":
                refresh_desk(self.services, self.project_id, is_full=bool(job.args.get("is_full")))
                with self.database.transaction() as session:
                    project = ProjectsService(session, self.services.clock).get(self.project_id)
                    LoopService(session, self.services.clock).continue_loop(project)
            case "labeling.sync":
                self.sync(is_full=bool(job.args.get("is_full")))
            case "review.ask":
                ask_label_studio(self.services, self.project_id, lambda _share, _text: None)
            case "labeling.push":
                push_batches(self.services, self.project_id)
                self.look()
            case "training.next_batch":
                self._choose(int(job.args["round"]))
                self.look()
            case "training.retrain":
                self._learn()

    def pool(self) -> list[int]:
        found = self.features.pool(
            self.dataset_id, FIELDS, lambda _share, _text: None, lambda: False
        )
        return found.record_ids

    def _choose(self, round_number: int) -> None:
        pool, now = self.pool(), self.services.clock()
        with self.database.transaction() as session:
            taken = set(
                session.exec(select(Task.record_id).where(Task.project_id == self.project_id))
            )
            known = selection_repository.find_batch(session, self.project_id, round_number)
            chosen = [record_id for record_id in pool if record_id not in taken][:BATCH]
            version = repository.latest_model_version(session, self.project_id)
            if known is not None or not chosen:
                return
            batch = selection_repository.add_batch(
                session,
                project_id=self.project_id,
                round_number=round_number,
                strategy="cold_start",
                model_version_id=None,
                seed=0,
                now=now,
            )
            rows = [
                {
                    "project_id": self.project_id,
                    "record_id": record_id,
                    "batch_id": batch.id,
                    "key": f"key-{record_id}",
                    "position": place,
                    "is_audit": place == 0,
                    "reason": "",
                }
                for place, record_id in enumerate(chosen)
            ]
            selection_repository.add_tasks(session, rows)
            if version is None:
                return
            tasks = session.exec(select(Task).where(Task.batch_id == batch.id)).all()
            session.add_all(
                _prediction(task.id, version, _opinion(task.record_id), now) for task in tasks
            )

    def _learn(self) -> None:
        """A retraining, as far as it touches the store: any number of labels teaches something."""
        snapshot = self.snapshot()
        with self.database.transaction() as session:
            registry = RegistryService(session, self.services.clock)
            if registry.find_by_fingerprint(self.project_id, snapshot.fingerprint) is None:
                registry.register(
                    self.project_id,
                    fingerprint=snapshot.fingerprint,
                    artifact="none",
                    encoder=self.features.revision,
                    training_labels=len(snapshot.training),
                    audit_labels=len(snapshot.audit),
                    metrics=learnt_metrics(snapshot),
                )
            project = ProjectsService(session, self.services.clock).get(self.project_id)
            LoopService(session, self.services.clock).continue_loop(project, is_retrained=True)

    def retrain(self) -> dict[str, Any]:
        """A retraining as the product does it: a classifier, and the gate."""
        job = Job(
            id=f"training-{next(self._annotation)}",
            name=RETRAIN,
            project_id=self.project_id,
            enqueued_at=self.services.clock(),
        )
        context = JobContext(self.database, self.services.clock, job)
        return retrain(self.services, self.features, context, self.project_id)

    def measure(self) -> dict[str, Any]:
        """All model versions are measured, as the job does it."""
        job = Job(
            id=f"measuring-{next(self._annotation)}",
            name=MEASURE,
            project_id=self.project_id,
            enqueued_at=self.services.clock(),
        )
        context = JobContext(self.database, self.services.clock, job)
        return measure_versions(self.services, self.features, context, self.project_id)

    def has_learnt(self, fingerprint: str) -> bool:
        """True if a model version knows exactly these labels."""
        with self.database.reading() as session:
            registry = RegistryService(session, self.services.clock)
            return registry.find_by_fingerprint(self.project_id, fingerprint) is not None

    def snapshot(self) -> TrainingSnapshot:
        return take_snapshot(self.services, self.project())

    def current(self) -> dict[str, int]:
        """Record to the id of its current version, as the store has it."""
        with self.database.reading() as session:
            rows = session.exec(select(Record).where(col(Record.is_current)))
            return {row.external_id: row.id for row in rows}

    def close(self) -> None:
        self.database.dispose()


def learnt_metrics(snapshot: TrainingSnapshot) -> dict[str, Any]:
    """What a model version keeps of its snapshot."""
    return {"complete_tasks": snapshot.complete_tasks, LEARNT: asdict(snapshot.learnt)}


@contextmanager
def with_tasks(url: str, folder: Path) -> Iterator[World]:
    """A world of three records, each pushed and waiting for one answer."""
    made = World(url, folder)
    made.bring(CONTENTS)
    made.request_batch()
    made.settle()
    try:
        yield made
    finally:
        made.close()


def _opinion(record_id: int) -> dict[str, float]:
    """What a classifier says that knows nothing."""
    return {grade: 0.8 if place == record_id % 3 else 0.1 for place, grade in enumerate(GRADES)}


def _prediction(
    task_id: int, version: ModelVersion, shares: Mapping[str, float], now: datetime
) -> Prediction:
    grade = max(shares, key=lambda each: shares[each])
    return Prediction(
        task_id=task_id,
        model_version_id=version.id,
        grade=grade,
        score=shares[grade],
        grade_probabilities=dict(shares),
        issue_probabilities={},
        field_probabilities={},
        created_at=now,
    )
