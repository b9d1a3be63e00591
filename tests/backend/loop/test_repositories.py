"""The loop's queries against the same said in Python, over stores drawn at random."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import func
from sqlmodel import col, select

from backend.core.parts import parts
from backend.loop import answer_repository, repository, revision_repository
from backend.loop.answer_repository import answers_of, gold_answers, states
from backend.loop.answers import GOLD, LABEL, RELABEL
from backend.loop.repository import IMPORTED_KEY, Learnt
from backend.loop.revision_repository import current_revisions
from backend.models import (
    Annotation,
    Batch,
    Decision,
    Job,
    ModelVersion,
    Project,
    Record,
    ReviewCase,
    Task,
)
from backend.projects.schemas import LoopPolicy
from tests.backend.annotations.conftest import NOW, TASKS
from tests.backend.loop.store import Store

Row = dict[str, Any]


def second_project(store: Store) -> int:
    """Another project over the same records, with a batch, a task, an answer and a decision."""
    ours = store.session.get_one(Project, store.seeded.project_id)
    project = Project(
        **{**ours.model_dump(exclude={"id", "label_studio_project_id"}), "name": "Other"}
    )
    store.session.add(project)
    store.session.flush()
    batch = Batch(
        project_id=project.id, round=9, strategy="entropy", seed=0, created_at=NOW, pushed_at=None
    )
    store.session.add(batch)
    store.session.flush()
    task = Task(
        project_id=project.id,
        record_id=store.session.exec(select(func.min(Record.id))).one(),
        batch_id=batch.id,
        key="other",
        position=1,
        is_audit=False,
        label_studio_task_id=None,
    )
    store.session.add(task)
    store.session.flush()
    number = store.say(task, 9, "fair")
    row = store.session.exec(
        select(Annotation).where(Annotation.label_studio_annotation_id == number)
    ).one()
    row.project_id = project.id
    decide(store, task, project.id)
    trained(store, project.id, 70)
    store.session.flush()
    return project.id


def decide(store: Store, task: Task, project_id: int, *, stands: bool = True) -> int:
    case = store.session.exec(
        select(ReviewCase).where(ReviewCase.task_id == task.id)
    ).one_or_none() or ReviewCase(
        project_id=project_id, task_id=task.id, state="decided", opened_at=NOW, changed_at=NOW
    )
    store.session.add(case)
    store.session.flush()
    row = Decision(case_id=case.id, action="decide", author="a", case_version=1, created_at=NOW)
    store.session.add(row)
    store.session.flush()
    case.decision_id = row.id if stands else None
    store.session.flush()
    return row.id


def trained(store: Store, project_id: int, number: int) -> None:
    store.session.add(
        ModelVersion(
            project_id=project_id,
            number=number,
            fingerprint=f"{project_id}-{number}",
            artifact="a",
            encoder="characters",
            training_labels=1,
            audit_labels=0,
            metrics={},
            created_at=NOW,
        )
    )
    store.session.flush()


def disorder(store: Store, random: Random) -> None:
    """Whatever can become of tasks, their records, copies and answers."""
    for number in range(1, TASKS + 1):
        for _ in range(random.choice((0, 0, 1, 2))):
            purpose = random.choice((RELABEL, RELABEL, GOLD))
            key = IMPORTED_KEY if purpose == RELABEL and random.random() < 0.3 else purpose
            store.copy(number, purpose=purpose, key=key)
    tasks = store.session.exec(select(Task).order_by(col(Task.id))).all()
    for task in tasks:
        task.annotators_wanted = random.choice((None, 1, 3))
        if random.random() < 0.2:
            task.deleted_at = NOW
        if task.purpose == LABEL and random.random() < 0.2:
            task.key, task.label_studio_task_id = f"{IMPORTED_KEY}{task.id}", None
        if random.random() < 0.3:
            store.session.get_one(Record, task.record_id).is_current = False
        if random.random() < 0.3:
            task.label_studio_task_id = None
    for _ in range(60):
        task, person = random.choice(tasks), random.choice((None, 1, 2, 3))
        number = store.say(
            task, person, random.choice(("good", "poor", None)), after=random.randint(0, 4)
        )
        for revision in range(2, random.choice((2, 2, 3, 4))):
            store.say(
                task,
                person,
                random.choice(("good", "poor", None)),
                after=random.randint(0, 4),
                annotation=number,
                revision=revision,
                is_deleted=random.random() < 0.4,
            )
    store.session.flush()


def everything(store: Store) -> tuple[dict[int, Task], list[Annotation]]:
    """(id to task, revisions by id) of our project."""
    ours = store.seeded.project_id
    tasks = store.session.exec(
        select(Task).where(Task.project_id == ours).order_by(col(Task.id))
    ).all()
    rows = store.session.exec(
        select(Annotation).where(Annotation.project_id == ours).order_by(col(Annotation.id))
    ).all()
    return {task.id: task for task in tasks}, list(rows)


def standing(rows: Iterable[Annotation]) -> dict[int, Annotation]:
    """Annotation to the revision that counts, also where that is a deletion."""
    latest: dict[int, Annotation] = {}
    for row in rows:
        known = latest.get(row.label_studio_annotation_id)
        if known is None or (row.revised_at, row.revision) > (known.revised_at, known.revision):
            latest[row.label_studio_annotation_id] = row
    return dict(sorted(latest.items()))


def by_definition(store: Store) -> dict[int, Row]:
    """First task's id to what counts of its record."""
    tasks, rows = everything(store)
    counted = {n: t for n, t in tasks.items() if t.purpose != GOLD and t.deleted_at is None}
    found: dict[int, Row] = {}
    for number, task in counted.items():
        each = found.setdefault(task.original_id or number, {"tasks": [], "said": {}})
        each["tasks"].append(number)
    for first, each in found.items():
        own = [counted[n] for n in each["tasks"] if not counted[n].key.startswith(IMPORTED_KEY)]
        is_first_there = any(counted[n].purpose == LABEL for n in each["tasks"])
        each["wanted"] = tasks[first].annotators_wanted
        each["copies"] = None if is_first_there else len(own)
        each["can_be_answered"] = any(
            task.label_studio_task_id is not None
            or store.session.get_one(Record, task.record_id).is_current
            for task in own
        )
    for row in standing(rows).values():
        if row.is_deleted or row.task_id not in counted:
            continue
        said = found[counted[row.task_id].original_id or row.task_id]["said"]
        person = row.annotator_id or -row.id
        if person not in said or (row.revised_at, row.id) > (
            said[person].revised_at,
            said[person].id,
        ):
            said[person] = row
    return dict(sorted(found.items()))


@pytest.fixture(autouse=True)
def few_ids_a_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (answer_repository, revision_repository):
        monkeypatch.setattr(module, "parts", lambda items: parts(items, 3))


@pytest.mark.parametrize("seed", range(6))
def test_what_counts_of_each_record_is_the_definition(store: Store, seed: int) -> None:
    random = Random(seed)
    disorder(store, random)
    second_project(store)
    expected = by_definition(store)
    assert expected
    ours = store.seeded.project_id
    found = answers_of(store.session, ours)
    assert list(found) == list(expected)
    for first, each in expected.items():
        record = found[first]
        said = sorted(each["said"].values(), key=lambda row: row.id)
        assert record.task.id == first
        assert [task.id for task in record.tasks] == each["tasks"]
        assert [row.id for row in record.answers] == [r.id for r in said if not r.was_cancelled]
        assert [row.id for row in record.skips] == [row.id for row in said if row.was_cancelled]
        asked = (each["wanted"], each["copies"], each["can_be_answered"])
        assert (
            record.asked.annotators_wanted,
            record.asked.copies,
            record.asked.can_be_answered,
        ) == asked
    counted = states(store.session, ours)
    assert counted.keys() == expected.keys()
    for first, state in counted.items():
        assert state.responses == len(expected[first]["said"])
        assert state.asked == found[first].asked
        assert state.batch_id == found[first].task.batch_id
    tasks, _ = everything(store)
    for _ in range(6):
        some = random.sample(list(tasks), k=random.randint(0, 8))
        part = answers_of(store.session, ours, task_ids=some)
        firsts = {tasks[number].original_id or number for number in some}
        assert list(part) == sorted(firsts & expected.keys())
        for first, record in part.items():
            whole = found[first]
            for kind in ("tasks", "answers", "skips"):
                ids = [[row.id for row in getattr(each, kind)] for each in (record, whole)]
                assert ids[0] == ids[1]
            assert record.asked == whole.asked


@pytest.mark.parametrize("seed", range(4))
def test_the_revisions_that_count_are_the_latest_of_each_annotation(
    store: Store, seed: int
) -> None:
    random = Random(100 + seed)
    disorder(store, random)
    second_project(store)
    tasks, rows = everything(store)
    ours, latest = store.seeded.project_id, standing(rows)
    some_tasks = random.sample(list(tasks), k=5)
    some = random.sample(list(latest), k=9)
    for include in (False, True):
        chosen = {n: row for n, row in latest.items() if include or not row.is_deleted}

        def numbers(**what: Any) -> list[int]:
            found = current_revisions(store.session, ours, include_deleted=include, **what)  # noqa: B023
            return [row.id for row in found]

        assert numbers() == [row.id for row in chosen.values()]
        by_task = [row.id for row in chosen.values() if row.task_id in some_tasks]
        assert sorted(numbers(task_ids=some_tasks)) == sorted(by_task)
        assert sorted(numbers(annotation_ids=some)) == sorted(
            chosen[n].id for n in some if n in chosen
        )
        assert numbers(task_ids=[]) == numbers(annotation_ids=[]) == []
    gold = [
        (tasks[row.task_id].original_id, row.id)
        for row in latest.values()
        if not row.is_deleted
        and tasks[row.task_id].purpose == GOLD
        and tasks[row.task_id].deleted_at is None
    ]
    assert [(first, row.id) for first, row in gold_answers(store.session, ours)] == gold


@pytest.mark.parametrize("seed", range(4))
def test_what_label_studio_is_to_be_given_is_current_ours_and_not_there_yet(
    store: Store, seed: int
) -> None:
    random = Random(200 + seed)
    batches = [store.session.exec(select(Batch)).one()]
    for number in (3, 2):
        batch = Batch(
            project_id=store.seeded.project_id,
            round=number,
            strategy="entropy",
            seed=0,
            created_at=NOW,
            pushed_at=None if number == seed else NOW,
        )
        store.session.add(batch)
        batches.append(batch)
    store.session.flush()
    disorder(store, random)
    second_project(store)
    tasks, _ = everything(store)
    for task in tasks.values():
        task.batch_id = random.choice(batches).id
        task.label_studio_task_id = None if random.random() < 0.15 else task.label_studio_task_id
    store.session.flush()
    due = {
        batch.id: [
            task.id
            for task in tasks.values()
            if task.batch_id == batch.id
            and task.label_studio_task_id is None
            and task.deleted_at is None
            and not task.key.startswith(IMPORTED_KEY)
            and store.session.get_one(Record, task.record_id).is_current
        ]
        for batch in batches
    }
    for batch in batches:
        assert repository.count_due(store.session, batch.id) == len(due[batch.id])
        assert repository.get_batch(store.session, batch.id) is batch
    waiting = [batch for batch in batches if batch.pushed_at is None or due[batch.id]]
    found = repository.batches_not_pushed(store.session, store.seeded.project_id)
    assert [batch.id for batch in found] == [
        batch.id for batch in sorted(waiting, key=lambda batch: batch.round)
    ]
    assert [task.id for task in repository.tasks(store.session, store.seeded.project_id)] == list(
        tasks
    )
    assert repository.tasked_record_ids(store.session, store.seeded.project_id) == {
        task.record_id for task in tasks.values()
    }


@pytest.mark.parametrize("seed", range(4))
def test_what_came_after_a_training_is_told_record_by_record(store: Store, seed: int) -> None:
    random = Random(300 + seed)
    disorder(store, random)
    ours = store.seeded.project_id
    tasks, rows = everything(store)
    decisions = [
        (task, decide(store, tasks[task], ours))
        for task in random.choices([n for n, t in tasks.items() if t.purpose == LABEL], k=6)
    ]
    second_project(store)
    policy = LoopPolicy(annotators_per_record=3, confidence_wanted=0.7)
    newest = max(row.id for row in rows)
    assert repository.learnable(store.session, ours, policy) == Learnt(
        newest, max(row for _, row in decisions), 3, 0.7
    )
    for _ in range(5):
        learnt = Learnt(random.randint(0, newest), random.randint(0, decisions[-1][1]))
        expected: dict[int, list[Annotation]] = {}
        for row in rows:
            task = tasks[row.task_id]
            if row.id > learnt.annotation and task.purpose != GOLD:
                expected.setdefault(task.original_id or task.id, []).append(row)
        found = repository.answers_since(store.session, ours, learnt)
        assert sorted(found) == sorted(
            (first, max(row.id for row in each), any(row.is_deleted for row in each))
            for first, each in expected.items()
        )
        after: dict[int, int] = {}
        for task_id, row_id in decisions:
            if row_id > learnt.decision:
                after[task_id] = max(row_id, after.get(task_id, 0))
        assert dict(repository.decisions_since(store.session, ours, learnt)) == after


def test_who_has_learnt_nothing_stands_before_the_first_answer_and_decision(store: Store) -> None:
    policy = LoopPolicy(annotators_per_record=3, confidence_wanted=0.7)
    found = repository.learnable(store.session, store.seeded.project_id, policy)
    assert found == Learnt(0, 0, 3, 0.7)
    assert Learnt() == Learnt(0, 0, 0, 0.0)


def test_the_newest_batch_and_version_are_the_projects_own(store: Store) -> None:
    ours = store.seeded.project_id
    assert repository.latest_model_version(store.session, ours) is None
    second_project(store)
    for number in (2, 11, 3):
        trained(store, ours, number)
        store.session.add(
            Batch(
                project_id=ours,
                round=number,
                strategy="entropy",
                seed=0,
                created_at=NOW,
            )
        )
    store.session.flush()
    version = repository.latest_model_version(store.session, ours)
    batch = repository.latest_batch(store.session, ours)
    assert version is not None
    assert batch is not None
    assert (version.number, batch.round) == (11, 11)
    assert repository.latest_batch(store.session, ours + 99) is None


def test_failures_are_of_the_step_the_project_and_the_time(store: Store) -> None:
    ours, other = store.seeded.project_id, second_project(store)

    def job(number: int, name: str, project: int, status: str, ended: datetime | None) -> Job:
        return Job(
            id=f"job-{number}",
            name=name,
            project_id=project,
            status=status,
            args={},
            finished_at=ended,
            enqueued_at=NOW,
        )

    jobs = [
        job(number, name, project, status, ended)
        for number, (name, project, status, ended) in enumerate(
            (name, project, status, ended)
            for name in ("a", "b")
            for project in (ours, other)
            for status in ("failed", "done")
            for ended in (NOW, NOW - timedelta(hours=1), NOW + timedelta(microseconds=1))
        )
    ]
    store.session.add_all(jobs)
    store.session.flush()
    assert repository.count_failures(store.session, "a", ours, before=NOW) == 2
    early = NOW - timedelta(hours=1)
    assert repository.count_failures(store.session, "b", ours, before=early) == 1
    assert repository.count_failures(store.session, "c", ours, before=NOW) == 0


def test_the_state_of_answers_changes_with_every_answer_decision_and_person(store: Store) -> None:
    ours = store.seeded.project_id
    seen = [repository.answers_state(store.session, ours)]
    assert seen[0] == (0,) * 6

    def is_new() -> bool:
        state = repository.answers_state(store.session, ours)
        seen.append(state)
        return state not in seen[:-1]

    store.say(store.task(1), 7, "good")
    assert is_new()
    store.say(store.task(1), 8, "good")
    assert is_new()
    row = store.session.exec(select(Annotation).where(col(Annotation.id) == 1)).one()
    row.annotator_id = store.person(8)
    store.session.flush()
    assert is_new(), "two were one person"
    first = decide(store, store.task(1), ours)
    assert is_new()
    case = store.session.exec(select(ReviewCase)).one()
    second = decide(store, store.task(1), ours)
    assert is_new()
    case.decision_id = first
    store.session.flush()
    assert is_new() is False, "as before the second decision"
    decide(store, store.task(2), ours, stands=False)
    assert is_new() is False, "a decision that does not stand"
    assert second > first
    before = seen[-1]
    second_project(store)
    assert repository.answers_state(store.session, ours) == before


def test_a_later_project_over_the_same_records_sees_its_own_alone(store: Store) -> None:
    disorder(store, Random(5))
    for number in (1, 2):
        decide(store, store.session.get_one(Task, number), store.seeded.project_id)
    trained(store, store.seeded.project_id, 99)
    other = second_project(store)
    session = store.session
    (task,) = repository.tasks(session, other)
    (batch,) = session.exec(select(Batch).where(Batch.project_id == other))
    answer = session.exec(select(Annotation).where(Annotation.project_id == other)).one()
    decision = max(session.exec(select(Decision.id)))
    assert list(answers_of(session, other)) == list(states(session, other)) == [task.id]
    assert [row.id for row in current_revisions(session, other)] == [answer.id]
    assert gold_answers(session, other) == []
    assert repository.tasked_record_ids(session, other) == {task.record_id}
    assert [each.id for each in repository.batches_not_pushed(session, other)] == [batch.id]
    newest = repository.latest_batch(session, other)
    version = repository.latest_model_version(session, other)
    assert newest is not None
    assert version is not None
    assert (newest.id, version.number) == (batch.id, 70)
    known = repository.learnable(session, other, LoopPolicy())
    assert (known.annotation, known.decision) == (answer.id, decision)
    assert repository.answers_since(session, other, Learnt()) == [(task.id, answer.id, False)]
    assert repository.decisions_since(session, other, Learnt()) == [(task.id, decision)]
    assert repository.answers_state(session, other) == (
        1,
        answer.id,
        answer.annotator_id,
        1,
        decision,
        decision,
    )
