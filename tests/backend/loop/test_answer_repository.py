"""Which answers count, who has answered and what is waited for, on both kinds of database."""

from sqlmodel import col, select

from backend.loop.answer_repository import answers_of
from backend.loop.repository import IMPORTED_KEY
from backend.models import Record, Task
from tests.backend.annotations.conftest import NOW, TASKS
from tests.backend.loop.store import Store


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


def test_where_the_first_task_is_gone_only_copies_that_are_ours_bring_an_answer(
    store: Store,
) -> None:
    store.task(1).deleted_at = NOW
    store.session.flush()
    copy = store.copy(1)
    store.copy(1, key=IMPORTED_KEY)
    assert store.progress() == (0, TASKS)
    store.say(copy, 8, "good")
    assert store.progress() == (1, TASKS - 1), "the copy in another Label Studio brings none"
