"""The traffic with Label Studio: push batches, and make the store equal to it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from backend.annotations import loop_repository, repository
from backend.annotations.connection import (
    LabelStudioScreenChanged,
    check_held,
    connect,
    remedy_of_screen,
    screen_changes,
    shows_evidence,
)
from backend.annotations.intake import AnnotationIntake
from backend.annotations.people import know_annotators
from backend.annotations.revisions import SyncCounts, identity_of
from backend.annotations.service import AnnotationsService
from backend.core.exceptions import NotFound
from backend.core.services import Services
from backend.models import Batch, Prediction, Project, Record, Task
from backend.projects import repository as projects
from backend.projects.service import label_schema_of, policy_of
from labeling.exceptions import LabelStudioRefused
from labeling.label_schema import LabelSchema
from labeling.label_studio.predictions import Suggestion, build_prediction, strongest_evidence
from labeling.label_studio.screen import ScreenChange
from labeling.label_studio.sync import (
    TaskSnapshot,
    changes_since,
    missing_tasks,
    push_tasks,
    with_predictions,
)
from labeling.label_studio.tasks import build_task_data

SHOWN_PROBABILITY = 0.5
LISTING_INTERVAL = timedelta(minutes=10)

Progress = Callable[[float, str], None]


def silent(_fraction: float, _message: str) -> None:
    """Progress that nobody watches."""


def push_batches(services: Services, project_id: int, progress: Progress = silent) -> int:
    """Every batch that is not marked as pushed is in Label Studio in full; tasks pushed.

    Repeating it, also after a kill at any moment, makes no second task: keys are looked up
    in Label Studio before anything is sent.
    """
    with services.database.reading() as session:
        project = _project(services, project_id)
        batches = loop_repository.batches_not_pushed(session, project_id)
    pushed = 0
    screen: list[ScreenChange] = []
    if project.label_studio_project_id is not None:
        screen = screen_changes(check_held(services, project), project)
    if batches:
        label_studio_id = connect(services, project_id)
        for batch in batches:
            try:
                pushed += _push_batch(services, project, batch, label_studio_id, progress)
            except LabelStudioRefused as error:
                if error.status != HTTPStatus.BAD_REQUEST or not screen:
                    raise
                raise LabelStudioScreenChanged(
                    f"Label Studio refuses tasks for '{project.name}', whose labelling screen was "
                    f"edited there: {'; '.join(map(str, screen))}.",
                    field="project",
                    value=project.name,
                    remedy=remedy_of_screen(screen) + " Then all goes on by itself.",
                ) from error
    return pushed


def _push_batch(
    services: Services, project: Project, batch: Batch, label_studio_id: int, progress: Progress
) -> int:
    assert batch.id is not None
    assert project.id is not None
    with services.database.reading() as session:
        rows = loop_repository.tasks_with_records(session, batch.id)
        predictions = loop_repository.predictions_of_batch(session, batch.id)
        numbers = loop_repository.model_version_names(session, project.id)
    schema, policy = label_schema_of(project), policy_of(project)
    is_explained = any(prediction.explanation for prediction in predictions.values())
    is_marked = is_explained and shows_evidence(services, project, label_studio_id)
    items = [
        _import_item(
            task,
            record,
            None if task.is_audit and policy.is_blind_on_audit else predictions.get(task.id or 0),
            schema,
            numbers,
            is_marked=is_marked,
        )
        for task, record in rows
    ]
    ids = push_tasks(services.label_studio, label_studio_id, items, progress)
    _show_model_version(services, label_studio_id, items)
    with services.database.transaction() as session:
        repository.set_label_studio_ids(
            session, {task.id: ids[task.key] for task, _ in rows if task.id is not None}
        )
        loop_repository.mark_batch_pushed(session, batch.id, services.clock())
    return len(rows)


def _import_item(
    task: Task,
    record: Record,
    prediction: Prediction | None,
    schema: LabelSchema,
    numbers: dict[int, int],
    *,
    is_marked: bool,
) -> dict[str, Any]:
    item: dict[str, Any] = {
        "data": build_task_data(task.key, record.external_id, record.fields, schema),
        "meta": {"task": task.id, "reason": task.reason},
    }
    if prediction is not None:
        suggestion = Suggestion(
            grade=prediction.grade,
            score=prediction.score,
            model_version=f"v{numbers[prediction.model_version_id]}",
            issues=_likely(prediction.issue_probabilities),
            faulty_fields=_likely(prediction.field_probabilities),
            evidence=strongest_evidence(prediction.explanation) if is_marked else (),
        )
        item["predictions"] = [build_prediction(suggestion, record.fields, schema)]
    return item


def _likely(probabilities: dict[str, float]) -> dict[str, float]:
    return {name: p for name, p in probabilities.items() if p >= SHOWN_PROBABILITY}


def _show_model_version(
    services: Services, label_studio_id: int, items: Sequence[dict[str, Any]]
) -> None:
    """Label Studio shows, and orders by, the predictions of this model version."""
    versions = {p["model_version"] for item in items for p in item.get("predictions", ())}
    for version in versions:
        services.label_studio.update_project(label_studio_id, {"model_version": version})


def sync_project(
    services: Services, project_id: int, *, is_full: bool = False, progress: Progress = silent
) -> SyncCounts:
    """The store holds what Label Studio holds: every revision once, deletions as revisions.

    Reads what changed since the cursor, minus an overlap; ``is_full`` reads everything and
    also lists the tasks that are gone. The cursor moves with each chunk, in its transaction.
    """
    project = _project(services, project_id)
    label_studio_id = project.label_studio_project_id
    if label_studio_id is None:
        return SyncCounts()
    check_held(services, project)
    with services.database.transaction() as session:
        cursor = loop_repository.get_cursor(session, project_id)
    counts, foreign, unreadable = SyncCounts(), set[int](), list[int]()
    started = services.clock()
    parts = changes_since(
        services.label_studio,
        label_studio_id,
        None if is_full else cursor.cursor,
        label_schema_of(project),
        overlap=timedelta(seconds=services.settings.sync_overlap_seconds),
        unreadable=unreadable.append,
    )
    for index, snapshots in enumerate(parts):
        known = _with_predictions(services, project_id, label_studio_id, snapshots)
        applied, unknown = _apply_snapshots(services, project, known, started)
        counts += applied
        foreign.update(unknown)
        progress(1 - 1 / (index + 2), f"{counts.total} revisions read")
    if is_full or _is_listing_due(services, project_id):
        counts += _sync_deleted_tasks(services, project_id, label_studio_id)
    know_annotators(services)
    with services.database.transaction() as session:
        loop_repository.mark_synced(session, project_id, services.clock())
        if unreadable:
            loop_repository.mark_sync_failed(session, project_id, cannot_be_shown(unreadable))
        AnnotationsService(session, services.clock).after_intake(project, counts)
    if foreign:
        progress(1.0, f"{len(foreign)} tasks in Label Studio are not ours")
    return counts


def cannot_be_shown(task_ids: Sequence[int]) -> str:
    """What people are told of tasks that Label Studio itself stumbles over."""
    ids = ", ".join(map(str, sorted(task_ids)))
    return (
        f"Label Studio answers 500 when it is asked for its tasks {ids}. Look for the cause in its "
        "log; as a rule it helps to delete their newest annotation there."
    )


def _with_predictions(
    services: Services,
    project_id: int,
    label_studio_id: int,
    snapshots: Sequence[TaskSnapshot],
) -> Sequence[TaskSnapshot]:
    """The snapshots; where no webhook told it, also what suggestion the annotator saw."""
    held = [parsed for snapshot in snapshots for parsed in snapshot.annotations]
    with services.database.reading() as session:
        known = repository.known_identities(
            session, project_id, [parsed.label_studio_id for parsed in held]
        )
        unheard = {
            parsed.task_id
            for parsed in held
            if identity_of(parsed.updated_at) not in known.get(parsed.label_studio_id, {})
        }
        suggested = repository.suggested_label_studio_ids(session, project_id, sorted(unheard))
    if not suggested:
        return snapshots
    return with_predictions(services.label_studio, label_studio_id, snapshots, suggested)


def _apply_snapshots(
    services: Services,
    project: Project,
    snapshots: Sequence[TaskSnapshot],
    read_from: datetime,
) -> tuple[SyncCounts, list[int]]:
    assert project.id is not None
    with services.database.transaction() as session:
        intake = AnnotationIntake(session, project.id, via="sync", now=services.clock())
        counts, foreign = intake.reconcile(snapshots, read_from=read_from)
        if snapshots:
            newest = max(snapshot.updated_at for snapshot in snapshots)
            loop_repository.move_cursor(session, project.id, newest)
    return counts, foreign


def _is_listing_due(services: Services, project_id: int) -> bool:
    with services.database.reading() as session:
        listed_at = loop_repository.get_cursor(session, project_id).listed_at
    return listed_at is None or services.clock() - listed_at >= LISTING_INTERVAL


def _sync_deleted_tasks(services: Services, project_id: int, label_studio_id: int) -> SyncCounts:
    with services.database.reading() as session:
        known = repository.pushed_label_studio_ids(session, project_id)
    missing = missing_tasks(services.label_studio, label_studio_id, known) if known else []
    with services.database.transaction() as session:
        intake = AnnotationIntake(session, project_id, via="sync", now=services.clock())
        counts = intake.delete_tasks(missing)
        loop_repository.mark_listed(session, project_id, services.clock())
    return counts


def _project(services: Services, project_id: int) -> Project:
    with services.database.reading() as session:
        project = projects.get(session, project_id)
    if project is None:
        raise NotFound(f"There is no project {project_id}.", field="project", value=project_id)
    return project
