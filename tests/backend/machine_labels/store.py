"""Machine labels in the overview tests' store: 100 records, 10 of them to be checked."""

from datetime import datetime

from sqlmodel import Session, col, select

from backend.machine_labels.words import promise
from backend.models import Acceptance, MachineLabel, ModelVersion, Project, Record, Task
from labeling.label_schema import LabelSchema

LABELLED = 100
DRAWN = 10


def accept_records(session: Session, project_id: int, now: datetime) -> int:
    """The champion, v2, labels 100 records that have no task; the decision's id."""
    project = session.get_one(Project, project_id)
    project.policy = {**project.policy, "accept_error": 0.05}
    project.label_schema = LabelSchema.default(["title", "price"]).model_dump(mode="json")
    versions = select(ModelVersion.id).where(ModelVersion.project_id == project_id)
    champion = session.exec(versions.where(ModelVersion.number == 2)).one()
    assert champion is not None
    row = Acceptance(
        project_id=project_id,
        model_version_id=champion,
        state="accepted",
        target_error=0.05,
        delta=0.1,
        threshold=0.9,
        evidence={"audits": 412, "more_audits_needed": 0},
        records=LABELLED,
        reason=promise(0.05, 0.1, 412),
        created_at=now,
    )
    session.add(row)
    session.flush()
    free = session.exec(
        select(Record.id)
        .where(
            Record.dataset_id == project.dataset_id,
            col(Record.id).not_in(select(Task.record_id).where(Task.project_id == project_id)),
        )
        .order_by(col(Record.id))
        .limit(LABELLED)
    ).all()
    session.add_all(
        MachineLabel(
            acceptance_id=row.id,
            record_id=record_id or 0,
            grade="good" if number % 4 else "poor",
            confidence=0.9 + number / 1_000,
            is_audited=number < DRAWN,
        )
        for number, record_id in enumerate(free)
    )
    session.flush()
    return row.id
