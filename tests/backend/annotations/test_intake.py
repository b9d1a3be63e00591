"""Lost, doubled, late and shuffled events: the store ends equal to Label Studio."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

import pytest
from sqlmodel import col, select

from backend.annotations import repository
from backend.annotations.intake import AnnotationIntake
from backend.annotations.revisions import SyncCounts
from backend.label_studio import repository as label_studio_repository
from backend.loop import revision_repository
from backend.models import Annotation, Annotator
from labeling.label_studio.annotations import (
    Answer,
    ParsedAnnotation,
    build_result,
    parse_annotation,
)
from labeling.label_studio.sync import TaskSnapshot
from tests.backend.annotations.conftest import NOW, TASKS, Seeded

GRADES = ("good", "fair", "poor")
LATER = NOW + timedelta(seconds=1)


@dataclass
class Surface:
    """What Label Studio would hold: annotations by id, and when each task was touched."""

    seeded: Seeded
    random: Random
    held: dict[int, ParsedAnnotation] = field(default_factory=dict)
    touched: dict[int, datetime] = field(default_factory=dict)
    tick: int = 0
    next_id: int = 1

    def now(self) -> datetime:
        self.tick += 1
        return NOW + timedelta(milliseconds=self.tick)

    def create(self) -> ParsedAnnotation:
        parsed = self._answer(self.next_id, 1000 + self.random.randint(1, TASKS), self.now())
        self.next_id += 1
        return self._keep(parsed)

    def update(self) -> ParsedAnnotation:
        old = self.random.choice(list(self.held.values()))
        new = self._answer(old.label_studio_id, old.task_id, self.now())
        return self._keep(replace(new, created_at=old.created_at, annotator_id=old.annotator_id))

    def delete(self) -> None:
        gone = self.held.pop(self.random.choice(list(self.held)))
        self.touched[gone.task_id] = self.now()

    def snapshots(self) -> list[TaskSnapshot]:
        return [
            TaskSnapshot(
                task_id,
                moment,
                tuple(a for a in self.held.values() if a.task_id == task_id),
            )
            for task_id, moment in self.touched.items()
        ]

    def _keep(self, parsed: ParsedAnnotation) -> ParsedAnnotation:
        self.held[parsed.label_studio_id] = parsed
        self.touched[parsed.task_id] = parsed.updated_at
        return parsed

    def _answer(self, annotation_id: int, task_id: int, moment: datetime) -> ParsedAnnotation:
        fields = {"title": "x", "price": 1}
        answer = Answer(grade=self.random.choice(GRADES), issues=("duplicate",))
        raw = {
            "id": annotation_id,
            "task": task_id,
            "result": build_result(answer, fields, self.seeded.schema),
            "completed_by": self.random.randint(1, 3),
            "created_at": moment.isoformat(),
            "updated_at": moment.isoformat(),
        }
        return parse_annotation(raw, self.seeded.schema)


def apply(seeded: Seeded, annotations: Sequence[ParsedAnnotation]) -> SyncCounts:
    with seeded.database.transaction() as session:
        intake = AnnotationIntake(session, seeded.project_id, via="webhook", now=NOW)
        return intake.apply(annotations)[0]


def reconcile(
    seeded: Seeded, snapshots: Sequence[TaskSnapshot], *, read_from: datetime = LATER
) -> SyncCounts:
    with seeded.database.transaction() as session:
        intake = AnnotationIntake(session, seeded.project_id, via="sync", now=NOW)
        return intake.reconcile(snapshots, read_from=read_from)[0]


def content(seeded: Seeded) -> dict[int, tuple[str | None, datetime]]:
    with seeded.database.reading() as session:
        rows = revision_repository.current_revisions(session, seeded.project_id)
    return {row.label_studio_annotation_id: (row.grade, row.revised_at) for row in rows}


def expected(surface: Surface) -> dict[int, tuple[str | None, datetime]]:
    return {a.label_studio_id: (a.grade, a.updated_at) for a in surface.held.values()}


@pytest.mark.parametrize("seed", range(3))
def test_chaotic_events_and_one_sync_end_equal_to_label_studio(seeded: Seeded, seed: int) -> None:
    random = Random(seed)
    surface = Surface(seeded, random)
    events: list[ParsedAnnotation] = []
    for step in range(120):
        action = random.random()
        if not surface.held or action < 0.5:
            events.append(surface.create())
        elif action < 0.85:
            events.append(surface.update())
        else:
            surface.delete()
        if step % 20 == 19:
            chaotic = [event for event in events if random.random() < 0.7]  # some are lost
            chaotic += random.sample(chaotic, k=len(chaotic) // 3)  # some come twice
            random.shuffle(chaotic)
            for event in chaotic:
                apply(seeded, [event])
            reconcile(seeded, surface.snapshots())
            assert content(seeded) == expected(surface)
    late = random.sample(events, k=len(events) // 2)
    apply(seeded, late)
    assert content(seeded) == expected(surface), "a late event must not bring anything back"
    with seeded.database.reading() as session:
        known = repository.known_identities(session, seeded.project_id, range(1, surface.next_id))
    for identities in known.values():
        assert sorted(identities.values()) == list(range(1, len(identities) + 1))


def test_a_second_sync_writes_nothing(seeded: Seeded) -> None:
    surface = Surface(seeded, Random(1))
    for _ in range(10):
        surface.create()
    assert reconcile(seeded, surface.snapshots()) == SyncCounts(created=10)
    assert reconcile(seeded, surface.snapshots()) == SyncCounts()


def test_a_deletion_is_a_revision_and_keeps_the_answer(seeded: Seeded) -> None:
    surface = Surface(seeded, Random(2))
    parsed = surface.create()
    apply(seeded, [parsed])
    surface.delete()
    assert reconcile(seeded, surface.snapshots()) == SyncCounts(deleted=1)
    with seeded.database.reading() as session:
        rows = revision_repository.current_revisions(
            session, seeded.project_id, include_deleted=True
        )
    assert [(row.is_deleted, row.grade, row.revision) for row in rows] == [(True, parsed.grade, 2)]


def test_an_annotation_that_label_studio_still_holds_comes_back(seeded: Seeded) -> None:
    surface = Surface(seeded, Random(3))
    parsed = surface.create()
    apply(seeded, [parsed])
    empty = [TaskSnapshot(parsed.task_id, parsed.updated_at, ())]
    reconcile(seeded, empty)
    assert content(seeded) == {}
    reconcile(seeded, surface.snapshots())
    assert content(seeded) == expected(surface)
    assert reconcile(seeded, surface.snapshots()) == SyncCounts()


def test_a_webhook_that_overtakes_a_sync_is_not_taken_for_a_deletion(seeded: Seeded) -> None:
    surface = Surface(seeded, Random(6))
    parsed = surface.create()
    stale = [TaskSnapshot(parsed.task_id, NOW, ())]  # read before the answer was submitted
    apply(seeded, [parsed])
    assert reconcile(seeded, stale, read_from=NOW - timedelta(seconds=1)) == SyncCounts()
    assert content(seeded) == expected(surface)


def test_deleting_restoring_and_deleting_again_ends_as_label_studio_is(seeded: Seeded) -> None:
    surface = Surface(seeded, Random(7))
    parsed = surface.create()
    held = surface.snapshots()
    gone = [TaskSnapshot(parsed.task_id, parsed.updated_at, ())]
    for snapshots, count in ((held, 1), (gone, 0), (held, 1), (gone, 0), (gone, 0)):
        reconcile(seeded, snapshots)
        assert len(content(seeded)) == count


def test_tasks_deleted_in_label_studio_take_their_annotations_along(seeded: Seeded) -> None:
    surface = Surface(seeded, Random(4))
    parsed = surface.create()
    apply(seeded, [parsed])
    with seeded.database.transaction() as session:
        intake = AnnotationIntake(session, seeded.project_id, via="sync", now=NOW)
        assert intake.delete_tasks([parsed.task_id]) == SyncCounts(deleted=1, tasks_deleted=1)
        assert intake.delete_tasks([parsed.task_id]) == SyncCounts()
    with seeded.database.reading() as session:
        pushed = label_studio_repository.pushed_label_studio_ids(session, seeded.project_id)
    assert parsed.task_id not in pushed
    assert content(seeded) == {}


def test_tasks_that_are_not_ours_are_named(seeded: Seeded) -> None:
    stranger = replace(Surface(seeded, Random(5)).create(), task_id=999_999)
    with seeded.database.transaction() as session:
        intake = AnnotationIntake(session, seeded.project_id, via="webhook", now=NOW)
        assert intake.apply([stranger]) == (SyncCounts(), [999_999])


def test_revisions_are_numbered_in_the_order_of_their_moments_and_counted_by_kind(
    seeded: Seeded,
) -> None:
    surface = Surface(seeded, Random(8))
    first = surface.create()
    second, third = surface.update(), surface.update()
    assert apply(seeded, [third, first]) == SyncCounts(created=1, updated=1)
    assert apply(seeded, [second, first, third]) == SyncCounts(updated=1)
    with seeded.database.reading() as session:
        known = repository.known_identities(session, seeded.project_id, [first.label_studio_id])
        (current,) = revision_repository.current_revisions(session, seeded.project_id)
    assert sorted(known[first.label_studio_id].values()) == [1, 2, 3]
    assert (current.revised_at, current.revision) == (third.updated_at, 2)


def test_a_deletion_that_is_told_with_the_moment_of_the_reading_is_not_known_before(
    seeded: Seeded,
) -> None:
    """What came in at the moment when the reading began may be missing from what was read."""
    surface = Surface(seeded, Random(9))
    parsed = surface.create()
    apply(seeded, [parsed])
    gone = [TaskSnapshot(parsed.task_id, parsed.updated_at, ())]
    assert reconcile(seeded, gone, read_from=NOW) == SyncCounts()
    later = NOW + timedelta(microseconds=1)
    assert reconcile(seeded, gone, read_from=later) == SyncCounts(deleted=1)


def test_what_was_deleted_and_is_held_with_a_later_update_gets_that_revision_alone(
    seeded: Seeded,
) -> None:
    surface = Surface(seeded, Random(10))
    parsed = surface.create()
    apply(seeded, [parsed])
    reconcile(seeded, [TaskSnapshot(parsed.task_id, parsed.updated_at, ())])
    surface.update()
    assert reconcile(seeded, surface.snapshots()) == SyncCounts(updated=1)
    assert content(seeded) == expected(surface)
    assert reconcile(seeded, surface.snapshots()) == SyncCounts()


def test_whoever_made_or_changed_an_answer_is_one_annotator_from_then_on(seeded: Seeded) -> None:
    surface = Surface(seeded, Random(11))
    first, second = surface.create(), surface.create()
    said = [
        replace(first, annotator_id=40, updated_by=50),
        replace(second, annotator_id=50, updated_by=60),
        replace(surface.create(), annotator_id=None, updated_by=None),
    ]
    apply(seeded, said[:1])
    apply(seeded, said[1:])
    apply(seeded, [surface.update()])
    with seeded.database.reading() as session:
        people = session.exec(select(Annotator)).all()
        rows = session.exec(select(Annotation).order_by(col(Annotation.id))).all()
    ids = {person.label_studio_user_id: person.id for person in people}
    assert len(people) == len(ids)
    assert {40, 50, 60} <= ids.keys()
    by_number = {ours: user for user, ours in ids.items()}
    found = {
        row.label_studio_annotation_id: (
            by_number.get(row.annotator_id or 0),
            by_number.get(row.updated_by_id or 0),
        )
        for row in rows
        if row.revision == 1
    }
    assert found == {each.label_studio_id: (each.annotator_id, each.updated_by) for each in said}


def test_a_restored_answer_keeps_its_people_its_content_and_the_moment_of_its_deletion(
    seeded: Seeded,
) -> None:
    surface = Surface(seeded, Random(12))
    parsed = surface.create()
    apply(seeded, [parsed])
    gone = parsed.updated_at + timedelta(minutes=1)
    reconcile(seeded, [TaskSnapshot(parsed.task_id, gone, ())])
    assert reconcile(seeded, surface.snapshots()) == SyncCounts(updated=1)
    with seeded.database.reading() as session:
        made, deleted, restored = session.exec(select(Annotation).order_by(col(Annotation.id)))
    assert (made.revision, deleted.revision, restored.revision) == (1, 2, 3)
    assert (deleted.revised_at, restored.revised_at) == (gone, gone)
    assert restored.identity == "held:3"
    same = {"id", "revision", "identity", "revised_at", "via"}
    assert restored.model_dump(exclude=same) == made.model_dump(exclude=same)
    assert restored.annotator_id is not None


def test_tasks_that_are_not_ours_are_named_and_left_out_of_a_sync(seeded: Seeded) -> None:
    surface = Surface(seeded, Random(13))
    ours = surface.create()
    foreign = [TaskSnapshot(number, NOW, ()) for number in (999_999, 999_998)]
    with seeded.database.transaction() as session:
        intake = AnnotationIntake(session, seeded.project_id, via="sync", now=NOW)
        found = intake.reconcile([*foreign, *surface.snapshots()], read_from=LATER)
    assert found == (SyncCounts(created=1), [999_998, 999_999])
    assert content(seeded).keys() == {ours.label_studio_id}


def test_answers_of_tasks_that_label_studio_does_not_hold_are_taken_for_ours(
    seeded: Seeded,
) -> None:
    surface = Surface(seeded, Random(14))
    said = [replace(surface.create(), task_id=-number) for number in (1, 2)]
    with seeded.database.transaction() as session:
        intake = AnnotationIntake(session, seeded.project_id, via="import", now=NOW)
        assert intake.apply_to(said, {-1: 5, -2: 3}) == SyncCounts(created=2)
        assert intake.apply_to(said, {-1: 5, -2: 3}) == SyncCounts()
    with seeded.database.reading() as session:
        rows = session.exec(select(Annotation).order_by(col(Annotation.id))).all()
    assert [(row.task_id, row.via, row.received_at) for row in rows] == [
        (5, "import", NOW),
        (3, "import", NOW),
    ]
