"""Receivers of notices, and what they were told, within one transaction."""

import uuid
from collections import defaultdict
from collections.abc import Callable

from sqlmodel import Session

from backend.audit.service import AuditTrail
from backend.core.exceptions import Conflict, NotFound
from backend.core.services import Services
from backend.jobs.queue import enqueue_if_none_waiting
from backend.models import NoticeAddress, NoticeAttempt
from backend.notices import repository
from backend.notices.destination import AllowedHosts, check_url, place_of
from backend.notices.outbox import Outbox
from backend.notices.schemas import (
    DELIVER,
    AddressCreate,
    AddressPublic,
    NewAddress,
    NoticePublic,
)
from backend.notices.signature import new_secret
from backend.projects.service import ProjectsService
from backend.words import Message

KeyOfTest = Callable[[], str]


class NoticesService:
    """What leads do with receivers and notices; every change leaves an audit event."""

    def __init__(self, session: Session, services: Services) -> None:
        self._session = session
        self._clock = services.clock
        self._allowed = AllowedHosts(services.settings.notice_hosts)
        self._audit = AuditTrail(session, services.clock)

    def add_address(self, request: AddressCreate, *, actor: str) -> NewAddress:
        """A new receiver; the only moment at which its secret is shown.

        Raises:
            InvalidInput: the URL may not be sent to.
            NotFound: there is no such project.
        """
        url = str(check_url(request.url, self._allowed))
        if request.project_id is not None:
            ProjectsService(self._session, self._clock).get(request.project_id)
        row = NoticeAddress(
            name=request.name.strip() or place_of(url),
            url=url,
            secret=new_secret(),
            project_id=request.project_id,
            kinds=sorted(set(request.kinds)),
            created_by=actor,
            created_at=self._clock(),
        )
        repository.add_address(self._session, row)
        self._note(actor, row, "notices.address_added")
        return NewAddress(**AddressPublic.of(row).model_dump(), secret=row.secret)

    def addresses(self) -> list[AddressPublic]:
        """All receivers, oldest first."""
        return [AddressPublic.of(row) for row in repository.addresses(self._session)]

    def delete_address(self, address_id: int, *, actor: str) -> None:
        """The receiver is gone, and so is what it was told.

        Raises:
            NotFound: there is none with that id.
        """
        row = self._address(address_id)
        self._note(actor, row, "notices.address_deleted")
        repository.delete_address(self._session, row.id)

    def activate(self, address_id: int, *, actor: str) -> AddressPublic:
        """The receiver is told again of what happens from now on.

        Raises:
            NotFound: there is none with that id.
        """
        row = self._address(address_id)
        if not row.is_active:
            row.is_active, row.failures, row.note = True, 0, None
            self._note(actor, row, "notices.address_activated")
        return AddressPublic.of(row)

    def send_test(self, address_id: int, *, actor: str) -> NoticePublic:
        """The receiver gets a test notice soon.

        Raises:
            NotFound: there is none with that id.
            Conflict: it is not active.
        """
        row = self._active(self._address(address_id))
        self._note(actor, row, "notices.test_sent")
        return NoticePublic.of(Outbox(self._session, self._clock).test(row, uuid.uuid4().hex), [])

    def send_again(self, notice_id: str, *, actor: str) -> NoticePublic:
        """The notice is sent once more, whatever came of it.

        Raises:
            NotFound: there is none with that id.
            Conflict: its receiver is not active.
        """
        row = repository.lock_notice(self._session, notice_id)
        if row is None:
            raise NotFound(
                Message("There is no notice {notice}.", notice=notice_id),
                field="notice_id",
                value=notice_id,
                remedy=Message("Notices are purged after a while; the list has the others."),
            )
        address = self._active(self._address(row.address_id))
        row.status, row.tries, row.next_attempt_at = "open", 0, self._clock()
        enqueue_if_none_waiting(self._session, DELIVER, now=self._clock())
        self._note(actor, address, "notices.sent_again")
        return NoticePublic.of(row, repository.attempts(self._session, [row.id]))

    def notices(self, *, address_id: int | None = None, limit: int = 50) -> list[NoticePublic]:
        """The newest notices with their answers, newest first."""
        rows = repository.notices(self._session, address_id=address_id, limit=limit)
        attempts = defaultdict[str, list[NoticeAttempt]](list)
        for attempt in repository.attempts(self._session, [row.id for row in rows]):
            attempts[attempt.notice_id].append(attempt)
        return [NoticePublic.of(row, attempts[row.id]) for row in rows]

    def _address(self, address_id: int) -> NoticeAddress:
        row = repository.lock_address(self._session, address_id)
        if row is None:
            raise NotFound(
                Message("There is no receiver {receiver}.", receiver=address_id),
                field="address_id",
                value=address_id,
                remedy=Message("The list of receivers has them all."),
            )
        return row

    def _active(self, row: NoticeAddress) -> NoticeAddress:
        if not row.is_active:
            raise Conflict(
                Message("{name} is deactivated.", name=row.name),
                field="address_id",
                value=row.id,
                remedy=Message("Activate it first."),
            )
        return row

    def _note(self, actor: str, row: NoticeAddress, action: str) -> None:
        detail = {"name": row.name, "place": place_of(row.url)}
        subject = f"project:{row.project_id}" if row.project_id else f"notice_address:{row.id}"
        self._audit.append(actor, action, subject, detail)
