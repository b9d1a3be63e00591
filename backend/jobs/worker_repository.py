"""Every query on workers."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from backend.jobs.repository import changed_rows, insert_into
from backend.models import Worker


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
        return self._session.scalar(query.order_by(col(Worker.seen_at).desc()).limit(1))

    def others(self, worker_id: str) -> list[Worker]:
        """Every other worker known."""
        return list(self._session.scalars(select(Worker).where(col(Worker.id) != worker_id)))

    def put(self, worker: Worker) -> None:
        """The row is ``worker``, whatever it was before."""
        values = worker.model_dump()
        statement = insert_into(self._session, Worker).values(**values)
        self._session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))

    def beat(self, worker_id: str, instance: str, now: datetime) -> bool:
        """A sign of life; False if another process has taken the id."""
        statement = (
            update(Worker)
            .where(col(Worker.id) == worker_id, col(Worker.instance) == instance)
            .values(seen_at=now)
        )
        return changed_rows(self._session, statement) == 1

    def remove(self, worker_id: str, instance: str) -> None:
        """Forget that start of the worker."""
        self._session.execute(
            delete(Worker).where(col(Worker.id) == worker_id, col(Worker.instance) == instance)
        )
