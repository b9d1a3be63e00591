"""One history for each kind of fault of what stands behind the facts.

Promises, locks, workers, outcomes, addresses and memory are told by nobody on a page, and make
all that is told there wrong or late.
"""

import sqlite3
from typing import Any, NamedTuple

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from active_learning.types import never, silent
from backend.access.service import AccessService
from backend.app import create_app
from backend.core.database import Database
from backend.features.encoder_choice import EncoderChoice
from backend.features.store import ENCODER_BYTES
from backend.jobs import execution
from backend.jobs.context import JobContext
from backend.jobs.execution import Outcome, claim, execute, record
from backend.jobs.queue import enqueue
from backend.jobs.registry import Handler, Registry
from backend.jobs.repository import JobRepository, Names
from backend.machine_labels.acceptance import accept
from backend.models import Acceptance, Job, Task, WebhookEvent
from backend.records.schemas import DatasetCreate
from backend.records.service import RecordsService
from backend.registry.service import RegistryService
from backend.review import refreshing
from backend.training.retraining import retrain
from tests.same_answers.test_numbers import refresh, teach
from tests.same_answers.world import FIELDS, PoolStore, World

PASSWORD = "correct horse battery"
SURROGATE = "\ud800"
ONLY = Names(frozenset({"test.attempt"}), is_all_but=False)


class Attempt(NamedTuple):
    """What one attempt of one job came to, and what the store then says of the job."""

    outcome: Outcome
    job: Job
    is_kept: bool


def attempt(world: World, handler: Handler) -> Attempt:
    """A worker claims a job, runs it, and writes down what came of it."""
    registry, clock = Registry(), world.services.clock
    registry.add("test.attempt", handler)
    with world.database.transaction() as session:
        job_id = enqueue(session, "test.attempt", project_id=world.project_id, now=clock())
    (job,) = claim(world.database, clock, ONLY, "first", 1)
    with pytest.MonkeyPatch.context() as patch:
        # What is logged goes into pytest's own reports, which cannot carry a lone surrogate.
        patch.setattr(execution.logger, "disabled", True)
        outcome, is_kept = execute(world.database, clock, registry, job), True
    try:
        record(world.database, clock, job.id, outcome)
    except Exception:  # whatever the database's driver raises
        is_kept = False
    with world.database.reading() as session:
        return Attempt(outcome, session.get_one(Job, job_id), is_kept)


def test_a_promise_counts_every_audit_and_every_version_that_could_be_champion(
    world: World,
) -> None:
    world.set_policy(accept_error=0.2, accept_delta=0.2)
    for first, last in ((0, 10), (10, 20)):
        teach(world, first, last, is_audited=True)
        teach(world, last + 100, last + 110)
        assert world.retrain()["trained"]
    tied = ["new and tied", "old and tied"]
    world.bring_labels(
        {name: [("ada@example.org", "good"), ("bo@example.org", "poor")] for name in tied}
    )
    world.audit(tied)
    refresh(world)
    job = Job(id="accept", name="x", project_id=world.project_id)
    context = JobContext(world.database, world.services.clock, job)
    accept(world.services, world.features, context, world.project_id, is_asked=True)
    with world.database.reading() as session:
        evidence = session.exec(select(Acceptance)).one().evidence
        versions = RegistryService(session, world.services.clock).list_versions(world.project_id)
        audits = session.exec(select(Task).where(Task.is_audit)).all()
    answered = sum(task.label_studio_task_id is None for task in audits)
    assert evidence["unlabelled_audits"] == len(tied), "audits without a label count as errors"
    assert evidence["audits"] == answered, "every audit that was answered for"
    assert len(versions) == 2
    assert evidence["spent"] == pytest.approx(0.2 / 2 / len(versions)), "a part for each version"


def test_an_answer_can_be_stored_while_the_desk_computes(world: World) -> None:
    computed, came_in = refreshing.labels_of, []

    def computing(*args: Any, **named: Any) -> Any:
        found = computed(*args, **named)
        came_in.append(can_store(world))
        return found

    world.label_studio.say(world.task_of("kettle"), 1, "good")
    world.sync(is_full=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refreshing, "labels_of", computing)
        refreshing.refresh_desk(world.services, world.project_id)
    assert came_in, "something was computed"
    assert all(came_in), "nobody waits to write while labels are computed"


def can_store(world: World) -> bool:
    """True if another process can write now, without waiting."""
    other = Database(world.database.url.render_as_string(hide_password=False))
    if not other.is_sqlite:  # a row that is inserted waits for nobody there
        with other.transaction() as session:
            session.add(
                WebhookEvent(body="{}", status="ignored", received_at=world.services.clock())
            )
        return True
    connection = sqlite3.connect(str(other.url.database), timeout=0.0)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()
    return True


def test_a_training_that_was_taken_over_publishes_nothing(world: World) -> None:
    teach(world, 0, 12)

    def overtaken(context: JobContext, _args: dict[str, Any]) -> Any:
        other = Database(world.database.url.render_as_string(hide_password=False))
        with other.transaction() as session:
            JobRepository(session).requeue(context.job_id, context.attempt, crashed=True)
        other.dispose()
        return retrain(world.services, world.features, context, world.project_id)

    found = attempt(world, overtaken)
    with world.database.reading() as session:
        versions = RegistryService(session, world.services.clock).list_versions(world.project_id)
    assert versions == [], "who was overtaken publishes nothing"
    assert found.outcome.status == "queued", "interrupted, not failed"


def test_whatever_a_job_says_at_its_end_is_kept(world: World) -> None:
    def odd(_context: JobContext, _args: dict[str, Any]) -> None:
        raise ValueError(f"the file is called {SURROGATE}")

    found = attempt(world, odd)
    assert found.is_kept, "a job whose outcome no store keeps would run for ever"
    assert (found.job.status, found.job.attempt) == ("failed", 1)


def test_behind_a_proxy_everybody_has_an_address_of_their_own(world: World) -> None:
    with world.database.transaction() as session:
        access = AccessService(session, world.services.clock)
        access.create_user("ana@example.org", "viewer", PASSWORD, actor="test")
    world.services.settings.trusted_proxies = ("10.0.0.9",)
    behind = TestClient(
        create_app(world.services), client=("10.0.0.9", 5000), follow_redirects=False
    )

    def log_in(address: str, email: str, password: str) -> int:
        return behind.post(
            "/login",
            data={"email": email, "password": password},
            headers={"X-Forwarded-For": address},
        ).status_code

    statuses = {log_in("203.0.113.7", f"{number}@example.org", "guess") for number in range(60)}
    assert 429 in statuses, "who guesses is held up"
    ana = log_in("203.0.113.8", "ana@example.org", PASSWORD)
    assert ana == 303, "another's guesses lock nobody out"


def test_two_projects_do_not_take_each_other_s_features(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[int] = []
    build = PoolStore._build

    def counted(self: PoolStore, folder: Any, dataset_id: int, *others: Any) -> Any:
        built.append(dataset_id)
        return build(self, folder, dataset_id, *others)

    monkeypatch.setattr(PoolStore, "_build", counted)
    with world.database.transaction() as session:
        second = RecordsService(session, world.services.clock).create_dataset(
            DatasetCreate(name="second", kind="product", fields=FIELDS), actor="test"
        )
        RecordsService(session, world.services.clock).upsert(second.id, [world.record("hat", 0)])
    world.features = PoolStore(world.services)
    for _ in range(3):
        for dataset_id in (world.dataset_id, second.id):
            world.features.pool(dataset_id, FIELDS, silent, never)
    assert sorted(built) == sorted([world.dataset_id, second.id]), "each pool is made once"


class HeavyEncoder:
    """Takes more than half of the memory that encoders may take."""

    dimension = 2
    weight_bytes = ENCODER_BYTES // 2 + 1

    def __init__(self, revision: str) -> None:
        self.revision = revision


def test_fine_tuned_encoders_are_forgotten_when_memory_is_full(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(_store: PoolStore, choice: EncoderChoice) -> HeavyEncoder:
        loaded.append(choice.folder or "")
        return HeavyEncoder(choice.folder or "")

    monkeypatch.setattr(PoolStore, "_load", load)
    for folder in ("tuned-1", "tuned-2", "tuned-2", "tuned-1"):
        world.features.encoder(EncoderChoice("auto", folder))
    assert loaded == ["tuned-1", "tuned-2", "tuned-1"], "the memory of encoders is bounded"
