"""Every query on leases."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, false, or_, select, update
from sqlmodel import Session, col

from backend.jobs.repository import changed_rows, insert_into
from backend.models import Lease


class LeaseRepository:
    """The rows of ``lease``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def acquire(
        self,
        name: str,
        *,
        holder: str,
        now: datetime,
        expires_at: datetime,
        longest: timedelta,
        earlier_holders: str | None = None,
    ) -> bool:
        """Insert the row, or take it if it is expired or an earlier attempt's.

        None is given for more than ``longest``. One with more than twice that left was written
        before the clock was set back, and counts as expired.
        """
        latest = now + 2 * longest
        insert = insert_into(self._session, Lease).values(
            name=name, holder=holder, expires_at=expires_at
        )
        statement = insert.on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": holder, "expires_at": expires_at},
            where=or_(
                col(Lease.expires_at) <= now,
                col(Lease.expires_at) > latest,
                false()
                if earlier_holders is None
                else col(Lease.holder).startswith(earlier_holders, autoescape=True),
            ),
        )
        return self._session.scalar(statement.returning(col(Lease.name))) is not None

    def holder_of(self, name: str) -> str | None:
        """Job and attempt that hold the lease."""
        return self._session.scalar(select(col(Lease.holder)).where(col(Lease.name) == name))

    def lock_if_held(self, names: Sequence[str], holder: str) -> bool:
        """True if all of them are the holder's; nobody takes one until the transaction ends."""
        if not names:
            return True
        query = (
            select(col(Lease.name))
            .where(col(Lease.name).in_(names), col(Lease.holder) == holder)
            .order_by(col(Lease.name))
            .with_for_update()
        )
        return len(self._session.scalars(query).all()) == len(names)

    def renew(self, name: str, holder: str, expires_at: datetime) -> bool:
        """False if the lease is no longer the holder's."""
        statement = (
            update(Lease)
            .where(col(Lease.name) == name, col(Lease.holder) == holder)
            .values(expires_at=expires_at)
        )
        return changed_rows(self._session, statement) == 1

    def release(self, name: str, holder: str) -> None:
        """Drop the row if it is the holder's."""
        self._session.execute(
            delete(Lease).where(col(Lease.name) == name, col(Lease.holder) == holder)
        )
