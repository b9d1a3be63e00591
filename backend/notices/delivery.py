"""Sends what is due, notes the answers, gives up after a while and deactivates who never answers.

A notice whose worker is killed between the answer and its note is sent again, under the same id.
"""

from collections.abc import Callable
from datetime import timedelta

from backend.core.services import Services
from backend.jobs.context import JobContext
from backend.models import Notice, NoticeAddress, NoticeAttempt
from backend.notices import repository
from backend.notices.destination import AllowedHosts
from backend.notices.schemas import DELIVER
from backend.notices.sending import ReceiverAnswer, send
from backend.notices.signature import NOTICE_HEADER, SIGNATURE_HEADER, body_bytes, signature
from backend.words import Message

PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (10, 60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600, 12 * 3600)
)
"""Between two attempts; after the last one, 21 hours after the first, it is given up. Chosen: a
restart costs seconds, and who is mended in the morning missed nothing of the night."""
MOST_FAILURES = 30
"""In a row, after which a receiver is deactivated. Chosen: four notices that came to nothing."""
AT_ONCE = 50
"""Notices that are looked up together. Chosen."""
DELIVERY_SECONDS = 10
"""As long as the shortest pause: what waits is looked for so often. New notices do not wait."""
USER_AGENT = "Assay-Notices/1"
Send = Callable[..., ReceiverAnswer]


def deliver_due(services: Services, context: JobContext, send_one: Send = send) -> dict[str, int]:
    """Each notice that is due was sent once; how many arrived and how many did not.

    Who does not answer at all is asked once.
    """
    counts = {"delivered": 0, "failed": 0}
    silent: set[int] = set()
    with context.lease(DELIVER):
        while found := _due(services, silent):
            for notice, address in found:
                context.check_cancelled()
                if address.id in silent:
                    continue
                answer = _send(services, notice, address, send_one)
                is_active = _record(services, notice.id, answer)
                counts["failed" if answer.error else "delivered"] += 1
                if answer.status is None or not is_active:
                    silent.add(address.id)
        with services.database.transaction() as session:
            keep = timedelta(days=services.settings.jobs_retention_days)
            repository.purge(session, services.clock() - keep)
    return counts


def is_due(services: Services) -> bool:
    """True if there is something to send now."""
    return bool(_due(services, (), limit=1))


def _due(
    services: Services, without: set[int] | tuple[()], limit: int = AT_ONCE
) -> list[tuple[Notice, NoticeAddress]]:
    with services.database.reading() as session:
        return repository.due(session, services.clock(), without=without, limit=limit)


def _send(
    services: Services, notice: Notice, address: NoticeAddress, send_one: Send
) -> ReceiverAnswer:
    body = body_bytes(notice.body)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        NOTICE_HEADER: notice.id,
        SIGNATURE_HEADER: signature(address.secret, body, services.clock()),
    }
    settings = services.settings
    allowed = AllowedHosts(settings.notice_hosts)
    return send_one(address.url, body, headers, allowed=allowed, proxy=settings.proxy)


def _record(services: Services, notice_id: str, answer: ReceiverAnswer) -> bool:
    """The attempt is a row, and notice and receiver are as it says; of one deleted nothing is.

    False if the receiver is told nothing more.
    """
    now = services.clock()
    with services.database.transaction() as session:
        notice = repository.lock_notice(session, notice_id)
        if notice is None:
            return False
        address = repository.lock_address(session, notice.address_id)
        assert address is not None
        repository.add_attempt(
            session,
            NoticeAttempt(
                notice_id=notice_id,
                at=now,
                seconds=answer.seconds,
                status=answer.status,
                answer=answer.answer,
                error=answer.error,
            ),
        )
        notice.tries += 1
        if answer.error is None:
            notice.status, notice.next_attempt_at, address.failures = "delivered", None, 0
            return address.is_active
        address.failures += 1
        if notice.tries > len(PAUSES):
            notice.status, notice.next_attempt_at = "given_up", None
        else:
            notice.next_attempt_at = now + PAUSES[notice.tries - 1]
        if address.failures >= MOST_FAILURES and address.is_active:
            session.flush()
            address.is_active = False
            address.note = Message.ngettext(
                "Deactivated after {n} attempt without success; the last one: {error}",
                "Deactivated after {n} attempts without success; the last one: {error}",
                n=address.failures,
                error=answer.error,
            )
            repository.give_up_open(session, address.id)
        return address.is_active
