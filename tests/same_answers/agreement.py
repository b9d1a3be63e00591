"""Everybody who tells a fact tells the same: asserted of a world as it is."""

import pytest
from sqlmodel import col, select

from backend.integrity.service import verify_project
from backend.label_exchange.schemas import AnnotationRow, ExportRequest, LabelRow
from backend.label_exchange.service import Exports
from backend.loop.service import LoopService
from backend.models import (
    Batch,
    ConsensusLabel,
    Decision,
    LabelFinding,
    Prediction,
    Record,
    ReviewCase,
    SyncCursor,
    Task,
    WebhookEvent,
)
from backend.overview import repository as overview
from backend.projects.service import label_schema_of, policy_of
from backend.registry.service import RegistryService
from backend.review.service import ReviewDesk
from labeling.consensus import automatic
from tests.same_answers.reference import Expected, expected, standing
from tests.same_answers.world import UNSHOWN, World

OVER = {"decided", "ambiguous", "sent_back"}
"""States of a case that keeps the reasons that it had."""


def check_everybody_agrees(world: World) -> None:
    """The loop, the desk, training, the overview and the exports agree with the store's rows."""
    _check_loop(world)
    _check_desk(world)
    _check_overview(world)
    _check_training_and_exports(world)
    _check_cases(world)
    _check_findings(world)


def _expected(world: World) -> dict[int, Expected]:
    with world.database.reading() as session:
        return expected(session, world.project_id)


def _check_loop(world: World) -> None:
    found, policy = _expected(world), policy_of(world.project())
    with world.database.reading() as session:
        progress = LoopService(session, world.services.clock).progress(world.project())
        waiting = session.exec(select(WebhookEvent).where(WebhookEvent.status == "received")).all()
    assert progress.complete_tasks == {
        place for place, each in found.items() if each.is_complete(policy)
    }, "who has answered"
    assert progress.open == sum(each.is_open(policy) for each in found.values()), "what is open"
    assert waiting == [], "events that nobody applies"


def _check_desk(world: World) -> None:
    found, policy = _expected(world), policy_of(world.project())
    with world.database.reading() as session:
        rows = {row.task_id: row for row in session.exec(select(ConsensusLabel))}
        opinions = {
            *session.exec(select(Prediction.task_id)),
            *session.exec(select(LabelFinding.task_id)),
        }
    assert rows.keys() == {place for place, each in found.items() if each.answers}, "has a label"
    compared = sum(len(each.graded) > 1 for each in found.values())
    for place, row in rows.items():
        each = found[place]
        skips = len(each.answers) - len(each.graded)
        assert (row.votes, row.skips) == (len(each.graded), skips), "who answered"
        assert row.is_complete == each.is_complete(policy), "whether all have answered"
        said = {answer.grade for answer in each.graded}
        if len(said) == 1:
            assert row.grade in said, "what all say is the label"
            if place not in opinions:
                most = max(row.probabilities.values())
                assert row.probabilities[row.grade] == most, "what all say is most probable"
        if compared < automatic.FEWEST:
            vote = next(iter(each.winners)) if len(each.winners) == 1 else None
            assert row.grade == vote, "with few labels the vote is the label"
        elif row.grade is not None:
            most = max(share for grade, share in row.probabilities.items() if grade in said)
            assert row.probabilities[row.grade] == most, "the label is the most probable"
        if row.grade is not None and row.confidence is not None:
            assert row.confidence == row.probabilities[row.grade], "confidence is probability"


def _check_training_and_exports(world: World) -> None:
    found, policy = _expected(world), policy_of(world.project())
    with world.database.reading() as session:
        before = {row.task_id: row.grade for row in session.exec(select(ConsensusLabel))}
    snapshot = world.snapshot()
    labels: dict[int, str] = {}
    for place, each in found.items():
        grade = each.decision.grade if each.decision else before.get(place)
        if grade is not None and (each.decision or each.is_complete(policy)):
            labels[place] = grade
    learnt = {row.task_id: row for row in (*snapshot.training, *snapshot.audit)}
    assert {place: row.grade for place, row in learnt.items()} == labels, "what the desk shows"
    for place, row in learnt.items():
        assert set(row.annotation_ids) == {answer.id for answer in found[place].graded}, "learnt"
    with world.database.reading() as session:
        exports = Exports.at_one_moment(session, world.services.clock, world.project())
        best = list(exports.rows(ExportRequest(what="best")))
        single = list(exports.rows(ExportRequest(what="annotations")))
        there = standing(session, world.project_id)
        names = {row.id: row.external_id for row in session.exec(select(Record))}
        first = {row.id: row.original_id or row.id for row in session.exec(select(Task))}
    told: dict[int, LabelRow] = {}
    for exported in best:
        assert isinstance(exported, LabelRow)
        (place,) = {first[each] for each in exported.task_ids}
        assert place not in told, "one record, one row"
        told[place] = exported
    for place, grade in labels.items():
        assert (told[place].grade, told[place].external_id) == (
            grade,
            names[found[place].first.record_id],
        ), "exported as shown"
    for place, exported in told.items():
        if place in found and found[place].answers:
            assert sorted(exported.annotation_ids) == sorted(
                answer.label_studio_annotation_id for answer in found[place].answers.values()
            ), "exported answers"
        if exported.confidence is not None and exported.grade is not None:
            assert exported.confidence == exported.soft_label[exported.grade], "one probability"
    assert sorted(row.annotation_id for row in single if isinstance(row, AnnotationRow)) == sorted(
        there
    ), "exported annotations"


def _check_overview(world: World) -> None:
    found = _expected(world)
    with world.database.reading() as session:
        current = overview.count_labelled_current_records(session, world.project_id)
        present, *_ = overview.annotation_counts(session, world.project_id)
        people = overview.annotator_counts(session, world.project_id)
        batches = overview.batch_progress(session, world.project_id)
        rows = standing(session, world.project_id).values()
        tasks = session.exec(
            select(Task).where(Task.project_id == world.project_id, col(Task.deleted_at).is_(None))
        ).all()
    labelled = {
        place
        for place, each in found.items()
        if any(not answer.was_cancelled for answer in each.answers.values())
    }
    assert current == sum(found[place].is_current for place in labelled), "labelled records"
    given = [row for row in rows if not row.was_cancelled]
    assert present == len(given), "annotations that count"
    named = sum(row.annotator_id is not None for row in given)
    assert sum(count for _, count, _ in people) == named, "annotations of those named"
    listed = [task for task in tasks if task.purpose == "label" or task.key.startswith("imported-")]
    for batch_id, (count, done) in batches.items():
        of_batch = [task for task in listed if task.batch_id == batch_id]
        assert count == len(of_batch), "tasks of a batch"
        answered = sum((task.original_id or task.id) in labelled for task in of_batch)
        assert done == answered, "labelled tasks of a batch"


def _check_cases(world: World) -> None:
    found = _expected(world)
    fields = list(label_schema_of(world.project()).fields)
    with world.database.reading() as session:
        cases = session.exec(select(ReviewCase).order_by(col(ReviewCase.id).desc())).all()
        desk = ReviewDesk(session, world.services.clock)
        for case in cases[:2]:
            shown = desk.case(world.project(), case.id)
            expected_answers = found[case.task_id].answers if case.task_id in found else {}
            assert sorted(each.annotation_id for each in shown.answers) == sorted(
                row.label_studio_annotation_id for row in expected_answers.values()
            ), "answers of a case"
            assert list(shown.fields) == fields, "what people are shown of a record"
    for case in cases:
        if case.task_id in found:
            _check_case(world, case, found[case.task_id])
    for task in world.label_studio.tasks.values():
        assert UNSHOWN not in task.card, "what people are shown of a record"


def _check_case(world: World, case: ReviewCase, each: Expected) -> None:
    """What no decision has seen opens the case again; what all say opens none by itself."""
    with world.database.reading() as session:
        record = session.get_one(Record, each.first.record_id)
        has_opinion = any(
            session.exec(select(each.id).where(each.task_id == case.task_id)).first()
            for each in (Prediction, LabelFinding)
        )
        decisions = session.exec(select(Decision.id).where(Decision.case_id == case.id)).all()
    current = world.current().get(record.external_id)
    if case.state in {"decided", "ambiguous"} and each.graded and current != record.id:
        seen = {world.current_when_decided[each][record.external_id] for each in decisions}
        assert current in seen, "a change that no decision has seen"
    doubts = [reason["code"] for reason in case.reasons if case.state == "open"]
    if "low_confidence" in doubts and not has_opinion:
        assert len({row.grade for row in each.graded}) > 1, "what all say is no doubtful case"


def _check_findings(world: World) -> None:
    """Of each label there is one probability: wrong on desk and page, and what is left of it."""
    found = _expected(world)
    with world.database.reading() as session:
        judge = RegistryService(session, world.services.clock).assessed_version(world.project_id)
        rows = session.exec(
            select(LabelFinding, ConsensusLabel)
            .join(ConsensusLabel, col(ConsensusLabel.task_id) == col(LabelFinding.task_id))
            .where(LabelFinding.model_version_id == (judge.id if judge else 0))
        ).all()
        cases = {case.task_id: case for case in session.exec(select(ReviewCase))}
    for finding, label in rows:
        case = cases.get(finding.task_id)
        is_over = case is not None and case.state in OVER
        if finding.task_id not in found or label.grade != finding.grade or is_over:
            continue
        wrong = finding.suspicion if label.confidence is None else 1.0 - label.confidence
        assert finding.suspicion == pytest.approx(wrong, abs=1e-5), "how likely a label is wrong"
        if not label.is_complete or not finding.is_suspect:
            continue
        told = {reason["code"]: reason["weight"] for reason in case.reasons} if case else {}
        assert told.get("suspected_error") == round(wrong, 4), "how likely a label is wrong"
        assert "low_confidence" not in told, "one fact, one reason"


def check_current(world: World, contents: dict[str, int]) -> None:
    """The pool is what the last imports brought, and only that."""
    with world.database.reading() as session:
        rows = session.exec(select(Record).where(col(Record.is_current))).all()
    assert {row.external_id: row.fields["price"] for row in rows} == contents, "what is current"
    assert world.pool() == sorted(row.id for row in rows), "the pool is what is current"


def check_nothing_old_was_pushed(world: World, before: int) -> None:
    """Tasks that Label Studio was given after that one show a version that is current."""
    with world.database.reading() as session:
        rows = session.exec(
            select(Task, Record)
            .join(Record, col(Record.id) == col(Task.record_id))
            .where(col(Task.label_studio_task_id).is_not(None))
        ).all()
    old = [
        record.external_id
        for task, record in rows
        if (task.label_studio_task_id or 0) > before and not record.is_current
    ]
    assert old == [], "versions that are not current were pushed"


def check_settled(world: World) -> None:
    """Nothing is due any more: all is pushed, learnt, and nobody waits for ever."""
    found, policy = _expected(world), policy_of(world.project())
    with world.database.reading() as session:
        tasks = session.exec(select(Task)).all()
        current = {row.id for row in session.exec(select(Record).where(col(Record.is_current)))}
        has_batches = session.exec(select(Batch).where(Batch.round > 0)).first() is not None
    waiting = [
        task.id
        for task in tasks
        if task.label_studio_task_id is None
        and task.deleted_at is None
        and not task.key.startswith("imported-")
        and task.record_id in current
    ]
    assert waiting == [], "tasks that nobody gets to see"
    if not has_batches or any(each.is_open(policy) for each in found.values()):
        return
    assert current <= {task.record_id for task in tasks}, "records that are never asked about"
    snapshot = world.snapshot()
    if snapshot.complete_tasks:
        assert world.has_learnt(snapshot.fingerprint), "labels that are not learnt"


def check_store_equals_label_studio(world: World, *, is_full: bool) -> None:
    """What Label Studio can show has been read; what it cannot is told until it was read."""
    held = world.label_studio.tasks
    broken = {task_id for task_id, task in held.items() if task.is_broken}
    with world.database.reading() as session:
        there = standing(session, world.project_id)
        ours = {
            task.label_studio_task_id: task.id
            for task in session.exec(select(Task).where(Task.project_id == world.project_id))
            if task.label_studio_task_id in held
        }
        cursor = session.get_one(SyncCursor, world.project_id)
    assert (cursor.error is not None) == bool(cursor.unreadable), "what is told of unread tasks"
    assert set(cursor.unreadable) <= broken, "tasks that cannot be shown"
    for theirs, task_id in ours.items():
        if theirs in broken:
            continue
        stored = {key: row.grade for key, row in there.items() if row.task_id == task_id}
        shown = {
            key: each["result"][0]["value"]["choices"][0] if each["result"] else None
            for key, each in held[theirs].annotations.items()
        }
        own = {key: grade for key, grade in stored.items() if key > 0}
        if is_full:
            assert own == shown, "what Label Studio shows is in the store"
        else:
            assert own.items() >= shown.items(), "what Label Studio shows is in the store"
    if is_full:
        report = verify_project(world.services, world.project())
        kinds = {difference.kind for difference in report.differences}
        assert not {kind for kind in kinds if kind.startswith(("task_", "annotation_"))} - {
            "task_unreadable"
        }, report.differences
