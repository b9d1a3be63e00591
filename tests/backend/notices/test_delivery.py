"""Signed, once, again after a pause, given up, deactivated; killed at any moment."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.core.exceptions import Conflict
from backend.jobs.context import JobContext
from backend.jobs.execution import claim, execute
from backend.jobs.repository import JobRepository, Names
from backend.notices.delivery import MOST_FAILURES, PAUSES, deliver_due, is_due
from backend.notices.outbox import Outbox
from backend.notices.sending import ReceiverAnswer, send
from backend.notices.service import NoticesService
from tests.backend.notices.conftest import Post
from tests.backend.notices.receiver import Receiver

DOCS = Path(__file__).parents[3] / "docs/notices.md"


def verify_of_the_docs() -> Any:
    """The function that the documentation gives to receivers."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["is_from_assay"]


def test_a_notice_arrives_signed_as_the_documentation_says(post: Post, receiver: Receiver) -> None:
    made = post.register(receiver.url + "/hook")
    notice_id = post.test(made.id)
    post.work()
    (got,) = receiver.received
    body = json.loads(got.body)
    assert (body["id"], body["kind"], got.headers["x-assay-notice"]) == (
        notice_id,
        "test",
        notice_id,
    )
    verify, signed = verify_of_the_docs(), got.headers["x-assay-signature"]
    now = post.clock().timestamp()
    assert verify(made.secret, signed, got.body, now=now)
    assert not verify(made.secret + "x", signed, got.body, now=now)
    assert not verify(made.secret, signed, got.body + b" ", now=now)
    assert not verify(made.secret, signed, got.body, now=now + 3600)
    assert not verify(made.secret, signed.replace("t=1", "t=2"), got.body, now=now)
    (told,) = post.notices()
    assert told.status == "delivered"
    assert [(each.status, each.answer, each.error) for each in told.attempts] == [
        (200, "thanks", None)
    ]
    post.work(minutes=10_000)
    assert len(receiver.received) == 1


def test_it_is_tried_again_after_pauses_that_grow(post: Post, receiver: Receiver) -> None:
    receiver.statuses = [500, 503]
    post.test(post.register(receiver.url).id)
    post.work()
    assert len(receiver.received) == 1
    assert not is_due(post.services)
    post.work(minutes=0.15)
    assert len(receiver.received) == 1, "ten seconds have not passed"
    post.work(minutes=0.02)
    assert len(receiver.received) == 2
    post.work(minutes=0.9)
    assert len(receiver.received) == 2, "now it is a minute"
    post.work(minutes=0.2)
    (told,) = post.notices()
    assert (told.status, len(told.attempts)) == ("delivered", 3)
    assert len({got.headers["x-assay-signature"] for got in receiver.received}) == 3, (
        "each is signed"
    )
    assert len({got.body for got in receiver.received}) == 1


def test_it_is_given_up_in_the_end_and_can_be_sent_again(post: Post, receiver: Receiver) -> None:
    receiver.statuses = [500] * (len(PAUSES) + 1)
    notice_id = post.test(post.register(receiver.url).id)
    post.work()
    for pause in PAUSES:
        post.work(minutes=pause / timedelta(minutes=1))
    (told,) = post.notices()
    assert (told.status, len(told.attempts)) == ("given_up", len(PAUSES) + 1)
    post.work(minutes=10_000)
    assert len(receiver.received) == len(PAUSES) + 1
    with post.services.database.transaction() as session:
        NoticesService(session, post.services).send_again(notice_id, actor="lea")
    post.work()
    assert post.notices()[0].status == "delivered"


def test_who_never_answers_is_deactivated_with_a_note(plain_post: Post, receiver: Receiver) -> None:
    post = plain_post
    receiver.statuses = [500] * MOST_FAILURES
    made = post.register(receiver.url)
    for _ in range(MOST_FAILURES + 3):
        post.test(made.id)
    post.work()
    with post.services.database.reading() as session:
        (address,) = NoticesService(session, post.services).addresses()
    assert not address.is_active
    assert f"after {MOST_FAILURES} attempts" in str(address.note)
    assert len(receiver.received) == MOST_FAILURES
    assert {each.status for each in post.notices()} == {"given_up"}
    post.work(minutes=10_000)
    assert len(receiver.received) == MOST_FAILURES
    with post.services.database.transaction() as session:
        service = NoticesService(session, post.services)
        with pytest.raises(Conflict, match="deactivated"):
            service.send_test(made.id, actor="lea")
        service.activate(made.id, actor="lea")
        service.send_test(made.id, actor="lea")
    post.work()
    assert post.notices()[0].status == "delivered"


def test_a_success_between_failures_counts(plain_post: Post, receiver: Receiver) -> None:
    receiver.statuses = [500, 500, 200]
    made = plain_post.register(receiver.url)
    for _ in range(3):
        plain_post.test(made.id)
    plain_post.work()
    with plain_post.services.database.reading() as session:
        assert NoticesService(session, plain_post.services).addresses()[0].failures == 0


def test_who_does_not_answer_at_all_holds_nobody_up(plain_post: Post, receiver: Receiver) -> None:
    away = plain_post.register("http://127.0.0.1:9/")
    there = plain_post.register(receiver.url)
    for address in (away, away, there):
        plain_post.test(address.id)
    plain_post.work()
    assert len(receiver.received) == 1
    assert sorted(len(told.attempts) for told in plain_post.notices()) == [0, 1, 1]


def test_a_worker_that_is_killed_before_it_notes_the_answer_sends_again_under_the_same_id(
    post: Post, receiver: Receiver
) -> None:
    post.test(post.register(receiver.url).id)
    (job,) = claim(post.services.database, post.clock, Names(), "first", 1)

    def taken_over() -> None:
        """While the receiver answers, the worker counts as dead."""
        receiver.before = lambda: None
        with post.services.database.transaction() as session:
            assert JobRepository(session).requeue(job.id, job.attempt, crashed=True)

    receiver.before = taken_over
    outcome = execute(post.services.database, post.clock, post.runner.registry, job)
    assert outcome.status == "queued", "what it did counts for nothing"
    assert post.notices()[0].attempts == []
    post.clock.advance(1)
    post.work()
    assert [told.status for told in post.notices()] == ["delivered"]
    assert len(receiver.received) == 2
    assert len({got.headers["x-assay-notice"] for got in receiver.received}) == 1


def test_two_workers_do_not_send_the_same(plain_post: Post, receiver: Receiver) -> None:
    post = plain_post
    post.test(post.register(receiver.url).id)
    (job,) = claim(post.services.database, post.clock, Names(), "first", 1)

    def meanwhile(*args: Any, **parts: Any) -> ReceiverAnswer:
        with post.services.database.transaction() as session:
            Outbox(session, post.clock)._request_delivery()
        post.runner.run_pending()
        return send(*args, **parts)

    with JobContext(post.services.database, post.clock, job) as context:
        counts = deliver_due(post.services, context, meanwhile)
    assert counts == {"delivered": 1, "failed": 0}
    assert len(receiver.received) == 1


def test_old_notices_are_purged(plain_post: Post, receiver: Receiver) -> None:
    made = plain_post.register(receiver.url)
    plain_post.test(made.id)
    plain_post.work()
    plain_post.clock.advance(60 * 24 * 15)
    plain_post.test(made.id)
    plain_post.work()
    assert len(plain_post.notices()) == 1


def test_a_receiver_that_is_deleted_takes_its_notices_with_it(
    post: Post, receiver: Receiver
) -> None:
    kept, gone = post.register(receiver.url), post.register(receiver.url)
    for address in (kept, gone):
        post.test(address.id)
    post.work()
    with post.services.database.transaction() as session:
        NoticesService(session, post.services).delete_address(gone.id, actor="lea")
    assert [told.address_id for told in post.notices()] == [kept.id]
