"""The same answer, proved: whatever happens, everybody who tells a fact tells the same.

Random histories on the real store with its real migrations. Label Studio is played, because late,
doubled and missing events cannot be made to order with the real one.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from backend.annotations import repository as annotations
from backend.loop.job_names import APPLY_EVENTS
from labeling.consensus import automatic
from tests.fixtures.database import database_url, on_server
from tests.same_answers.agreement import (
    check_current,
    check_everybody_agrees,
    check_nothing_old_was_pushed,
    check_settled,
    check_store_equals_label_studio,
)
from tests.same_answers.world import World

RECORDS = st.sampled_from(["kettle", "shirt", "lamp", "chair", "clock"])
VERSIONS = st.integers(0, 2)
GRADES = st.sampled_from(["good", "fair", "poor"])
SAID = st.one_of(GRADES, st.none())
PLACES = st.integers(0, 30)
TOLD = st.sampled_from(["once", "twice", "late", "never"])
PEOPLE = st.sampled_from([1, 2, 3])
ADDRESSES = st.sampled_from([None, None, "person1@example.org", "ada@example.org"])


class Histories(RuleBasedStateMachine):
    """What can happen to a project, in any order."""

    url_of_new_store: Callable[[], str]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.world = World(type(self).url_of_new_store(), self.folder)
        self.contents = dict.fromkeys(["kettle", "shirt", "lamp"], 0)
        self.world.bring({"kettle": 1, "shirt": 1})  # so that earlier content can come back
        self.world.bring(self.contents)
        self.world.request_batch()
        self.settle()

    @rule(contents=st.dictionaries(RECORDS, VERSIONS, min_size=1, max_size=3))
    def records_come_new_changed_or_as_they_were_before(self, contents: dict[str, int]) -> None:
        self.contents |= contents
        self.world.bring(contents)

    @rule()
    def another_batch_is_asked_for(self) -> None:
        self.world.request_batch()

    @rule(place=PLACES, person=st.one_of(PEOPLE, st.none()), grade=SAID, how=TOLD)
    def somebody_answers(self, place: int, person: int | None, grade: str | None, how: str) -> None:
        self._answer(place, person, grade, how)

    @rule(place=PLACES, person=PEOPLE, grade=SAID)
    def somebody_answers_while_the_desk_is_refreshed(
        self, place: int, person: int, grade: str | None
    ) -> None:
        def answer() -> None:
            self._answer(place, person, grade, "once")
            self.world.work((APPLY_EVENTS,))

        self.world.meanwhile.append(answer)

    @precondition(lambda self: self._annotation(0) is not None)
    @rule(place=PLACES, grade=SAID, how=TOLD)
    def somebody_changes_an_answer(self, place: int, grade: str | None, how: str) -> None:
        found = self._annotation(place)
        if found is not None:
            made = self.world.label_studio.change(*found, grade)
            self.world.tell("ANNOTATION_UPDATED", made, how)

    @precondition(lambda self: self._annotation(0) is not None)
    @rule(place=PLACES)
    def an_answer_is_deleted(self, place: int) -> None:
        found = self._annotation(place)
        if found is not None:
            self.world.label_studio.delete_annotation(*found)

    @rule(place=PLACES)
    def a_draft_is_begun(self, place: int) -> None:
        task_id = self._task(place)
        if task_id is not None:
            self.world.label_studio.draft(task_id)

    @rule(place=PLACES)
    def a_task_is_deleted(self, place: int) -> None:
        task_id = self._task(place)
        if task_id is not None:
            del self.world.label_studio.tasks[task_id]

    @rule(person=PEOPLE)
    def a_person_is_deleted(self, person: int) -> None:
        self.world.label_studio.forget_person(person)

    @rule(place=PLACES)
    def a_task_cannot_be_shown(self, place: int) -> None:
        task_id = self._task(place)
        if task_id is not None:
            self.world.label_studio.tasks[task_id].is_broken = True

    @precondition(
        lambda self: any(each.is_broken for each in self.world.label_studio.tasks.values())
    )
    @rule()
    def everything_can_be_shown_again(self) -> None:
        for task in self.world.label_studio.tasks.values():
            task.is_broken = False

    @precondition(lambda self: self.world.late)
    @rule()
    def late_events_arrive_the_latest_first(self) -> None:
        while self.world.late:
            self.world.receive(self.world.late.pop())

    @rule(is_full=st.booleans())
    def a_sync_runs(self, is_full: bool) -> None:
        self.world.sync(is_full=is_full)
        check_store_equals_label_studio(self.world, is_full=is_full)

    @rule(
        name=RECORDS,
        version=VERSIONS,
        said=st.lists(st.tuples(ADDRESSES, GRADES), min_size=1, max_size=3),
    )
    def labels_are_imported(
        self, name: str, version: int, said: list[tuple[str | None, str]]
    ) -> None:
        self.world.bring_labels({name: said}, version)
        self.contents.setdefault(name, version)

    @rule(
        place=PLACES,
        action=st.sampled_from(["decide", "ambiguous", "send_back", "reopen"]),
        grade=GRADES,
    )
    def something_is_decided(self, place: int, action: str, grade: str) -> None:
        self.world.decide(place, action, grade)

    @precondition(lambda self: self.world.has_versions())
    @rule(suspicion=st.sampled_from([0.2, 0.76, 0.88]))
    def the_labels_are_assessed(self, suspicion: float) -> None:
        self.world.assess(suspicion)

    @rule(confidence=st.sampled_from([0.6, 0.9, 0.99]), people=st.sampled_from([1, 2]))
    def the_policy_changes(self, confidence: float, people: int) -> None:
        self.world.set_policy(confidence_wanted=confidence, annotators_per_record=people)

    @rule(name=st.sampled_from(["first", "second"]))
    def the_encoder_is_another(self, name: str) -> None:
        self.world.features.revision = name

    @rule()
    def settle(self) -> None:
        before = self.world.label_studio.last_task
        self.world.settle()
        check_nothing_old_was_pushed(self.world, before)
        check_settled(self.world)

    @invariant()
    def everybody_agrees(self) -> None:
        before = self.world.label_studio.last_task
        self.world.tick()
        self.world.work()
        check_nothing_old_was_pushed(self.world, before)
        check_everybody_agrees(self.world)
        check_current(self.world, self.contents)

    def teardown(self) -> None:
        self.world.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answer(self, place: int, person: int | None, grade: str | None, how: str) -> None:
        task_id = self._task(place)
        if task_id is not None:
            made = self.world.label_studio.say(task_id, person, grade)
            self.world.tell("ANNOTATION_CREATED", made, how)

    def _task(self, place: int) -> int | None:
        held = sorted(self.world.label_studio.tasks)
        return held[place % len(held)] if held else None

    def _annotation(self, place: int) -> tuple[int, int] | None:
        held = sorted(
            (task_id, annotation_id)
            for task_id, task in self.world.label_studio.tasks.items()
            for annotation_id in task.annotations
        )
        return held[place % len(held)] if held else None


def _profile(examples: int, phases: Sequence[Phase] = (Phase.generate, Phase.shrink)) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=20,
        deadline=None,
        derandomize=True,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(autouse=True)
def _small_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the product does from many records or events on happens in small histories too."""
    monkeypatch.setattr(annotations, "EVENTS_AT_A_TIME", 2)
    monkeypatch.setattr(automatic, "FEWEST", 2)


def test_any_history_on_sqlite(sqlite_template: Path, tmp_path: Path) -> None:
    def new_store() -> str:
        path = tmp_path / f"{uuid4().hex}.sqlite3"
        shutil.copyfile(sqlite_template, path)
        return f"sqlite:///{path}"

    class OnSqlite(Histories):
        url_of_new_store = staticmethod(new_store)

    run_state_machine_as_test(OnSqlite, settings=_profile(16))


@pytest.mark.postgres
def test_any_history_on_postgres(postgres_server_url: str, postgres_template: str) -> None:
    made: list[str] = []

    def new_store() -> str:
        made.append(f"history_{uuid4().hex[:12]}")
        on_server(postgres_server_url, f"CREATE DATABASE {made[-1]} TEMPLATE {postgres_template}")
        return database_url(postgres_server_url, made[-1])

    class OnPostgres(Histories):
        url_of_new_store = staticmethod(new_store)

    run_state_machine_as_test(OnPostgres, settings=_profile(4, [Phase.generate]))
    for name in made:
        on_server(postgres_server_url, f"DROP DATABASE {name} WITH (FORCE)")
