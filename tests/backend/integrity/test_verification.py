"""Every kind of difference is found when it is planted, and nothing else is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import select

from backend.annotations.revisions import identity_of
from backend.core.database import Database
from backend.core.services import Services
from backend.core.settings import Settings
from backend.integrity import service
from backend.integrity.schemas import VerificationReport
from backend.label_studio.connection import LabelStudioProjectGone
from backend.models import (
    Annotation,
    Batch,
    Job,
    ModelVersion,
    Prediction,
    Project,
    Task,
    WebhookEvent,
)
from backend.projects.service import label_schema_of
from backend.registry.service import RegistryService
from labeling.label_studio.annotations import ParsedAnnotation
from labeling.label_studio.label_config import build_label_config
from labeling.label_studio.sync import TaskSnapshot
from tests.backend.training.loop import Loop

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


class Held:
    """What Label Studio holds: task id to its annotations."""

    def __init__(self, tasks: dict[int, tuple[ParsedAnnotation, ...]], project: Project) -> None:
        self.tasks = tasks
        self.unreadable: set[int] = set()
        self.screen = build_label_config(label_schema_of(project))

    def changes_since(
        self, *_parts: object, unreadable: Callable[[int], None]
    ) -> Iterator[list[TaskSnapshot]]:
        for task_id, annotations in self.tasks.items():
            if task_id in self.unreadable:
                unreadable(task_id)
            else:
                yield [TaskSnapshot(task_id, NOW, annotations)]


@pytest.fixture
def loop(new_loop: Callable[..., Loop], sqlite_database: Database) -> Loop:
    """One round labelled and learnt from, the second one pushed."""
    made = new_loop(sqlite_database)
    made.ask_for_batch()
    made.run()
    made.turn(1)
    made.services.settings.label_studio_token = SecretStr("never sent")
    with made.services.database.transaction() as session:
        project = session.merge(made.project())
        project.label_studio_project_id = 1
    return made


@pytest.fixture
def held(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> Held:
    """Label Studio, equal to the store."""
    tasks: dict[int, tuple[ParsedAnnotation, ...]] = {}
    with loop.services.database.reading() as session:
        for task in session.exec(select(Task)):
            rows = session.exec(select(Annotation).where(Annotation.task_id == task.id))
            tasks[task.label_studio_task_id or 0] = tuple(parsed(row, task) for row in rows)
    made = Held(tasks, loop.project())
    monkeypatch.setattr(service, "changes_since", made.changes_since)
    monkeypatch.setattr(service, "check_held", lambda *_parts: {"label_config": made.screen})
    return made


def parsed(row: Annotation, task: Task) -> ParsedAnnotation:
    return ParsedAnnotation(
        label_studio_id=row.label_studio_annotation_id,
        task_id=task.label_studio_task_id or 0,
        annotator_id=row.annotator_id,
        updated_by=row.updated_by_id,
        grade=row.grade,
        issues=tuple(row.issues),
        faulty_fields=tuple(row.faulty_fields),
        corrected_values={},
        rationale=None,
        was_cancelled=row.was_cancelled,
        ground_truth=False,
        lead_time=None,
        created_at=row.annotated_at,
        updated_at=row.revised_at,
        origins={},
        prediction_snapshot=None,
        result=row.result,
        problems=(),
    )


def verify(loop: Loop) -> VerificationReport:
    return service.verify_project(loop.services, loop.project())


def kinds(loop: Loop) -> list[str]:
    report = verify(loop)
    assert all(difference.remedy for difference in report.differences)
    return [difference.kind for difference in report.differences]


def test_equal_stores_have_no_difference(loop: Loop, held: Held) -> None:
    report = verify(loop)
    assert report.differences == []
    assert report.is_equal
    assert (report.tasks_compared, report.annotations_compared) == (48, 24)
    assert (report.revisions_checked, report.model_versions_checked) == (24, 1)


def test_a_task_that_label_studio_lost(loop: Loop, held: Held) -> None:
    gone = next(task for task, answers in held.tasks.items() if not answers)
    del held.tasks[gone]
    assert kinds(loop) == ["task_missing_in_label_studio"]


def test_a_task_that_is_deleted_only_here(loop: Loop, held: Held) -> None:
    with loop.services.database.transaction() as session:
        task = session.merge(loop.tasks(2)[0])
        task.deleted_at = NOW
    assert kinds(loop) == ["task_deleted_only_here"]


def test_a_task_that_is_unknown_here(loop: Loop, held: Held) -> None:
    held.tasks[999_999] = ()
    assert kinds(loop) == ["task_unknown_here"]


def test_a_task_that_label_studio_cannot_show_is_not_taken_for_lost(loop: Loop, held: Held) -> None:
    answered = next(task_id for task_id, annotations in held.tasks.items() if annotations)
    held.unreadable = {answered}
    (only,) = verify(loop).differences
    assert (only.kind, only.subject) == ("task_unreadable", f"Label Studio tasks {answered}")


def test_an_annotation_that_never_came(loop: Loop, held: Held) -> None:
    task_id, (answer,) = next((task, group) for task, group in held.tasks.items() if group)
    held.tasks[task_id] = (answer, replace(answer, label_studio_id=77))
    report = verify(loop)
    (difference,) = report.differences
    assert difference.kind == "annotation_missing"
    assert "annotation 77" in difference.subject
    assert difference.label_studio == f"updated {identity_of(answer.updated_at)}"


def test_an_annotation_that_is_gone_there(loop: Loop, held: Held) -> None:
    task_id = next(task for task, group in held.tasks.items() if group)
    held.tasks[task_id] = ()
    assert kinds(loop) == ["annotation_gone"]


@pytest.mark.parametrize(
    "change",
    [
        {"grade": "superb"},
        {"issues": ("other",)},
        {"faulty_fields": ("title", "price")},
        {"was_cancelled": True},
        {"result": [{"from_name": "grade"}]},
    ],
)
def test_an_annotation_that_differs(loop: Loop, held: Held, change: dict[str, object]) -> None:
    task_id, (answer,) = next((task, group) for task, group in held.tasks.items() if group)
    held.tasks[task_id] = (replace(answer, **change),)  # type: ignore[arg-type]
    assert kinds(loop) == ["annotation_differs"]


def test_the_order_of_issues_is_no_difference(loop: Loop, held: Held) -> None:
    with loop.services.database.transaction() as session:
        row = session.exec(select(Annotation).where(Annotation.grade == "poor")).first()
        assert row is not None
        row.issues, row.faulty_fields = ["b", "a"], ["price", "title"]
        task = session.get(Task, row.task_id)
        assert task is not None
        session.add(row)
        same = replace(parsed(row, task), issues=("a", "b"), faulty_fields=("title", "price"))
        held.tasks[task.label_studio_task_id or 0] = (same,)
    assert kinds(loop) == []


def test_a_gap_in_the_revisions(loop: Loop, held: Held) -> None:
    with loop.services.database.transaction() as session:
        row = session.exec(select(Annotation)).first()
        assert row is not None
        row.revision = 3
        session.add(row)
    assert kinds(loop) == ["revision_gap"]


def test_a_task_that_was_not_pushed_with_its_batch(loop: Loop, held: Held) -> None:
    with loop.services.database.transaction() as session:
        task = session.merge(loop.tasks(2)[0])
        del held.tasks[task.label_studio_task_id or 0]
        task.label_studio_task_id = None
    assert kinds(loop) == ["task_not_pushed"]


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_an_artifact_that_is_damaged(loop: Loop, held: Held, damage: str) -> None:
    folder = loop.services.settings.models_dir / loop.versions[0].artifact
    if damage == "missing":
        (folder / "manifest.json").unlink()
    else:
        (folder / "signals.json").write_text("{}")
    assert kinds(loop) == ["artifact_corrupt"]


def test_a_version_without_a_decision(loop: Loop, held: Held) -> None:
    (version,) = loop.versions
    with loop.services.database.transaction() as session:
        RegistryService(session, loop.clock).register(
            loop.project_id,
            fingerprint="f" * 64,
            artifact=version.artifact,
            encoder=version.encoder,
            training_labels=1,
            audit_labels=0,
            metrics={},
        )
    assert kinds(loop) == ["version_undecided"]


def test_a_prediction_of_another_projects_version(loop: Loop, held: Held) -> None:
    with loop.services.database.transaction() as session:
        other = session.merge(loop.project())
        copy = type(other)(
            name="Other",
            dataset_id=other.dataset_id,
            label_schema=other.label_schema,
            policy=other.policy,
            created_at=NOW,
        )
        session.add(copy)
        session.flush()
        version = ModelVersion(
            **(loop.versions[0].model_dump(exclude={"id", "project_id"})), project_id=copy.id
        )
        session.add(version)
        session.flush()
        shown = session.exec(select(Prediction)).first()
        assert shown is not None
        shown.model_version_id = version.id
        session.add(shown)
    assert kinds(loop) == ["prediction_untraceable"]


def test_events_that_nobody_applies(loop: Loop, held: Held) -> None:
    with loop.services.database.transaction() as session:
        session.add(WebhookEvent(project_id=loop.project_id, body="{}", received_at=NOW))
    assert kinds(loop) == ["events_not_applied"]


def test_a_job_that_failed_until_one_succeeds(loop: Loop, held: Held) -> None:
    def add(status: str, minutes: float) -> None:
        loop.clock.advance(minutes)
        with loop.services.database.transaction() as session:
            session.add(
                Job(
                    id=f"sync-{minutes}",
                    name="labeling.sync",
                    project_id=loop.project_id,
                    args={},
                    status=status,
                    error="ValueError: unexpected",
                    enqueued_at=loop.clock(),
                )
            )

    add("failed", 1)
    assert kinds(loop) == ["job_failed"]
    add("failed", 1.5)
    (both,) = verify(loop).differences
    assert both.subject == "job sync-1.5"
    assert both.store == "ValueError: unexpected (2 times)"
    add("done", 2)
    assert kinds(loop) == []


def test_a_project_that_label_studio_lost_is_one_difference(
    loop: Loop, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_parts: object) -> None:
        raise LabelStudioProjectGone("Project 1 is gone.", remedy="Restore it.")

    monkeypatch.setattr(service, "check_held", gone)
    held.tasks.clear()
    (only,) = verify(loop).differences
    assert (only.kind, only.label_studio) == ("project_gone", "Project 1 is gone.")
    assert only.remedy == "Restore it."


def test_a_question_that_people_edited_in_label_studio(loop: Loop, held: Held) -> None:
    held.screen = held.screen.replace('<Choice value="fair"', '<Choice value="okay"')
    report = verify(loop)
    (found,) = report.differences
    assert (found.kind, found.label_studio) == (
        "screen_changed",
        "'grade' lacks 'fair' and offers 'okay'",
    )
    assert "add to 'grade' 'fair', remove from 'grade' 'okay'" in found.remedy


def test_without_a_label_studio_project_only_promises_are_checked(
    sqlite_database: Database, tmp_path: Path, new_loop: Callable[..., Loop]
) -> None:
    loop = new_loop(sqlite_database)
    services = Services(settings=Settings(data_dir=tmp_path), database=sqlite_database)
    assert service.verify_project(services, loop.project()).is_equal


def test_a_batch_that_waits_for_its_push_is_no_difference(loop: Loop, held: Held) -> None:
    with loop.services.database.transaction() as session:
        batch = session.merge(loop.batches[1])
        batch.pushed_at = None
        for task in loop.tasks(2):
            row = session.merge(task)
            held.tasks.pop(row.label_studio_task_id or 0)
            row.label_studio_task_id = None
        assert isinstance(batch, Batch)
    assert kinds(loop) == []
