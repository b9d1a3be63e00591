"""A refresh looks at what changed only, and gives what a refresh of everything gives."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from sqlalchemy import delete, event, update
from sqlmodel import col, select

from backend.annotations import people_repository
from backend.consensus import renewal, repository, state_repository
from backend.consensus.renewal import model_of
from backend.consensus.service import labels_of, shown_labels
from backend.core.exceptions import AppError
from backend.jobs.repository import JobRepository
from backend.loop.job_names import REVIEW
from backend.models import (
    Annotation,
    Annotator,
    CaseReason,
    ConsensusLabel,
    ConsensusState,
    Decision,
    ModelVersion,
    Prediction,
    Record,
    ReviewCase,
    Task,
)
from backend.projects.service import label_schema_of
from backend.records import repository as records
from backend.review import refreshing
from backend.review.decisions import Decisions
from backend.review.refreshing import Refreshed, refresh_desk
from backend.review.schemas import DecisionRequest
from tests.backend.annotations.conftest import NOW, TASKS
from tests.backend.review.conftest import Desk
from tests.fixtures.database import database
from tests.fixtures.model_version import model_version

__all__ = ["database"]

GRADES = ("good", "fair", "poor")


class History:
    """Whatever can happen to a project's answers, drawn at random."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk = desk
        self.random = Random(seed)
        self.people = desk.people("Ana", "Bo", "Cy", "Di")
        self.given: list[tuple[int, int, int, int]] = []
        self.events: tuple[Callable[[], object], ...] = (
            *(self.answer,) * 6,
            *(self.change,) * 2,
            self.late,
            self.take_away,
            self.skip,
            *(self.decide,) * 2,
            self.lose_task,
            self.new_version,
            self.old_version_again,
            self.policy,
            self.prediction,
            self.newcomer,
            self.merge,
        )

    def step(self) -> str:
        """Something happens; its name."""
        chosen = self.random.choice(self.events)
        chosen()
        return chosen.__name__

    def answer(self) -> None:
        task, person = self.random.randint(1, TASKS), self.random.choice(self.people)
        number = self.desk.answer(task, person, self.random.choice(GRADES))
        self.given.append((number, task, person, 1))

    def skip(self) -> None:
        person = self.random.choice(self.people)
        self.desk.answer(self.random.randint(1, TASKS), person, None, skipped=True)

    def change(self, **what: Any) -> None:
        if not self.given:
            return
        place = self.random.randrange(len(self.given))
        number, task, person, revision = self.given[place]
        self.given[place] = (number, task, person, revision + 1)
        self.desk.answer(
            task,
            person,
            self.random.choice(GRADES),
            annotation_id=number,
            revision=revision + 1,
            **what,
        )

    def take_away(self) -> None:
        self.change(deleted=True)

    def late(self) -> None:
        """A revision of long ago comes in now."""
        self.change()
        with self.desk.services.database.transaction() as session:
            newest = session.exec(
                select(Annotation).order_by(col(Annotation.id).desc()).limit(1)
            ).one_or_none()
            if newest is not None:
                newest.revised_at = NOW
                session.add(newest)

    def decide(self) -> None:
        cases = sorted(self.desk.cases().items())
        if not cases:
            return
        case = self.random.choice(cases)[1]
        action = self.random.choice(("decide", "send_back", "reopen", "note"))
        grade = self.random.choice(GRADES) if action == "decide" else None
        request = DecisionRequest(
            version=case.version, action=action, grade=grade, reason="as it is"
        )
        try:
            with self.desk.services.database.transaction() as session:
                Decisions(session, self.desk.clock).decide(
                    self.desk.project, case.id or 0, request, author="lead"
                )
        except AppError:
            return  # not every action is open to every case

    def lose_task(self) -> None:
        chosen = self.random.randint(1, TASKS)
        with self.desk.services.database.transaction() as session:
            task = session.get_one(Task, chosen)
            task.deleted_at = None if task.deleted_at else self.desk.clock()
            session.add(task)

    def new_version(self, *, is_current: bool = False) -> None:
        chosen = self.random.randint(1, TASKS)
        with self.desk.services.database.transaction() as session:
            record = session.get_one(Record, session.get_one(Task, chosen).record_id)
            record.is_current = is_current
            session.add(record)
            records.raise_generation(session, record.dataset_id)

    def old_version_again(self) -> None:
        self.new_version(is_current=True)

    def policy(self) -> None:
        self.desk.set_policy(
            annotators_per_record=self.random.choice((1, 2, 3)),
            confidence_wanted=self.random.choice((0.6, 0.9)),
        )

    def prediction(self) -> None:
        """A classifier's opinion of a record that had none."""
        chosen = self.random.randint(1, TASKS)
        with self.desk.services.database.transaction() as session:
            version = session.exec(select(ModelVersion)).first()
            if version is None:
                version = model_version(self.desk.project_id)
                session.add(version)
                session.flush()
            known = session.exec(select(Prediction).where(Prediction.task_id == chosen)).first()
            if known is None and version.id is not None:
                session.add(
                    Prediction(
                        task_id=chosen,
                        model_version_id=version.id,
                        grade="good",
                        score=0.9,
                        grade_probabilities={"good": 0.9, "fair": 0.05, "poor": 0.05},
                        issue_probabilities={},
                        field_probabilities={},
                        created_at=NOW,
                    )
                )

    def newcomer(self) -> None:
        if len(self.people) < 8:
            self.people += self.desk.people(f"N{len(self.people)}")

    def merge(self) -> None:
        """Two annotators turn out to be one person."""
        if len(self.people) < 3:
            return
        gone, kept = self.people.pop(), self.people[0]
        self.given = [(n, t, kept if p == gone else p, r) for n, t, p, r in self.given]
        with self.desk.services.database.transaction() as session:
            people_repository.merge(
                session, session.get_one(Annotator, gone), session.get_one(Annotator, kept)
            )


@pytest.fixture
def put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few answers are treated as many are: nothing is fitted by the way."""
    monkeypatch.setattr(renewal, "FEW_REVISIONS", 0)
    monkeypatch.setattr(renewal, "GROWTH", 1e9)


@pytest.mark.usefixtures("put_off")
@pytest.mark.parametrize("seed", range(3))
def test_what_changed_alone_gives_what_everything_gives(desk: Desk, seed: int) -> None:
    history = History(desk, seed)
    for number in range(6):
        history.answer()
        history.random.seed(f"{seed}-{number}")
    refresh_desk(desk.services, desk.project_id, is_full=True)
    told = []
    for _ in range(30):
        told.append(history.step())
        desk.refresh()
        assert shown(desk) == labels_by_stored_model(desk), told
        assert desk.refresh() == Refreshed(), told
    refresh_desk(desk.services, desk.project_id, is_full=True)
    in_steps = shown(desk), cases(desk)
    forget(desk)
    refresh_desk(desk.services, desk.project_id, is_full=True)
    assert (shown(desk), cases(desk)) == in_steps, told


def test_a_refresh_of_nothing_new_writes_nothing_and_reads_no_answers(desk: Desk) -> None:
    ana, bo = desk.people("Ana", "Bo")
    desk.answer(1, ana, "good")
    desk.answer(1, bo, "poor")
    desk.refresh()
    said: list[str] = []

    def listen(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    engine = desk.services.database.engine
    event.listen(engine, "before_cursor_execute", listen)
    try:
        assert desk.refresh() == Refreshed()
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    assert not [each for each in said if each.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert not [each for each in said if "annotation.result" in each]


def test_nothing_is_computed_while_the_store_is_locked_for_writing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A webhook's event can be stored while labels are computed: nobody holds the write lock."""
    ana, bo = desk.people("Ana", "Bo")
    desk.answer(1, ana, "good")
    computed = refreshing.labels_of

    def computing(*args: Any, **kwargs: Any) -> Any:
        found = computed(*args, **kwargs)
        if not came_in:
            came_in.append(desk.answer(1, bo, "poor"))  # waits for ever if it is locked
        return found

    came_in: list[int] = []
    monkeypatch.setattr(refreshing, "labels_of", computing)
    desk.refresh()
    with desk.services.database.reading() as session:
        assert session.get_one(ConsensusLabel, 1).votes == 2


def test_who_computed_before_another_wrote_computes_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, bo = desk.people("Ana", "Bo")
    desk.answer(1, ana, "good")
    computed, times = refreshing.labels_of, []

    def computing(*args: Any, **kwargs: Any) -> Any:
        found = computed(*args, **kwargs)
        times.append(found)
        if len(times) == 1:
            desk.answer(1, bo, "poor")
            shown_labels(desk.services, desk.project)  # as a training does
        return found

    monkeypatch.setattr(refreshing, "labels_of", computing)
    desk.refresh()
    assert len(times) > 1
    with desk.services.database.reading() as session:
        assert session.get_one(ConsensusLabel, 1).votes == 2
    assert desk.cases()[1].reason == "tie"


def test_error_rates_are_renewed_behind_when_a_tenth_more_has_come(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, bo = desk.people("Ana", "Bo")
    for task in range(1, 11):
        desk.answer(task, ana, "good")
        desk.answer(task, bo, "good")
    desk.refresh()
    monkeypatch.setattr(renewal, "FEW_REVISIONS", 0)
    desk.answer(11, ana, "good")
    desk.refresh()
    assert full_refreshes(desk) == 0
    desk.answer(11, bo, "good")
    before = fitted(desk)
    desk.refresh()
    assert (full_refreshes(desk), fitted(desk)) == (1, before)  # behind, not at once
    refresh_desk(desk.services, desk.project_id, is_full=True)
    assert fitted(desk) > before


def test_training_reads_labels_by_error_rates_of_its_moment_and_the_desk_has_them(
    desk: Desk, put_off: None
) -> None:
    ana, bo = desk.people("Ana", "Bo")
    desk.answer(1, ana, "good")
    desk.refresh()
    before = fitted(desk)
    desk.answer(1, bo, "good")
    labels = shown_labels(desk.services, desk.project)
    assert fitted(desk) > before
    with desk.services.database.reading() as session:
        rows = repository.label_versions(session, desk.project_id)
    assert rows == {1: (labels.consensus[1].fingerprint(), None)}
    assert full_refreshes(desk, is_full=False) == 1  # its cases follow
    desk.refresh()
    assert shown_labels(desk.services, desk.project).consensus == labels.consensus


def shown(desk: Desk) -> dict[int, tuple[str, int | None]]:
    with desk.services.database.reading() as session:
        return repository.label_versions(session, desk.project_id)


def labels_by_stored_model(desk: Desk) -> dict[int, tuple[str, int | None]]:
    """What the model in the store says of all records at once."""
    project = desk.project
    with desk.services.database.reading() as session:
        state = state_repository.state(session, desk.project_id)
        model = model_of(state, label_schema_of(project))
        assert model is not None
        labels = labels_of(session, project, model=model)
    return {
        task_id: (each.fingerprint(), labels.held[task_id].task.annotators_wanted)
        for task_id, each in labels.consensus.items()
    }


def cases(desk: Desk) -> dict[int, tuple[str, str, float]]:
    """Cases that somebody has to see, or has decided."""
    return {
        task_id: (case.state, case.fingerprint, case.priority)
        for task_id, case in desk.cases().items()
        if case.state != "settled"
    }


def forget(desk: Desk) -> None:
    """Nothing derived is in the store any more; what people decided is."""
    with desk.services.database.transaction() as session:
        decided = select(Decision.case_id)
        session.execute(delete(CaseReason))
        is_open = col(ReviewCase.state).not_in(["decided", "ambiguous"])  # others keep reasons
        session.execute(update(ReviewCase).where(is_open).values(fingerprint="forgotten"))
        session.execute(delete(ReviewCase).where(col(ReviewCase.id).not_in(decided)))
        session.execute(delete(ConsensusLabel))
        session.execute(delete(ConsensusState))


def fitted(desk: Desk) -> int:
    """Revisions that the stored model was fitted to."""
    with desk.services.database.reading() as session:
        state = state_repository.state(session, desk.project_id)
    assert state.fitted is not None
    return int(state.fitted["annotations"][0])


def full_refreshes(desk: Desk, *, is_full: bool = True) -> int:
    """Refreshes that wait."""
    with desk.services.database.reading() as session:
        jobs = JobRepository(session).recent(
            project_id=desk.project_id, name=REVIEW, statuses=["queued"], limit=50
        )
    return sum(bool(job.args.get("is_full")) == is_full for job in jobs)
