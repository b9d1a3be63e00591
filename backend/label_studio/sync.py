"""Make the store equal to Label Studio: every revision once, deletions as revisions."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from active_learning.types import silent
from backend.annotations import repository as annotations_repository
from backend.annotations.intake import AnnotationIntake
from backend.annotations.people import know_annotators
from backend.annotations.revisions import SyncCounts, identity_of
from backend.core.services import Services
from backend.label_studio import repository
from backend.label_studio.connection import (
    check_held,
)
from backend.loop.service import LoopService, after_intake
from backend.models import Project, SyncCursor
from backend.projects.service import ProjectsService, label_schema_of
from backend.words import Message, Progress
from labeling.label_studio.sync import (
    TaskSnapshot,
    changes_since,
    missing_tasks,
    with_predictions,
)

LISTING_INTERVAL = timedelta(minutes=10)
"""Also the longest that a project is not synced while nothing changes (``SyncProbe``). Chosen."""


def sync_project(
    services: Services, project_id: int, *, is_full: bool = False, progress: Progress = silent
) -> SyncCounts:
    """The store holds what Label Studio holds: every revision once, deletions as revisions.

    Reads what changed since the cursor, minus an overlap; ``is_full`` reads everything and
    also lists the tasks that are gone. The cursor moves with each chunk, in its transaction. A
    task that Label Studio cannot show is read again by each sync, and told as long as it fails.
    """
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
    label_studio_id = project.label_studio_project_id
    if label_studio_id is None:
        return SyncCounts()
    check_held(services, project)
    with services.database.transaction() as session:
        cursor = repository.get_cursor(session, project_id)
    counts, foreign, unreadable = SyncCounts(), set[int](), list[int]()
    started = services.clock()
    parts = changes_since(
        services.label_studio,
        label_studio_id,
        None if is_full else cursor.cursor,
        label_schema_of(project),
        overlap=timedelta(seconds=services.settings.sync_overlap_seconds),
        unreadable=unreadable.append,
        again=cursor.unreadable,
    )
    for index, snapshots in enumerate(parts):
        known = _with_predictions(services, project_id, label_studio_id, snapshots)
        applied, unknown = _apply_snapshots(
            services, project, known, started, [*cursor.unreadable, *unreadable]
        )
        counts += applied
        foreign.update(unknown)
        progress(
            1 - 1 / (index + 2),
            Message.ngettext("{n} revision read", "{n} revisions read", n=counts.total),
        )
    if is_full or is_listing_due(cursor, services.clock()):
        counts += _sync_deleted_tasks(services, project_id, label_studio_id)
    know_annotators(services)
    with services.database.transaction() as session:
        repository.mark_synced(session, project_id, services.clock())
        repository.keep_unreadable(session, project_id, unreadable)
        if unreadable:
            repository.mark_sync_failed(session, project_id, cannot_be_shown(unreadable))
        if counts.total or counts.tasks_deleted:
            LoopService(session, services.clock).request_review(project)
    after_intake(services, project, counts.total)
    if foreign:
        progress(
            1.0,
            Message.ngettext(
                "{n} task in Label Studio is not ours",
                "{n} tasks in Label Studio are not ours",
                n=len(foreign),
            ),
        )
    return counts


def cannot_be_shown(task_ids: Sequence[int]) -> str:
    """What people are told of tasks that Label Studio itself stumbles over."""
    return Message.ngettext(
        "Label Studio answers 500 when it is asked for its task {tasks}. Look for the cause in its "
        "log; as a rule it helps to delete its newest annotation there.",
        "Label Studio answers 500 when it is asked for its tasks {tasks}. Look for the cause in "
        "its log; as a rule it helps to delete their newest annotation there.",
        n=len(task_ids),
        tasks=sorted(task_ids),
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
        known = annotations_repository.known_identities(
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
    unreadable: Sequence[int],
) -> tuple[SyncCounts, list[int]]:
    """``unreadable`` tasks stay known as such: the cursor, which passes them, moves here."""
    with services.database.transaction() as session:
        intake = AnnotationIntake(session, project.id, via="sync", now=services.clock())
        counts, foreign = intake.reconcile(snapshots, read_from=read_from)
        if snapshots:
            newest = max(snapshot.updated_at for snapshot in snapshots)
            repository.move_cursor(session, project.id, newest)
        repository.keep_unreadable(session, project.id, unreadable)
    return counts, foreign


def is_listing_due(cursor: SyncCursor, now: datetime) -> bool:
    """True if the next sync lists every task, to find those that are gone."""
    return cursor.listed_at is None or now - cursor.listed_at >= LISTING_INTERVAL


def _sync_deleted_tasks(services: Services, project_id: int, label_studio_id: int) -> SyncCounts:
    with services.database.reading() as session:
        known = repository.pushed_label_studio_ids(session, project_id)
    missing = missing_tasks(services.label_studio, label_studio_id, known) if known else []
    with services.database.transaction() as session:
        intake = AnnotationIntake(session, project_id, via="sync", now=services.clock())
        counts = intake.delete_tasks(missing)
        repository.mark_listed(session, project_id, services.clock())
    return counts
