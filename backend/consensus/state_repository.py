"""Every query on up to where a project's labels and cases are, and on the model they go by."""

from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from backend.consensus.exceptions import LabelsWritten
from backend.models import ConsensusState


def state(session: Session, project_id: int) -> ConsensusState:
    """The project's state; version 0 before its first labels."""
    return session.get(ConsensusState, project_id) or ConsensusState(
        project_id=project_id, version=0
    )


def advance(session: Session, read: ConsensusState, **values: Any) -> ConsensusState:
    """The state that was ``read`` with these values and the next version.

    Until the caller's transaction ends, nobody else writes labels or cases of the project.

    Raises:
        LabelsWritten: somebody has written since it was read.
    """
    after = ConsensusState(**{**read.model_dump(), "version": read.version + 1, **values})
    kept = after.model_dump(exclude={"project_id"})
    if read.version:
        changed = session.execute(
            update(ConsensusState)
            .where(
                col(ConsensusState.project_id) == read.project_id,
                col(ConsensusState.version) == read.version,
            )
            .values(kept if values else {"version": after.version})
            .returning(col(ConsensusState.project_id))
            .execution_options(synchronize_session=False)
        )
    else:
        is_postgres = session.get_bind().dialect.name == "postgresql"
        insert: Any = postgresql.insert if is_postgres else sqlite.insert
        changed = session.execute(
            insert(ConsensusState)
            .values(project_id=read.project_id, **kept)
            .on_conflict_do_nothing()
            .returning(col(ConsensusState.project_id))
        )
    if changed.first() is None:
        raise LabelsWritten(f"Labels of project {read.project_id} were written meanwhile.")
    return after
