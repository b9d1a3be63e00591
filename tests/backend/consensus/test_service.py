"""The labels in the store are those that are computed, of all records and of a few."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from sqlmodel import select

from backend.consensus import repository, service, state_repository
from backend.consensus.exceptions import LabelsWritten
from backend.consensus.service import (
    LabelChanges,
    ProjectLabels,
    changes_of,
    labels_of,
    probabilities_with,
    shown_labels,
)
from backend.core.turns import turns
from backend.loop.job_names import REVIEW
from backend.models import ConsensusLabel, Decision, Job, ReviewCase
from backend.projects.service import label_schema_of
from tests.backend.annotations.conftest import NOW, TASKS
from tests.backend.consensus.test_overlap import opine
from tests.backend.review.conftest import Desk

GRADES = ("good", "fair", "poor", None)


def computed(desk: Desk, **what: Any) -> ProjectLabels:
    with desk.services.database.reading() as session:
        return labels_of(session, desk.project, **what)


def stored(desk: Desk) -> dict[int, dict[str, Any]]:
    """First task's id to the row of its label."""
    with desk.services.database.reading() as session:
        return {row.task_id: row.model_dump() for row in session.exec(select(ConsensusLabel))}


def version(desk: Desk) -> int:
    with desk.services.database.reading() as session:
        return state_repository.state(session, desk.project_id).version


def decided(desk: Desk, task_id: int, grade: str | None, *, stands: bool = True) -> Decision:
    with desk.services.database.transaction() as session:
        case = ReviewCase(
            project_id=desk.project_id,
            task_id=task_id,
            state="decided",
            opened_at=NOW,
            changed_at=NOW,
        )
        session.add(case)
        session.flush()
        row = Decision(
            case_id=case.id,
            action="decide",
            grade=grade,
            author="lead",
            case_version=1,
            created_at=NOW,
        )
        session.add(row)
        session.flush()
        case.decision_id = row.id if stands else None
    return row


def forget_reviews(desk: Desk) -> int:
    """No refresh of the cases is asked for any more; how many were."""
    with desk.services.database.transaction() as session:
        jobs = session.exec(select(Job).where(Job.name == REVIEW)).all()
        for job in jobs:
            session.delete(job)
    return len(jobs)


@pytest.mark.parametrize("seed", range(4))
def test_the_store_has_exactly_the_labels_that_the_answers_give(desk: Desk, seed: int) -> None:
    random, people = Random(seed), desk.people("Ana", "Bo", "Cy")
    opine(desk, dict.fromkeys(range(1, TASKS, 3), ("fair", 0.7)))
    given: list[tuple[int, int, int, int]] = []
    for _ in range(4):
        for _ in range(8):
            task, person = random.randint(1, TASKS), random.choice(people)
            grade = random.choice(GRADES)
            issues = random.sample(["duplicate", "other"], k=random.randint(0, 2))
            number = desk.answer(task, person, grade, issues=issues, skipped=grade is None)
            given.append((number, task, person, 1))
        for place in random.sample(range(len(given)), k=5):
            number, task, person, revision = given[place]
            given[place] = (number, task, person, revision + 1)
            desk.answer(
                task, person, "poor", annotation_id=number, revision=revision + 1, deleted=True
            )
        labels = shown_labels(desk.services, desk.project)
        assert labels.consensus == computed(desk).consensus
        rows = stored(desk)
        assert rows.keys() == labels.consensus.keys()
        for task_id, each in labels.consensus.items():
            assert rows[task_id] == {
                "task_id": task_id,
                "project_id": desk.project_id,
                "grade": each.grade,
                "confidence": each.confidence,
                "probabilities": pytest.approx(each.probabilities),
                "issues": each.issues,
                "faulty_fields": each.faulty_fields,
                "votes": each.votes,
                "skips": each.skips,
                "is_complete": each.is_complete,
                "method": each.method,
                "fingerprint": each.fingerprint(),
                "answers_wanted": None,
                "computed_at": rows[task_id]["computed_at"],
            }


def test_labels_that_are_shown_already_are_not_written_again(desk: Desk) -> None:
    ana, bo = desk.people("Ana", "Bo")
    desk.answer(1, ana, "good")
    desk.answer(2, ana, "good")
    shown_labels(desk.services, desk.project)
    before, known = stored(desk), version(desk)
    assert known > 0
    desk.clock.advance(60)
    shown_labels(desk.services, desk.project)
    assert (stored(desk), version(desk)) == (before, known)
    desk.answer(2, bo, "poor")
    desk.clock.advance(60)
    shown_labels(desk.services, desk.project)
    after = stored(desk)
    assert version(desk) > known
    assert after[2]["grade"] is None
    assert after[2]["computed_at"] > before[2]["computed_at"]


def test_whoever_writes_labels_asks_for_a_refresh_of_all_cases(desk: Desk) -> None:
    (ana,) = desk.people("Ana")
    desk.answer(1, ana, "good")
    desk.refresh()
    desk.answer(1, ana, "poor")
    forget_reviews(desk)
    with desk.services.database.reading() as session:
        assert state_repository.state(session, desk.project_id).marks is not None
    shown_labels(desk.services, desk.project)
    with desk.services.database.reading() as session:
        assert state_repository.state(session, desk.project_id).marks is None
    assert forget_reviews(desk) == 1


def test_a_model_that_changes_no_label_leaves_the_cases_alone(desk: Desk) -> None:
    (ana,) = desk.people("Ana")
    desk.answer(1, ana, "good")
    desk.refresh()
    opine(desk, {5: ("good", 0.9)})
    forget_reviews(desk)
    shown_labels(desk.services, desk.project)
    with desk.services.database.reading() as session:
        state = state_repository.state(session, desk.project_id)
        assert state.marks is not None
        assert state.fitted is not None
        assert state.fitted["predictions"][0] == 1
    assert forget_reviews(desk) == 0


def test_what_others_wrote_meanwhile_is_computed_once_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ana,) = desk.people("Ana")
    desk.answer(1, ana, "good")
    tries = []

    def interrupted(*args: Any, **kwargs: Any) -> ProjectLabels:
        found = labels_of(*args, **kwargs)
        tries.append(found)
        if len(tries) == 1:
            desk.answer(2, ana, "poor")
            desk.refresh()
        return found

    monkeypatch.setattr(service, "labels_of", interrupted)
    found = shown_labels(desk.services, desk.project)
    assert len(tries) == 2
    assert found.consensus.keys() == stored(desk).keys() == {1, 2}
    with desk.services.database.transaction() as session:
        old = state_repository.state(session, desk.project_id).model_copy(update={"version": 1})
        with pytest.raises(LabelsWritten):
            state_repository.advance(session, old)


@pytest.mark.parametrize("seed", range(3))
def test_labels_of_some_records_are_those_of_all(desk: Desk, seed: int) -> None:
    random, people = Random(seed), desk.people("Ana", "Bo", "Cy")
    opine(desk, dict.fromkeys(range(1, TASKS, 2), ("good", 0.8)))
    for _ in range(30):
        desk.answer(random.randint(1, TASKS), random.choice(people), random.choice(GRADES[:3]))
    decided(desk, 2, "fair")
    decided(desk, 3, "poor")
    decided(desk, 4, "poor", stands=False)
    whole = computed(desk)
    some = [2, 3, 5, 8]
    part = computed(desk, model=whole.model, task_ids=some)
    assert list(part.held) == some
    assert part.consensus == {n: each for n, each in whole.consensus.items() if n in some}
    assert part.decisions.keys() == {2, 3} == whole.decisions.keys()
    assert part.opinions == {n: each for n, each in whole.opinions.items() if n in some}
    assert set(whole.opinions) == set(range(1, TASKS, 2))
    assert part.grade_probabilities[5]["good"] == pytest.approx(0.8)
    assert part.learnt == whole.learnt
    assert part.learnt.decision > 0
    assert part.learnt.annotation == 30
    with pytest.raises(AssertionError, match="all records"):
        computed(desk, task_ids=some)


def test_the_policy_says_how_sure_a_broken_tie_is_and_how_many_are_asked(desk: Desk) -> None:
    ana, bo = desk.people("Ana", "Bo")
    for task in range(2, TASKS + 1):
        desk.answer(task, ana, "good")
        desk.answer(task, bo, "good")
    desk.answer(1, ana, "good")
    for wanted in (1, 2):
        desk.set_policy(annotators_per_record=wanted)
        labels = computed(desk)
        assert labels.annotators_per_record == wanted
        assert labels.is_settled(1) is (wanted == 1)
        assert labels.consensus[1].is_complete is (wanted == 1)
    decided(desk, 1, "poor")
    assert computed(desk).is_settled(1)


def test_a_decision_goes_before_the_answers_and_may_say_that_no_grade_is_right(
    desk: Desk,
) -> None:
    ana, bo = desk.people("Ana", "Bo")
    for task in (1, 2, 3, 4):
        desk.answer(task, ana, "good")
        desk.answer(task, bo, "good" if task < 4 else "poor")
    desk.answer(6, ana, "good")
    decided(desk, 1, "poor")
    decided(desk, 2, None)
    decided(desk, 5, "fair")
    labels = shown_labels(desk.services, desk.project)
    found = {task: labels.grade(task) for task in range(1, 8)}
    assert found == {1: "poor", 2: None, 3: "good", 4: None, 5: "fair", 6: "good", 7: None}
    assert [task for task in range(1, 8) if labels.is_settled(task)] == [1, 2, 3, 4, 5]
    with desk.services.database.reading() as session:
        settled = repository.settled_labels(session, desk.project_id, list(range(1, 8)))
        some = repository.settled_labels(session, desk.project_id, [3, 2, 6])
    assert settled == {task: found[task] for task in range(1, 6)}
    assert some == {3: "good", 2: None}


def test_changes_are_what_the_store_lacks_and_say_which_labels_say_something_else(
    desk: Desk,
) -> None:
    ana, bo = desk.people("Ana", "Bo")
    numbers = [desk.answer(task, ana, "good") for task in (1, 2, 3)]
    shown_labels(desk.services, desk.project)

    def changes(**what: Any) -> LabelChanges:
        labels = computed(desk, **what)
        with desk.services.database.reading() as session:
            return changes_of(session, desk.project_id, labels, desk.clock(), what.get("task_ids"))

    assert changes().task_ids == []
    desk.answer(2, bo, "good")
    desk.answer(1, ana, "good", annotation_id=numbers[0], revision=2, deleted=True)
    with desk.services.database.transaction() as session:
        task = desk.task(3)
        task.annotators_wanted = 1 + desk.project.policy["annotators_per_record"]
        session.add(task)
    found = changes()
    assert (set(found.rows), found.gone) == ({2, 3}, {1})
    assert found.rows[3]["answers_wanted"] == 3
    # Two who agree tell how often people are right: the only answer to 3 has another method.
    assert found.said_anew == 2
    assert found.task_ids == [1, 2, 3]
    model = computed(desk).model
    assert changes(model=model, task_ids=[2]).task_ids == [2]
    assert changes(model=model, task_ids=[1]).gone == {1}
    with desk.services.database.transaction() as session:
        found.write(session, [1, 2])
    assert stored(desk).keys() == {2, 3}
    assert stored(desk)[2]["votes"] == 2
    assert stored(desk)[3]["answers_wanted"] is None
    again = changes()
    assert (again.task_ids, again.said_anew) == ([3], 1)
    for part in turns(desk.services.database, again.task_ids):
        with desk.services.database.transaction() as session:
            again.write(session, part)
    assert changes().task_ids == []
    with desk.services.database.transaction() as session:
        task = desk.task(3)
        task.annotators_wanted = 4
        session.add(task)
    once_more = changes()
    assert (once_more.task_ids, once_more.said_anew) == ([3], 0)


def test_a_project_without_answers_has_no_labels(desk: Desk) -> None:
    labels = shown_labels(desk.services, desk.project)
    assert labels.consensus == {}
    assert stored(desk) == {}
    assert not labels.is_settled(1)
    assert labels.grade(1) is None
    assert replace(labels, held={}).grade_probabilities == {}


def test_few_double_answers_do_not_tell_how_often_people_are_right(desk: Desk) -> None:
    """The classifier alone judges single answers, however few records have two."""
    ana, bo = desk.people("Ana", "Bo")
    for task in range(1, TASKS + 1):
        desk.answer(task, ana, "good")
    labels = shown_labels(desk.services, desk.project)
    schema = label_schema_of(desk.project)
    opinions = {task: {"good": 0.1, "fair": 0.1, "poor": 0.8} for task in labels.held}
    assert probabilities_with(labels, schema, opinions) == {}
    desk.answer(1, bo, "good")
    assert probabilities_with(shown_labels(desk.services, desk.project), schema, opinions) == {}
