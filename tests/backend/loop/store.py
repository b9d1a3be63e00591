"""A project of pushed tasks, and people who answer straight into the store."""

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session, select

from backend.core.clock import utc_now
from backend.loop.answer_repository import answers_of, states
from backend.loop.repository import IMPORTED_KEY
from backend.loop.service import LoopService
from backend.models import Annotation, Annotator, Task
from tests.backend.annotations.conftest import NOW, Seeded


@dataclass
class Store:
    """A project of twelve pushed tasks that want two people each."""

    seeded: Seeded
    session: Session
    given: int = 0

    def person(self, number: int) -> int:
        known = self.session.exec(
            select(Annotator.id).where(Annotator.label_studio_user_id == number)
        ).one_or_none()
        if known is not None:
            return known
        annotator = Annotator(label_studio_user_id=number, created_at=NOW)
        self.session.add(annotator)
        self.session.flush()
        assert annotator.id is not None
        return annotator.id

    def say(
        self,
        task: Task,
        person: int | None,
        grade: str | None,
        *,
        after: float = 0.0,
        annotation: int | None = None,
        revision: int = 1,
        is_deleted: bool = False,
    ) -> int:
        """A revision, ``after`` seconds; its annotation's id."""
        self.given += 1
        number = annotation or self.given
        moment = NOW + timedelta(seconds=after)
        self.session.add(
            Annotation(
                project_id=self.seeded.project_id,
                task_id=task.id,
                annotator_id=None if person is None else self.person(person),
                label_studio_annotation_id=number,
                revision=revision,
                identity=f"{number}-{revision}",
                is_deleted=is_deleted,
                was_cancelled=grade is None,
                grade=grade,
                annotated_at=moment,
                revised_at=moment,
                via="sync",
                received_at=moment,
            )
        )
        self.session.flush()
        return number

    def task(self, number: int) -> Task:
        return self.session.exec(
            select(Task).where(Task.label_studio_task_id == 1000 + number)
        ).one()

    def copy(self, number: int, purpose: str = "relabel", key: str = "copy") -> Task:
        original = self.task(number)
        attempt = len(
            self.session.exec(select(Task).where(Task.record_id == original.record_id)).all()
        )
        copy = Task(
            project_id=original.project_id,
            record_id=original.record_id,
            batch_id=original.batch_id,
            key=f"{key}-{number}-{attempt}",
            position=number,
            is_audit=False,
            purpose=purpose,
            attempt=attempt + 1,
            original_id=original.id,
            annotators_wanted=1,
            label_studio_task_id=None
            if key.startswith(IMPORTED_KEY)
            else 2000 + 10 * number + attempt,
        )
        self.session.add(copy)
        self.session.flush()
        return copy

    def grades(self, number: int) -> list[str | None]:
        """What counts for the record, once from all records and once from its own alone."""
        first = self.task(number).id
        assert first is not None
        found = answers_of(self.session, self.seeded.project_id)
        alone = answers_of(self.session, self.seeded.project_id, task_ids=[first])
        assert [row.id for row in alone[first].answers] == [row.id for row in found[first].answers]
        state = states(self.session, self.seeded.project_id)[first]
        assert state.responses == found[first].responses
        assert state.asked == found[first].asked
        return [row.grade for row in (*found[first].answers, *found[first].skips)]

    def progress(self) -> tuple[int, int]:
        """(complete, open)."""
        found = LoopService(self.session, utc_now).progress(self.seeded.project)
        return found.complete, found.open
