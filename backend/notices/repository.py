"""Every query on receivers, notices and attempts."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, or_, update
from sqlmodel import Session, col, select

from backend.jobs.repository import insert_into
from backend.models import Notice, NoticeAddress, NoticeAttempt, Project


def add_address(session: Session, address: NoticeAddress) -> None:
    """The receiver is stored and has its id."""
    session.add(address)
    session.flush()


def address(session: Session, address_id: int) -> NoticeAddress | None:
    """The receiver with that id."""
    return session.get(NoticeAddress, address_id)


def lock_address(session: Session, address_id: int) -> NoticeAddress | None:
    """The receiver, nobody else's until the transaction ends."""
    query = select(NoticeAddress).where(NoticeAddress.id == address_id).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).one_or_none()


def addresses(session: Session) -> Sequence[NoticeAddress]:
    """All receivers, oldest first."""
    return session.exec(select(NoticeAddress).order_by(col(NoticeAddress.id))).all()


def active_addresses(session: Session, project_id: int | None) -> Sequence[NoticeAddress]:
    """Those that are told what happens in the project."""
    return session.exec(
        select(NoticeAddress)
        .where(
            col(NoticeAddress.is_active),
            or_(
                col(NoticeAddress.project_id).is_(None),
                col(NoticeAddress.project_id) == project_id,
            ),
        )
        .order_by(col(NoticeAddress.id))
    ).all()


def delete_address(session: Session, address_id: int) -> None:
    """The receiver and what it was told are gone."""
    told = select(Notice.id).where(Notice.address_id == address_id)
    for statement in (
        delete(NoticeAttempt).where(col(NoticeAttempt.notice_id).in_(told)),
        delete(Notice).where(col(Notice.address_id) == address_id),
        delete(NoticeAddress).where(col(NoticeAddress.id) == address_id),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    session.expire_all()


def project_name(session: Session, project_id: int) -> str | None:
    """What the project is called."""
    return session.exec(select(Project.name).where(Project.id == project_id)).one_or_none()


def add_if_absent(session: Session, notice: Notice) -> None:
    """The notice is stored unless there is one of its id."""
    values = notice.model_dump()
    session.execute(insert_into(session, Notice).values(**values).on_conflict_do_nothing())


def notice(session: Session, notice_id: str) -> Notice | None:
    """The notice with that id."""
    return session.get(Notice, notice_id)


def lock_notice(session: Session, notice_id: str) -> Notice | None:
    """The notice, nobody else's until the transaction ends."""
    query = select(Notice).where(Notice.id == notice_id).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).one_or_none()


def notices(session: Session, *, address_id: int | None, limit: int) -> Sequence[Notice]:
    """The newest notices, newest first."""
    query = select(Notice).order_by(col(Notice.created_at).desc(), col(Notice.id)).limit(limit)
    if address_id is not None:
        query = query.where(Notice.address_id == address_id)
    return session.exec(query).all()


def attempts(session: Session, notice_ids: Collection[str]) -> Sequence[NoticeAttempt]:
    """The attempts of these notices, newest first."""
    return session.exec(
        select(NoticeAttempt)
        .where(col(NoticeAttempt.notice_id).in_(notice_ids))
        .order_by(col(NoticeAttempt.id).desc())
    ).all()


def add_attempt(session: Session, attempt: NoticeAttempt) -> None:
    """The attempt is stored."""
    session.add(attempt)


def due(
    session: Session, now: datetime, *, without: Collection[int] = (), limit: int
) -> list[tuple[Notice, NoticeAddress]]:
    """Notices whose time has come with their receivers, the oldest first."""
    query = (
        select(Notice, NoticeAddress)
        .join(NoticeAddress, col(NoticeAddress.id) == col(Notice.address_id))
        .where(
            Notice.status == "open",
            col(Notice.next_attempt_at) <= now,
            col(NoticeAddress.is_active),
            col(NoticeAddress.id).not_in(without),
        )
        .order_by(col(Notice.created_at), col(Notice.id))
        .limit(limit)
    )
    return list(session.exec(query))


def give_up_open(session: Session, address_id: int) -> None:
    """Nothing more is sent to the receiver of what it was to be told so far."""
    session.execute(
        update(Notice)
        .where(col(Notice.address_id) == address_id, col(Notice.status) == "open")
        .values(status="given_up", next_attempt_at=None)
    )


def purge(session: Session, before: datetime) -> None:
    """Notices made before that time, which nobody waits for, are gone."""
    old = select(Notice.id).where(Notice.created_at < before, Notice.status != "open")
    for statement in (
        delete(NoticeAttempt).where(col(NoticeAttempt.notice_id).in_(old)),
        delete(Notice).where(col(Notice.created_at) < before, col(Notice.status) != "open"),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
