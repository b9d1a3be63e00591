"""One history for each kind of fault that once made two tellers of a fact differ."""

import pytest
from sqlalchemy import event
from sqlmodel import select

from backend.annotations import repository as annotations
from backend.annotations.intake import AnnotationIntake
from backend.label_studio.sync import cannot_be_shown
from backend.loop.job_names import NEXT_BATCH, RETRAIN
from backend.models import (
    Annotator,
    Job,
    ReviewCase,
    SyncCursor,
)
from backend.projects.service import ProjectsService
from backend.records import repository as records
from backend.review.sending_back import SendingBack
from labeling.label_studio.annotations import parse_annotation
from labeling.label_studio.sync import TaskSnapshot
from tests.backend.annotations.conftest import NOW
from tests.same_answers.agreement import (
    check_current,
    check_everybody_agrees,
    check_nothing_old_was_pushed,
    check_settled,
    check_store_equals_label_studio,
)
from tests.same_answers.world import CONTENTS, World


def jobs(world: World, name: str) -> list[Job]:
    with world.database.reading() as session:
        return list(session.exec(select(Job).where(Job.name == name)).all())


def test_labels_without_names_and_of_deleted_people_do_not_stop_the_loop(world: World) -> None:
    world.set_policy(annotators_per_record=2)
    world.label_studio.forget_person(1)
    world.answer_all(None)
    world.answer_all(None)
    world.bring_labels({"clock": [(None, "good"), (None, "poor")]})
    world.bring({"chair": 0})
    world.settle()
    check_everybody_agrees(world)
    check_settled(world)
    assert world.task_of("chair"), "the loop went on to what nobody was asked about"


def test_content_that_comes_back_is_asked_about_and_what_it_replaced_is_not(world: World) -> None:
    world.answer_all()
    world.settle()
    world.bring({"kettle": 1})
    world.settle()
    world.label_studio.say(world.task_of("kettle"), 1, "good")
    world.sync(is_full=False)
    world.settle()
    world.bring({"chair": 0, "lamp": 1})  # chosen, and not pushed yet
    world.look()
    world.work(("review.refresh", NEXT_BATCH))
    before = world.label_studio.last_task
    world.bring({"chair": 1, "lamp": 0})
    world.bring({"chair": 0})
    world.settle()
    check_nothing_old_was_pushed(world, before)
    check_settled(world)
    check_current(world, {**CONTENTS, "kettle": 1, "chair": 0})
    world.bring({"lamp": 1})
    check_current(world, {**CONTENTS, "kettle": 1, "chair": 0, "lamp": 1})
    world.settle()
    check_settled(world)


def test_a_place_in_a_pushed_batch_waits_for_its_content_to_come_back(world: World) -> None:
    world.answer_all()
    world.bring({"chair": 0, "clock": 0})
    world.look()
    world.work(("review.refresh", "training.retrain", NEXT_BATCH))
    world.bring({"chair": 1})
    before = world.label_studio.last_task
    world.settle()
    check_nothing_old_was_pushed(world, before)
    check_everybody_agrees(world)
    world.bring({"chair": 0})
    world.settle()
    check_settled(world)
    assert {each.key for each in world.label_studio.tasks.values()} >= {
        f"key-{record_id}" for record_id in world.current().values()
    }


def test_every_change_of_what_is_current_is_another_generation(world: World) -> None:
    def generation() -> int:
        with world.database.reading() as session:
            return records.generation(session, world.dataset_id)

    found = [generation()]
    for contents in ({"kettle": 1}, {"kettle": 0}, {"kettle": 0}, {"chair": 0}):
        world.bring(contents)
        found.append(generation())
    assert found[0] < found[1] < found[2] == found[3] < found[4]
    world.bring_labels({"kettle": [(None, "good")]}, version=2)  # a version that is history at once
    assert generation() > found[-1]
    check_current(world, {**CONTENTS, "chair": 0})


def test_a_task_that_could_not_be_shown_is_told_and_read_until_it_can(world: World) -> None:
    kettle, shirt = world.task_of("kettle"), world.task_of("shirt")
    world.label_studio.say(kettle, 1, "good")
    world.label_studio.tasks[kettle].is_broken = True
    for _ in range(3):
        for _ in range(5):
            world.label_studio.say(shirt, 2, "poor")  # the cursor moves on
        world.sync(is_full=False)
        with world.database.reading() as session:
            cursor = session.get_one(SyncCursor, world.project_id)
        assert cursor.unreadable == [kettle], "an unread task is told"
        assert cursor.error == cannot_be_shown([kettle])
    world.label_studio.tasks[kettle].is_broken = False
    world.sync(is_full=False)
    with world.database.reading() as session:
        assert session.get_one(SyncCursor, world.project_id).error is None
    world.work()
    check_everybody_agrees(world)


def test_a_task_that_could_not_be_shown_is_read_once_it_can(world: World) -> None:
    kettle, shirt = world.task_of("kettle"), world.task_of("shirt")
    world.label_studio.say(kettle, 1, "good")
    world.label_studio.tasks[kettle].is_broken = True
    for is_broken in (True, False):
        world.label_studio.tasks[kettle].is_broken = is_broken
        for _ in range(5):
            world.label_studio.say(shirt, 2, "poor")  # the cursor moves on
        world.sync(is_full=False)
    check_store_equals_label_studio(world, is_full=False)


def test_an_unread_task_that_is_deleted_there_is_told_no_more(world: World) -> None:
    kettle = world.task_of("kettle")
    world.label_studio.say(kettle, 1, "good")
    world.label_studio.tasks[kettle].is_broken = True
    world.sync(is_full=False)
    del world.label_studio.tasks[kettle]
    world.sync(is_full=False)
    with world.database.reading() as session:
        cursor = session.get_one(SyncCursor, world.project_id)
    assert (cursor.unreadable, cursor.error) == ([], None)


def test_the_overview_counts_the_revision_that_the_loop_counts(world: World) -> None:
    kettle = world.task_of("kettle")
    first = world.label_studio.say(kettle, 1, None)
    second = world.label_studio.change(kettle, first["id"], "good")
    world.tell("ANNOTATION_UPDATED", second, "once")
    world.work()
    world.tell("ANNOTATION_CREATED", first, "once")  # late: a skip of a moment before
    world.work()
    check_everybody_agrees(world)


def test_what_the_desk_calls_a_tie_is_not_learnt(world: World) -> None:
    for confidence in (0.6, 0.99):
        world.set_policy(confidence_wanted=confidence)
        check_everybody_agrees(world)


def test_more_events_than_one_transaction_takes_are_all_applied(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotations, "EVENTS_AT_A_TIME", 2)
    kettle = world.task_of("kettle")
    for _ in range(5):
        world.tell("ANNOTATION_CREATED", world.label_studio.say(kettle, 1, "good"), "once")
    world.work()
    check_everybody_agrees(world)


@pytest.mark.parametrize("what", ["answer", "decision", "policy", "deletion"])
def test_what_changes_after_the_last_round_is_learnt_once(world: World, what: str) -> None:
    world.answer_all()
    world.settle()
    learnt = len(jobs(world, RETRAIN))
    assert learnt == 1
    kettle = world.task_of("kettle")
    given = next(iter(world.label_studio.tasks[kettle].annotations))
    match what:
        case "answer":
            changed = world.label_studio.change(kettle, given, "poor")
            world.tell("ANNOTATION_UPDATED", changed, "once")
        case "decision":
            world.label_studio.say(kettle, 2, "poor")
            world.sync(is_full=False)
            world.settle()
            learnt = len(jobs(world, RETRAIN))
            world.decide(0, "decide", "fair")
        case "policy":
            world.set_policy(confidence_wanted=0.99)
        case "deletion":
            world.label_studio.delete_annotation(kettle, given)
            world.sync(is_full=False)
            world.work()
            shown = world.label_studio.say(kettle, 3, "poor")
            world.tell("ANNOTATION_CREATED", shown, "once")
    world.work()
    for _ in range(3):
        world.settle()
    check_settled(world)
    assert len(jobs(world, RETRAIN)) == learnt + 1, "and not for ever"


def test_an_intake_asks_the_store_as_often_for_many_tasks_as_for_few(world: World) -> None:
    def snapshots(count: int) -> list[TaskSnapshot]:
        return [
            TaskSnapshot(
                task_id,
                NOW,
                (
                    parse_annotation(
                        {
                            "id": task_id,
                            "task": task_id,
                            "completed_by": 1,
                            "created_at": NOW.isoformat(),
                            "updated_at": NOW.isoformat(),
                            "result": [],
                        },
                        None,
                    ),
                ),
            )
            for task_id in sorted(world.label_studio.tasks)[:count]
        ]

    def statements(part: list[TaskSnapshot]) -> int:
        with world.database.transaction() as session:
            intake = AnnotationIntake(session, world.project_id, via="sync", now=NOW)
            counted: list[str] = []
            bind = session.connection().engine

            def note(*parts: object) -> None:
                counted.append(str(parts[2]))

            event.listen(bind, "before_cursor_execute", note)
            intake.reconcile(part, read_from=world.services.clock())
            event.remove(bind, "before_cursor_execute", note)
        return len(counted)

    world.bring({f"more {number}": 0 for number in range(12)})
    for _ in range(4):
        world.request_batch()
        world.settle()
    statements(snapshots(12))  # all are new
    few, many = statements(snapshots(2)), statements(snapshots(12))
    assert few == many, "unchanged tasks"
    gone = [TaskSnapshot(each.task_id, NOW, ()) for each in snapshots(12)]
    assert statements(gone[:2]) == statements(gone[2:]), "deletions"
    assert statements(snapshots(2)) == statements(snapshots(12)[2:]), "restorations"


def test_a_task_deleted_there_is_not_made_again_for_another_of_its_batch(world: World) -> None:
    world.set_policy(annotators_per_record=2)
    kettle, shirt = world.task_of("kettle"), world.task_of("shirt")
    for person, grade in ((1, "good"), (2, "poor")):
        world.tell("ANNOTATION_CREATED", world.label_studio.say(kettle, person, grade), "once")
    world.work()
    key = world.label_studio.tasks.pop(shirt).key
    world.sync(is_full=True)
    with world.database.transaction() as session:
        case = session.exec(select(ReviewCase).where(ReviewCase.state == "open")).one()
        asked = session.exec(select(Annotator)).first()
        assert asked is not None
        project = ProjectsService(session, world.services.clock).get(world.project_id)
        SendingBack(session, world.services.clock).send(project, case, asked.id)
    world.settle()
    held = {each.key for each in world.label_studio.tasks.values()}
    assert len(held) == len(CONTENTS), "two that were there, and the copy"
    assert key not in held
    check_everybody_agrees(world)


def test_a_task_that_is_gone_changes_how_many_answers_its_record_waits_for(world: World) -> None:
    lamp = world.task_of("lamp")
    world.bring_labels({"lamp": [(None, "good")]})
    world.set_policy(annotators_per_record=2)
    world.settle()
    check_everybody_agrees(world)
    del world.label_studio.tasks[lamp]
    world.sync(is_full=True)
    world.work()
    check_everybody_agrees(world)


def test_a_record_whose_first_task_is_gone_keeps_one_row_in_the_export(world: World) -> None:
    del world.label_studio.tasks[world.task_of("lamp")]
    world.bring_labels({"lamp": [(None, "good")]})
    world.sync(is_full=True)
    world.work()
    check_everybody_agrees(world)
