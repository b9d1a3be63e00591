"""What happens is told in the transaction in which it happens, once, to who wants to know."""

from datetime import timedelta
from typing import Any

from sqlmodel import Session, select

from backend.core.services import Services
from backend.core.settings import Settings
from backend.jobs import queue
from backend.jobs.execution import MAX_CRASHES
from backend.jobs.registry import Registry
from backend.loop.service import after_intake, continue_loop
from backend.models import Batch, Job, Notice, NoticeAddress
from backend.notices.schemas import DELIVER, NOTICE_KINDS
from backend.registry.service import RegistryService
from backend.removal.service import Removals
from backend.words import in_both
from tests.backend.annotations.conftest import NOW, TASKS, Seeded, seeded
from tests.backend.label_exchange.conftest import decide, task_ids
from tests.backend.loop.store import Store
from tests.backend.notices.conftest import Post
from tests.backend.review.conftest import Desk, desk, new_desk, services
from tests.fixtures.model_version import model_version

__all__ = ["desk", "new_desk", "seeded", "services"]

NOWHERE = "http://127.0.0.1:9/"


def listen(session: Session, **parts: object) -> NoticeAddress:
    """A receiver of everything that nobody sends to."""
    values = {"name": "n", "url": NOWHERE, "secret": "s", "kinds": list(NOTICE_KINDS)}
    row = NoticeAddress.model_validate({**values, "created_by": "lea", "created_at": NOW, **parts})
    session.add(row)
    session.flush()
    return row


def told(session: Session) -> list[Notice]:
    return list(session.exec(select(Notice).order_by(Notice.created_at, Notice.id)))


def test_a_job_that_fails_is_told_with_its_outcome(post: Post) -> None:
    post.register(NOWHERE, kinds=["job.failed"])
    with post.services.database.transaction() as session:
        args = {"request": {"dataset": "shop", "path": "/nowhere.csv"}}
        job_id = queue.enqueue(session, "ingestion.import", args=args, now=post.clock())
    post.runner.run_pending()
    (notice,) = post.notices()
    assert (notice.kind, notice.body["data"]["job_id"]) == ("job.failed", job_id)
    assert "nowhere.csv" in notice.body["text"]
    assert notice.body["text"].startswith("Job 'Import records' failed: ")
    post.runner.run_pending()
    assert len(post.notices()) == 1


def test_a_job_that_took_its_workers_down_is_told_too(post: Post) -> None:
    post.register(NOWHERE, kinds=["job.failed"], project_id=post.project_id)
    with post.services.database.transaction() as session:
        session.add(
            Job(
                id="j",
                name="training.retrain",
                project_id=post.project_id,
                args={},
                crashes=MAX_CRASHES + 1,
                enqueued_at=post.clock(),
            )
        )
    post.runner.run_pending()
    (notice,) = post.notices()
    assert "out of memory" in notice.body["text"]
    assert notice.body["project"] == {"id": post.project_id, "name": "Shop"}


def test_the_failure_of_a_delivery_is_not_told(post: Post) -> None:
    post.register(NOWHERE)

    def fail(*_: Any) -> None:
        raise RuntimeError("broken")

    with post.services.database.transaction() as session:
        queue.enqueue(session, DELIVER, now=post.clock())
    registry = Registry(on_failure=post.runner.registry.on_failure)
    registry.add(DELIVER, fail)
    type(post.runner)(post.services.database, registry, post.clock).run_pending()
    assert post.notices() == []


def test_a_gate_that_decides_is_told_and_what_is_rolled_back_is_not(post: Post) -> None:
    post.register(NOWHERE)

    def decide_on(session: Session, number: int, *, promote: bool) -> None:
        version = model_version(post.project_id, number)
        session.add(version)
        session.flush()
        reason = in_both("It is better.", "更好。")
        RegistryService(session, post.clock).decide(
            version, promote=promote, reason=reason, evidence={}, decided_by="gate"
        )

    for number, promote in ((1, True), (2, False)):
        with post.services.database.transaction() as session:
            decide_on(session, number, promote=promote)
        post.clock.advance(1)
    with post.services.database.transaction() as session:
        decide_on(session, 3, promote=True)
        session.rollback()
    kept, promoted = post.notices()
    assert promoted.body["data"] == {
        "decision": "promoted",
        "challenger": 1,
        "champion": 1,
        "reason": "It is better.",
    }
    assert (kept.body["data"]["decision"], kept.body["data"]["champion"]) == ("kept", 1)
    with post.services.database.reading() as session:
        assert len(queue.list_recent(session, name=DELIVER)) == 1, "one job takes both"


def test_only_who_wants_to_know_is_told(post: Post) -> None:
    for parts in ({"kinds": ["job.failed"]}, {"project_id": post.project_id}):
        post.register(NOWHERE, **parts)
    with post.services.database.transaction() as session:
        session.get_one(NoticeAddress, 2).is_active = False
        version = model_version(post.project_id, 1)
        session.add(version)
        session.flush()
        RegistryService(session, post.clock).decide(
            version, promote=True, reason=in_both("a", "b"), evidence={}, decided_by="gate"
        )
    assert post.notices() == []
    with post.services.database.reading() as session:
        assert queue.list_recent(session, name=DELIVER) == []


def test_a_batch_that_is_finished_is_told_once(seeded: Seeded, tmp_path: Any) -> None:
    later = NOW + timedelta(hours=1)
    services = Services(
        settings=Settings(data_dir=tmp_path), database=seeded.database, clock=lambda: later
    )
    with seeded.database.transaction() as session:
        listen(session)

    def say(first: int, last: int) -> None:
        with Session(seeded.database.engine) as session:
            filled = Store(seeded, session, given=100 * first)
            for number in range(first, last + 1):
                for person in (7, 8):
                    filled.say(filled.task(number), person, "good")
            session.commit()

    say(1, TASKS - 1)
    after_intake(services, seeded.project, 5)
    with seeded.database.reading() as session:
        assert told(session) == []
    say(TASKS, TASKS)
    for _ in range(2):
        after_intake(services, seeded.project, 1)
        continue_loop(services, seeded.project)
    with seeded.database.reading() as session:
        (notice,) = told(session)
        (batch,) = session.exec(select(Batch))
    assert batch.finished_at == later
    assert (notice.kind, notice.body["data"]) == ("batch.finished", {"round": batch.round})


def test_a_record_that_is_sent_back_is_told(desk: Desk) -> None:
    ada, bo = desk.people("Ada", "Bo")
    with desk.services.database.transaction() as session:
        listen(session)
    task_id = task_ids(desk)[0]
    desk.answer(task_id, ada, "good")
    desk.answer(task_id, bo, "poor")
    desk.refresh()
    decide(desk, task_id, action="send_back", reason="look again")
    desk.refresh()
    with desk.services.database.reading() as session:
        (notice,) = told(session)
    assert notice.kind == "record.sent_back"
    assert notice.body["data"]["reason"] == "look again"
    assert notice.body["data"]["external_id"] in notice.body["text"]


def test_with_its_project_a_receiver_is_gone(post: Post) -> None:
    own = post.register(NOWHERE, project_id=post.project_id)
    others = post.register(NOWHERE)
    post.test(own.id)
    post.test(others.id)
    post.work()
    with post.services.database.transaction() as session:
        Removals(session, post.services).delete_project(
            post.project_id, confirmed="Shop", label_studio="keep", actor="lea"
        )
    assert [notice.address_id for notice in post.notices()] == [others.id]
