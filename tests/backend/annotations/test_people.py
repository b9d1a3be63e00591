"""One annotator for each person, however they became known."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from backend.annotations import people
from backend.annotations.intake import AnnotationIntake
from backend.core.services import Services
from backend.core.settings import Settings
from backend.loop import revision_repository
from backend.loop.answer_repository import answers_of
from backend.loop.job_names import REVIEW
from backend.models import Annotator, AuditEvent, Decision, Job, ReviewCase, Task
from labeling.label_schema import LabelSchema
from labeling.label_studio.annotations import ParsedAnnotation, parse_annotation
from tests.backend.annotations.conftest import NOW, Seeded

IMPORTED_USER = -1_000_000_001


def answer(number: int, task: int, user: int, grade: str, minute: int) -> ParsedAnnotation:
    at = (NOW + timedelta(minutes=minute)).isoformat()
    choice = {"from_name": "grade", "to_name": "record", "type": "choices"}
    parsed = parse_annotation(
        {
            "id": number,
            "task": task,
            "completed_by": user,
            "created_at": at,
            "updated_at": at,
            "result": [{**choice, "value": {"choices": [grade]}}],
        },
        LabelSchema.default(["title", "price"]),
    )
    return replace(parsed, annotator_id=user)


class LabelStudioUsers:
    """Tells who is who, and no more."""

    def __init__(self, users: Mapping[int, str]) -> None:
        self._users = users

    def users(self) -> list[dict[str, Any]]:
        return [{"id": number, "email": email} for number, email in self._users.items()]


def services_of(seeded: Seeded, folder: Path, users: Mapping[int, str]) -> Services:
    made = Services(settings=Settings(data_dir=folder), database=seeded.database)
    made.__dict__["label_studio"] = LabelStudioUsers(users)
    return made


def test_who_was_imported_and_signs_in_later_is_one_annotator(
    seeded: Seeded, tmp_path: Path
) -> None:
    with seeded.database.transaction() as session:
        session.add(
            Annotator(label_studio_user_id=IMPORTED_USER, email="Ada@example.com", created_at=NOW)
        )
        session.add(Annotator(label_studio_user_id=-5, name="user 5 elsewhere", created_at=NOW))
        session.flush()
        imports = AnnotationIntake(session, seeded.project_id, via="import", now=NOW)
        tasks = list(session.exec(select(Task).order_by(col(Task.id))))
        first, second = int(tasks[0].id), int(tasks[1].id)
        took = [
            answer(-11, first, IMPORTED_USER, "good", 1),
            answer(-12, second, IMPORTED_USER, "fair", 1),
            answer(-13, first, -5, "good", 1),
        ]
        imports.apply_to(took, {first: first, second: second})
        old = session.exec(
            select(Annotator).where(Annotator.label_studio_user_id == IMPORTED_USER)
        ).one()
        tasks[2].assignee_id = old.id
        session.add(tasks[2])
        session.add(_sent_back(session, tasks[2], old))
        live = AnnotationIntake(session, seeded.project_id, via="webhook", now=NOW)
        live.apply([answer(1, 1001, 7, "poor", 5)])
    services = services_of(seeded, tmp_path, {7: "ada@example.com", 1: "admin@example.com"})
    people.know_annotators(services)
    people.know_annotators(services)

    with seeded.database.reading() as session:
        ada, stranger = session.exec(
            select(Annotator).order_by(col(Annotator.label_studio_user_id).desc())
        ).all()
        assert (ada.label_studio_user_id, ada.email) == (7, "ada@example.com")
        assert stranger.label_studio_user_id == -5
        current = revision_repository.current_revisions(session, seeded.project_id)
        assert {row.label_studio_annotation_id: row.annotator_id for row in current} == {
            -13: stranger.id,
            -12: ada.id,
            -11: ada.id,
            1: ada.id,
        }, "no answer is lost"
        found = answers_of(session, seeded.project_id)
        assert sorted(str(row.grade) for row in found[first].answers) == ["good", "poor"], (
            "of two answers of hers the later one counts"
        )
        assert session.get(Task, tasks[2].id).assignee_id == ada.id
        assert session.exec(select(Decision)).one().assignee_id == ada.id
        noted = session.exec(select(AuditEvent)).one()
        assert (noted.action, noted.detail["projects"]) == ("annotator.merged", [seeded.project_id])
        assert [job.name for job in session.exec(select(Job))] == [REVIEW]


def test_who_signed_in_before_an_older_store_was_upgraded_is_made_one_too(
    seeded: Seeded, tmp_path: Path
) -> None:
    with seeded.database.transaction() as session:
        for user in (IMPORTED_USER, 7):
            session.add(
                Annotator(label_studio_user_id=user, email="ada@example.com", created_at=NOW)
            )
    people.know_annotators(services_of(seeded, tmp_path, {}))
    with seeded.database.reading() as session:
        assert session.exec(select(Annotator)).one().label_studio_user_id == 7


def _sent_back(session: Session, task: Task, to: Annotator) -> Decision:
    case = ReviewCase(
        project_id=task.project_id,
        task_id=task.id,
        state="sent_back",
        opened_at=NOW,
        changed_at=NOW,
    )
    session.add(case)
    session.flush()
    return Decision(
        case_id=case.id,
        action="send_back",
        assignee_id=to.id,
        author="lead",
        case_version=1,
        created_at=NOW,
    )
