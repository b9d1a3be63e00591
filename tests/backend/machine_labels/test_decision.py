"""Decisions about machine labels, one by one: what is asked, promised, refused and taken back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session, col, select

from active_learning.acceptance import certify, delta_of_look, error_lower_bound, rows_needed
from backend.audit.service import AuditTrail
from backend.core.database import Database
from backend.core.exceptions import Conflict
from backend.loop.job_names import NEXT_BATCH
from backend.machine_labels import repository
from backend.machine_labels.decision import (
    GROWTH,
    WATCH,
    AcceptanceDecisions,
    AcceptanceQuestion,
    ChampionAnswers,
    label_rows,
)
from backend.machine_labels.service import ACCEPT, AcceptanceService, request_acceptance
from backend.models import (
    Acceptance,
    Annotation,
    Annotator,
    Batch,
    ConsensusLabel,
    Job,
    MachineLabel,
    ModelVersion,
    Project,
    Promotion,
    Record,
    Task,
)
from backend.projects.schemas import LoopPolicy
from backend.words import in_both
from tests.backend.annotations.conftest import NOW, TASKS, Seeded, seeded
from tests.fixtures.chinese import in_chinese

__all__ = ["seeded"]

LATER = NOW + timedelta(hours=1)
POLICY: dict[str, Any] = {
    "batch_size": TASKS,
    "annotators_per_record": 1,
    "accept_error": 0.2,
    "accept_delta": 0.2,
    "accept_audit_share": 0.1,
}


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    return sqlite_database


@dataclass
class Desk:
    """A project with a hundred records that have no task, and three model versions."""

    seeded: Seeded
    session: Session
    free: list[int]
    versions: list[ModelVersion]

    @property
    def project(self) -> Project:
        return self.session.get_one(Project, self.seeded.project_id)

    @property
    def decisions(self) -> AcceptanceDecisions:
        return AcceptanceDecisions(self.session, lambda: LATER)

    @property
    def service(self) -> AcceptanceService:
        return AcceptanceService(self.session, lambda: LATER)

    def set_policy(self, **changes: Any) -> None:
        self.project.policy = {**self.project.policy, **changes}
        self.session.flush()

    def question(self, audits: int = 40, *, version: int = 0, **changes: Any) -> AcceptanceQuestion:
        """So many audit records, which people gave a grade."""
        policy = LoopPolicy.model_validate({**POLICY, **changes.pop("policy", {})})
        audit = tuple((number, "good") for number in range(audits))
        asked = AcceptanceQuestion(self.versions[version], policy, audit, 1, 1)
        return replace(asked, **changes)

    def decide(self, audits: int = 40, pool: int = 100, **changes: Any) -> Acceptance:
        """The decision where the champion is right about every audit record."""
        return self.put(self.question(audits, **changes), answers(self, audits, pool))

    def put(self, question: AcceptanceQuestion, given: ChampionAnswers) -> Acceptance:
        """The decision, with all its labels."""
        row, chosen = self.decisions.decide(self.project, question, given)
        if row.state != repository.PREPARING:
            return row
        rows = label_rows(row.id, given, chosen, chosen.accepted.tolist())
        repository.add_labels(self.session, rows)
        return self.decisions.accept(row.id)

    def labels(self, row: Acceptance) -> list[MachineLabel]:
        return list(
            self.session.exec(
                select(MachineLabel)
                .where(MachineLabel.acceptance_id == row.id)
                .order_by(col(MachineLabel.id))
            )
        )

    def check(self, row: Acceptance, said: Sequence[str | None]) -> None:
        """People answer for so many labels that were drawn, one after the other."""
        drawn = [label for label in self.labels(row) if label.is_audited]
        batch = self.session.exec(select(Batch)).first()
        person = Annotator(label_studio_user_id=1, created_at=NOW)
        self.session.add(person)
        self.session.flush()
        for number, (label, grade) in enumerate(zip(drawn, said, strict=False), start=1):
            assert batch is not None
            task = Task(
                project_id=self.project.id,
                record_id=label.record_id,
                batch_id=batch.id,
                key=f"check-{number}",
                position=100 + number,
                is_audit=False,
                label_studio_task_id=5_000 + number,
            )
            self.session.add(task)
            self.session.flush()
            self.session.add(
                Annotation(
                    project_id=self.project.id,
                    task_id=task.id,
                    annotator_id=person.id,
                    label_studio_annotation_id=number,
                    revision=1,
                    identity="1",
                    grade=grade,
                    was_cancelled=grade is None,
                    annotated_at=NOW,
                    revised_at=NOW,
                    via="sync",
                    received_at=NOW,
                )
            )
            self.session.add(
                ConsensusLabel(
                    task_id=task.id,
                    project_id=self.project.id,
                    grade=grade,
                    votes=1,
                    is_complete=True,
                    method="majority",
                    fingerprint="f",
                    computed_at=NOW,
                )
            )
        self.session.flush()

    def jobs(self, name: str) -> list[Job]:
        return list(self.session.exec(select(Job).where(Job.name == name)))

    def promote(self, version: int) -> None:
        self.session.add(
            Promotion(
                project_id=self.project.id,
                model_version_id=self.versions[version].id,
                kind="promoted",
                decided_by="gate",
                reason="first",
                evidence={},
                created_at=NOW,
            )
        )
        self.session.flush()


def answers(desk: Desk, audits: int, pool: int, wrong: int = 0) -> ChampionAnswers:
    """The least sure of the audit records are wrong; of the pool every second is hardly sure."""
    sure = np.linspace(0.99, 0.5, audits)
    right = np.arange(audits) < audits - wrong
    confidence = np.where(np.arange(pool) % 2, 0.8, 0.6)
    grades = ["good" if number % 3 else "poor" for number in range(pool)]
    return ChampionAnswers(sure, right, desk.free[:pool], grades, confidence)


@pytest.fixture
def desk(seeded: Seeded) -> Iterator[Desk]:
    with Session(seeded.database.engine, expire_on_commit=False) as session:
        project = session.get_one(Project, seeded.project_id)
        project.policy = dict(POLICY)
        free = [
            Record(
                dataset_id=project.dataset_id,
                external_id=f"free-{number}",
                content_hash=f"free-{number}",
                kind="product",
                fields={},
                source="test",
                created_at=NOW,
            )
            for number in range(100)
        ]
        versions = [
            ModelVersion(
                project_id=seeded.project_id,
                number=number,
                fingerprint=str(number),
                artifact=str(number),
                encoder="characters",
                training_labels=1,
                audit_labels=0,
                metrics={},
                created_at=NOW,
            )
            for number in (1, 2, 3)
        ]
        session.add_all([*free, *versions])
        session.flush()
        yield Desk(seeded, session, [row.id for row in free], versions)


def test_an_acceptance_is_what_was_certified_with_a_label_for_each_record_it_reaches(
    desk: Desk,
) -> None:
    given = answers(desk, 80, 100, wrong=40)
    question = desk.question(80, candidates=2)
    row = desk.put(question, given)
    rule = certify(
        given.confidence,
        given.is_right,
        given.pool_confidence,
        target=0.2,
        delta=0.2,
        look=1,
        share=0.5,
    )
    assert rule.threshold == 0.8
    spent = 0.5 * delta_of_look(0.2, 1)
    assert (row.state, row.threshold, row.target_error, row.delta) == ("accepted", 0.8, 0.2, 0.2)
    assert (row.model_version_id, row.project_id) == (desk.versions[0].id, desk.project.id)
    assert row.created_at == LATER
    assert row.evidence == {
        "fingerprint": question.fingerprint(),
        "audits": 80,
        "unlabelled_audits": 0,
        "candidates": 2,
        "look": 1,
        "spent": spent,
        "is_test": True,
        "error_bound": rule.error_bound,
        "accepted_share": {
            "value": rule.accepted_share.value,
            "low": rule.accepted_share.low,
            "high": rule.accepted_share.high,
            "n": 80,
        },
        "more_audits_needed": 0,
        "pool": 100,
    }
    assert str(row.reason).startswith("At most 20 % wrong, with 80 % certainty, from 80 audits.")
    assert str(row.reason).endswith("It holds from a confidence of 0.800 on.")
    assert "0.800" in in_chinese(row.reason)
    labels = desk.labels(row)
    places = list(range(1, 100, 2))
    assert row.records == len(labels) == 50
    assert [label.record_id for label in labels] == [desk.free[place] for place in places]
    assert [label.grade for label in labels] == [given.grades[place] for place in places]
    assert {label.confidence for label in labels} == {0.8}
    assert sum(label.is_audited for label in labels) == 5
    event = AuditTrail(desk.session, lambda: LATER).latest()[0]
    assert (event.action, event.subject) == (
        "acceptance.accepted",
        f"project:{desk.project.id}",
    )
    assert event.detail == {"version": 1, "records": 50, "audits": 80, "reason": str(row.reason)}
    assert desk.service.latest(desk.project.id) == row
    assert desk.service.standing_acceptance(desk.project.id) == row
    assert desk.service.machine_labelled(desk.project.id) == {desk.free[n] for n in places}


def test_a_refusal_labels_nothing_and_says_what_is_missing(desk: Desk) -> None:
    audit = tuple((number, None if number < 3 else "good") for number in range(6))
    question = desk.question(audit=audit)
    row = desk.put(question, answers(desk, 6, 100, wrong=3))
    assert (row.state, row.threshold, row.records) == ("refused", None, 0)
    assert desk.labels(row) == []
    assert row.evidence["unlabelled_audits"] == question.unlabelled == 3
    assert row.evidence["more_audits_needed"] > 0
    assert row.evidence["is_test"] is False
    assert "3 of them have no agreed label" in str(row.reason)
    assert "其中 3 条没有一致的标签" in in_chinese(row.reason)
    whole = desk.decide(6)
    assert "agreed" not in str(whole.reason)
    assert desk.service.standing_acceptance(desk.project.id) is None
    assert desk.service.machine_labelled(desk.project.id) == set()
    hopeless = desk.question(40, policy={"accept_error": 0.01})
    row = desk.put(hopeless, answers(desk, 40, 100, wrong=30))
    assert "cannot be certified at this accuracy" in str(row.reason)
    assert row.evidence["more_audits_needed"] == 0, "no number of audits would do"


def test_only_decisions_that_could_have_accepted_spend_a_look(desk: Desk) -> None:
    """A look is spent from as many audits on as certify without an error."""
    needed = rows_needed(0.2, delta_of_look(0.2, 1))
    for audits, look in ((needed - 1, 1), (needed, 1), (60, 2), (61, 3)):
        row = desk.decide(audits, pool=10 + audits % 7, version=look - 1)
        assert row.evidence["look"] == look
        assert row.evidence["spent"] == pytest.approx(delta_of_look(0.2, look))
        assert row.evidence["is_test"] is (audits >= needed)
    desk.service.withdraw(desk.project, reason="no", actor="lead")
    assert repository.count_tests(desk.session, desk.project.id) == 3


def test_fewer_labels_never_take_the_place_of_more_that_stand(desk: Desk) -> None:
    first = desk.decide(60, pool=80)
    assert first.records == 80
    fewer = desk.decide(61, pool=78, version=1)
    assert (fewer.state, fewer.threshold, fewer.records) == ("refused", None, 0)
    assert str(fewer.reason).startswith("78 records could be accepted; the 80 machine labels")
    assert "可对 78 条记录采用机器标签" in in_chinese(fewer.reason)
    assert desk.labels(fewer) == []
    assert desk.service.standing_acceptance(desk.project.id) == first
    as_many = desk.decide(62, pool=80, version=1)
    assert as_many.state == "accepted"
    assert desk.service.standing_acceptance(desk.project.id) == as_many


def test_a_question_is_asked_again_where_anything_that_it_depends_on_changes(desk: Desk) -> None:
    asked = desk.question()
    same = replace(asked, audit=asked.audit[::-1], candidates=5)
    assert same.fingerprint() == asked.fingerprint()
    assert replace(asked, candidates=4).share == 0.25
    for changes in (
        {"champion": desk.versions[1]},
        {"audit": asked.audit[1:]},
        {"audit": ((0, "poor"), *asked.audit[1:])},
        {"generation": 2},
        {"policy": asked.policy.model_copy(update={"accept_error": 0.3})},
        {"policy": asked.policy.model_copy(update={"accept_delta": 0.3})},
        {"policy": asked.policy.model_copy(update={"accept_audit_share": 0.3})},
    ):
        assert replace(asked, **changes).fingerprint() != asked.fingerprint()


def test_a_champion_is_asked_by_itself_once_and_when_its_audits_have_grown(desk: Desk) -> None:
    def why(audits: int, *, is_asked: bool = False, **changes: Any) -> str | None:
        return desk.decisions.why_not(desk.question(audits, **changes), is_asked=is_asked)

    assert why(40) is None
    desk.decide(8)
    missing = desk.decide(9).evidence["more_audits_needed"]
    assert missing > 1
    assert why(8) == "decided already: refused"
    assert why(9, is_asked=True) == "decided already: refused"
    assert why(10, is_asked=True) is None
    # By the last decision about it.
    assert why(9 + missing - 1) == f"decided on 9 audits; asked again at {9 + missing}"
    assert why(9 + missing) is None
    assert why(10, version=1) is None, "another champion"
    assert why(10, policy={"accept_delta": 0.3}) is None, "another promise"
    assert why(10, policy={"accept_error": 0.3}) is None
    accepted = desk.decide(40)
    assert accepted.state == "accepted"
    again = int(np.ceil(GROWTH * 40))
    assert why(40) == "decided already: accepted"
    assert why(again - 1) == f"decided on 40 audits; asked again at {again}"
    assert why(again) is None
    desk.service.withdraw(desk.project, reason="no", actor="lead")
    assert why(90) == "its machine labels were withdrawn; the next champion may be accepted"
    assert why(90, is_asked=True) is None


def test_labels_stand_while_checks_do_not_contradict_the_promise(desk: Desk) -> None:
    assert desk.decisions.watch(desk.project) is None
    row = desk.decide(60, policy={"accept_audit_share": 0.5})
    assert desk.decisions.watch(desk.project) is None, "nobody has checked"
    drawn = [label.grade for label in desk.labels(row) if label.is_audited]
    assert len(drawn) == 50
    desk.check(row, [*drawn[:4], "fair", *drawn[5:8]])
    assert [check.is_right for check in desk.service.checks(desk.project, row)] == [
        *[True] * 4,
        False,
        *[True] * 3,
    ]
    assert desk.decisions.watch(desk.project) is None
    assert desk.service.standing_acceptance(desk.project.id) == row


def test_labels_are_withdrawn_with_the_numbers_that_contradict_them(desk: Desk) -> None:
    row = desk.decide(60, policy={"accept_audit_share": 0.5})
    desk.check(row, ["fair", None, "fair", "fair", "fair"])
    gone = desk.decisions.watch(desk.project)
    assert gone is not None
    assert gone.evidence == {
        "acceptance": row.id,
        "withdrawn_by": WATCH,
        "checks": 5,
        "wrong": 5,
        "error_at_least": error_lower_bound(5, 5, delta_of_look(0.2, 1)),
    }
    assert str(gone.reason).startswith("withdrawn: 5 of 5 audited")
    assert in_chinese(gone.reason).startswith("已撤回")
    assert desk.decisions.watch(desk.project) is None


@pytest.mark.parametrize(
    ("error", "delta", "is_withdrawn"),
    [
        (0.2, 0.2, False),
        (0.3, 0.3, False),
        (0.19, 0.2, True),
        (0.2, 0.19, True),
        (0.3, 0.1, True),
        (None, 0.1, False),
    ],
)
def test_a_stricter_promise_takes_the_weaker_one_back(
    desk: Desk, error: float | None, delta: float, is_withdrawn: bool
) -> None:
    desk.decide(60)
    desk.set_policy(accept_error=error, accept_delta=delta)
    gone = desk.decisions.watch(desk.project)
    assert (gone is not None) is is_withdrawn
    if gone is not None:
        assert "the policy asks for at most" in str(gone.reason)
        assert gone.evidence["withdrawn_by"] == WATCH


def test_a_withdrawal_keeps_what_was_promised_and_labels_nothing(desk: Desk) -> None:
    with pytest.raises(Conflict, match="no machine labels to withdraw"):
        desk.service.withdraw(desk.project, reason="no", actor="lead")
    row = desk.decide(60)
    gone = desk.service.withdraw(
        desk.project, reason=in_both("no", "不"), evidence={"more": 1}, actor="lead"
    )
    kept = ("project_id", "model_version_id", "target_error", "delta", "threshold")
    assert [getattr(gone, name) for name in kept] == [getattr(row, name) for name in kept]
    assert (gone.state, gone.records, str(gone.reason), in_chinese(gone.reason)) == (
        "withdrawn",
        0,
        "no",
        "不",
    )
    assert gone.evidence == {"acceptance": row.id, "withdrawn_by": "lead", "more": 1}
    assert gone.created_at == LATER
    event = AuditTrail(desk.session, lambda: LATER).latest()[0]
    assert (event.actor, event.action) == ("lead", "acceptance.withdrawn")
    assert event.detail == {"acceptance": row.id, "records": row.records, "reason": "no"}
    assert desk.service.machine_labelled(desk.project.id) == set()
    desk.decide(61, version=1)
    assert in_chinese(desk.service.withdraw(desk.project, reason="no", actor="lead").reason) == "no"


@pytest.mark.parametrize(
    ("refill_at", "max_rounds", "is_due"),
    [(TASKS, None, True), (TASKS - 1, None, False), (TASKS, 1, False), (TASKS, 2, True)],
)
def test_a_loop_that_had_run_out_goes_on_after_a_withdrawal(
    desk: Desk, refill_at: int, max_rounds: int | None, is_due: bool
) -> None:
    desk.decide(60)
    desk.set_policy(refill_at=refill_at, max_rounds=max_rounds)
    desk.service.withdraw(desk.project, reason="no", actor="lead")
    assert [job.args for job in desk.jobs(NEXT_BATCH)] == ([{"round": 2}] if is_due else [])


def test_checks_are_drawn_at_random_from_those_that_nobody_was_asked_about(desk: Desk) -> None:
    project_id = desk.project.id
    assert desk.service.checks_due(project_id, 3, seed=0) == []
    row = desk.decide(60, policy={"accept_audit_share": 0.5})
    drawn = {label.record_id for label in desk.labels(row) if label.is_audited}
    found = [desk.service.checks_due(project_id, 5, seed=seed) for seed in range(6)]
    assert all(len(set(each)) == 5 and set(each) <= drawn for each in found)
    assert len({tuple(each) for each in found}) == 6
    assert found[0] == desk.service.checks_due(project_id, 5, seed=0)
    assert set(desk.service.checks_due(project_id, 99, seed=0)) == drawn
    desk.check(row, ["good"] * 20)
    assert len(desk.service.checks_due(project_id, 99, seed=0)) == len(drawn) - 20


def test_whoever_asks_by_hand_needs_a_promise_and_a_champion(desk: Desk) -> None:
    desk.set_policy(accept_error=None)
    with pytest.raises(Conflict, match="allows no machine labels"):
        desk.service.request(desk.project, actor="lead")
    desk.set_policy(accept_error=0.1)
    with pytest.raises(Conflict, match="no champion yet"):
        desk.service.request(desk.project, actor="lead")
    assert desk.jobs(ACCEPT) == []
    desk.promote(1)
    asked = desk.service.request(desk.project, actor="lead")
    assert [(job.id, job.args) for job in desk.jobs(ACCEPT)] == [(asked, {"is_asked": True})]
    event = AuditTrail(desk.session, lambda: LATER).latest()[0]
    assert (event.actor, event.action) == ("lead", "acceptance.requested")


def test_a_retraining_asks_once_for_the_same_champion_and_answers(desk: Desk) -> None:
    def ask() -> str | None:
        return request_acceptance(desk.session, desk.project, LATER)

    assert ask() is None
    desk.promote(0)
    first = ask()
    assert first is not None
    assert ask() == first
    row = desk.decide(60)
    desk.check(row, ["good"])
    second = ask()
    assert second not in {None, first}
    desk.promote(1)
    assert ask() not in {None, first, second}
    desk.set_policy(accept_error=None)
    assert ask() is not None, "labels that stand are watched"
    desk.service.withdraw(desk.project, reason="no", actor="lead")
    assert ask() is None
