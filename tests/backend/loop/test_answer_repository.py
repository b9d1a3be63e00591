"""Which answers count, who has answered and what is waited for, on both kinds of database."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlmodel import Session, col, select

from backend.core.clock import utc_now
from backend.loop.answer_repository import answers_of, states
from backend.loop.repository import IMPORTED_KEY
from backend.loop.service import LoopService
from backend.models import Annotation, Annotator, Record, Task
from tests.backend.annotations.conftest import NOW, TASKS, Seeded


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


@pytest.fixture
def store(seeded: Seeded) -> Iterator[Store]:
    with Session(seeded.database.engine, expire_on_commit=False) as session:
        yield Store(seeded, session)


def test_people_without_a_name_are_one_person_an_annotation(store: Store) -> None:
    task = store.task(1)
    store.say(task, None, "good")
    store.say(task, None, "poor")
    assert store.grades(1) == ["good", "poor"]
    assert store.progress() == (1, TASKS - 1)


def test_the_same_person_twice_is_one_person_with_the_later_answer(store: Store) -> None:
    store.say(store.task(1), 7, "poor", after=5)
    store.say(store.task(1), 7, "good", after=3)
    assert store.grades(1) == ["poor"]
    assert store.progress() == (0, TASKS)


def test_a_late_event_changes_nothing(store: Store) -> None:
    number = store.say(store.task(1), 7, "poor", after=5)
    store.say(store.task(1), 7, "good", after=3, annotation=number, revision=2)
    assert store.grades(1) == ["poor"]


def test_of_two_revisions_of_one_moment_the_higher_number_counts(store: Store) -> None:
    number = store.say(store.task(1), 7, "poor")
    store.say(store.task(1), 7, "good", annotation=number, revision=2)
    assert store.grades(1) == ["good"]


def test_a_deleted_answer_is_none_and_one_that_came_back_is(store: Store) -> None:
    number = store.say(store.task(1), 7, "poor")
    store.say(store.task(1), 7, "poor", annotation=number, revision=2, is_deleted=True)
    assert store.grades(1) == []
    store.say(store.task(1), 7, "poor", annotation=number, revision=3)
    assert store.grades(1) == ["poor"]


def test_answers_to_copies_count_and_those_to_hidden_checks_do_not(store: Store) -> None:
    store.say(store.task(1), 7, "poor")
    store.say(store.copy(1), 8, "good")
    store.say(store.copy(1, purpose="gold", key="gold"), 9, "fair")
    assert store.grades(1) == ["poor", "good"]
    assert store.progress() == (1, TASKS - 1)


def test_a_task_that_label_studio_lost_is_left_out_and_its_copy_goes_on(store: Store) -> None:
    store.say(store.task(1), 7, "poor")
    first = store.task(1)
    first.deleted_at = NOW
    store.session.flush()
    assert first.id not in answers_of(store.session, store.seeded.project_id)
    assert store.progress() == (0, TASKS - 1)
    copy = store.copy(1)
    assert store.progress() == (0, TASKS)
    store.say(copy, 8, "good")
    assert store.grades(1) == ["good"]
    assert store.progress() == (1, TASKS - 1), "its one copy brings one answer, never two"


def test_imported_answers_are_all_that_their_task_waits_for(store: Store) -> None:
    task = store.task(1)
    task.key, task.label_studio_task_id = f"{IMPORTED_KEY}1", None
    task.annotators_wanted = 2
    store.session.flush()
    assert store.progress() == (0, TASKS - 1)
    store.session.expire_all()
    imported = store.session.exec(select(Task).where(col(Task.key).startswith(IMPORTED_KEY))).one()
    store.say(imported, 7, "poor")
    store.say(imported, 7, "good", after=1)  # the same person twice in the file
    assert store.progress() == (1, TASKS - 1)


def test_a_task_whose_record_changed_before_its_push_is_not_waited_for(store: Store) -> None:
    task = store.task(1)
    task.label_studio_task_id = None
    record = store.session.get(Record, task.record_id)
    assert record is not None
    record.is_current = False
    store.session.flush()
    assert store.progress() == (0, TASKS - 1)
    record.is_current = True
    store.session.flush()
    assert store.progress() == (0, TASKS)
