"""Every query on workers, and the PostgreSQL session by which each is known to live."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import delete, select, text
from sqlmodel import Session, col

from backend.core.database import Database
from backend.jobs.repository import insert_into
from backend.models import Worker

LOCKS = 0x41535359
"""The first of the two numbers of our advisory locks; nobody else's on this database."""


def lock_number(worker_id: str) -> int:
    """The second: 31 bits of the id's hash."""
    return int.from_bytes(hashlib.sha256(worker_id.encode()).digest()[:4]) >> 1


def ids_alive(session: Session, workers: Sequence[Worker]) -> set[str]:
    """Ids of the workers whose session holds its lock; on PostgreSQL."""
    query = text(
        "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = :locks"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    held = set(session.execute(query, {"locks": LOCKS}).scalars())
    return {worker.id for worker in workers if lock_number(worker.id) in held}


class PresenceSession:
    """A session of its own that holds a worker's lock; it ends when it is silent for too long."""

    def __init__(self, database: Database, *, silence_seconds: float) -> None:
        engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._connection = engine.connect()
        self._connection.detach()
        milliseconds = max(1, round(1000 * silence_seconds))
        self._connection.execute(text(f"SET idle_session_timeout = {milliseconds}"))

    def lock(self, worker_id: str) -> bool:
        """The id is ours while this session lasts; False if another session has it."""
        query = text("SELECT pg_try_advisory_lock(:locks, :number)")
        values = {"locks": LOCKS, "number": lock_number(worker_id)}
        return bool(self._connection.execute(query, values).scalar_one())

    def is_known(self, worker_id: str, instance: str) -> bool:
        """A sign of life; False if our row is gone or another process's."""
        query = select(col(Worker.id)).where(
            col(Worker.id) == worker_id, col(Worker.instance) == instance
        )
        return self._connection.execute(query).first() is not None

    def close(self) -> None:
        """The lock is free."""
        self._connection.close()


class WorkerRepository:
    """The rows of ``worker``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, worker_id: str) -> Worker | None:
        """The row as it is now."""
        return self._session.get(Worker, worker_id, populate_existing=True)

    def on_process(self, host: str, pid: int) -> Worker | None:
        """The worker that runs as that process."""
        query = select(Worker).where(col(Worker.host) == host, col(Worker.pid) == pid)
        return self._session.scalar(query.order_by(col(Worker.started_at).desc()).limit(1))

    def others(self, worker_id: str) -> list[Worker]:
        """Every other worker known."""
        return list(self._session.scalars(select(Worker).where(col(Worker.id) != worker_id)))

    def put(self, worker: Worker) -> None:
        """The row is ``worker``, whatever it was before."""
        values = worker.model_dump()
        statement = insert_into(self._session, Worker).values(**values)
        self._session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))

    def remove(self, worker_id: str, instance: str) -> None:
        """Forget that start of the worker."""
        self._session.execute(
            delete(Worker).where(col(Worker.id) == worker_id, col(Worker.instance) == instance)
        )
