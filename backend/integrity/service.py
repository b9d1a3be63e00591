"""``assay verify``: every difference between Label Studio, the store and its promises."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from active_learning.artifacts import load_artifact
from active_learning.exceptions import ArtifactError
from backend.annotations.revisions import identity_of
from backend.core.services import Services
from backend.integrity import repository
from backend.integrity.schemas import Difference, VerificationReport
from backend.label_studio.connection import (
    LabelStudioProjectGone,
    check_held,
    remedy_of_screen,
    screen_changes,
)
from backend.label_studio.sync import cannot_be_shown
from backend.loop import revision_repository
from backend.models import Annotation, Project, Task
from backend.projects.service import label_schema_of
from backend.words import Message
from labeling.label_studio.annotations import ParsedAnnotation
from labeling.label_studio.sync import changes_since

RUN_SYNC = Message("Run: assay sync PROJECT --full")
RUN_PUSH = Message("Run: assay push PROJECT")


def verify_project(services: Services, project: Project) -> VerificationReport:
    """Compare one project; the report lists every difference."""
    report = VerificationReport(project_id=project.id, project=project.name)
    if project.label_studio_project_id is not None and _is_held(services, project, report):
        report.differences.extend(_compare_with_label_studio(services, project, report))
    report.differences.extend(_check_invariants(services, project.id, report))
    return report


def _is_held(services: Services, project: Project, report: VerificationReport) -> bool:
    try:
        changes = screen_changes(check_held(services, project), project)
    except LabelStudioProjectGone as error:
        report.differences.append(
            Difference(
                kind="project_gone",
                subject=Message("project {project}", project=project.name),
                store=Message(
                    "shown as project {label_studio_project_id} of Label Studio",
                    label_studio_project_id=project.label_studio_project_id,
                ),
                label_studio=error.message,
                remedy=error.remedy or RUN_PUSH,
            )
        )
        return False
    report.differences.extend(
        Difference(
            kind="screen_changed",
            subject=Message("question '{control}'", control=change.control),
            store=Message("as the label schema asks it"),
            label_studio=Message.of(change.words),
            remedy=remedy_of_screen([change]),
        )
        for change in changes
    )
    return True


def _compare_with_label_studio(
    services: Services, project: Project, report: VerificationReport
) -> Iterator[Difference]:
    assert project.label_studio_project_id is not None
    held: dict[int, tuple[ParsedAnnotation, ...]] = {}
    unreadable: list[int] = []
    for part in changes_since(
        services.label_studio,
        project.label_studio_project_id,
        None,
        label_schema_of(project),
        unreadable=unreadable.append,
    ):
        held.update({snapshot.task_id: snapshot.annotations for snapshot in part})
    with services.database.reading() as session:
        tasks = [
            task
            for task in repository.tasks(session, project.id)
            if task.label_studio_task_id not in unreadable
        ]
        current = revision_repository.current_revisions(session, project.id)
    if unreadable:
        yield Difference(
            kind="task_unreadable",
            subject=Message("Label Studio tasks {unreadable}", unreadable=sorted(unreadable)),
            store=Message("not compared"),
            label_studio=Message("answers 500"),
            remedy=cannot_be_shown(unreadable),
        )
    report.tasks_compared = len(held)
    report.annotations_compared = sum(len(group) for group in held.values())
    yield from _compare_tasks(tasks, held)
    yield from _compare_annotations(tasks, current, held)


def _compare_tasks(
    tasks: Sequence[Task], held: Mapping[int, tuple[ParsedAnnotation, ...]]
) -> Iterator[Difference]:
    known = {task.label_studio_task_id: task for task in tasks if task.label_studio_task_id}
    for label_studio_id, task in sorted(known.items()):
        if label_studio_id not in held and task.deleted_at is None:
            yield Difference(
                kind="task_missing_in_label_studio",
                subject=Message("task {task}", task=task.id),
                store=Message("pushed as {label_studio_id}", label_studio_id=label_studio_id),
                label_studio=Message("no such task"),
                remedy=RUN_SYNC,
            )
        if label_studio_id in held and task.deleted_at is not None:
            yield Difference(
                kind="task_deleted_only_here",
                subject=Message("task {task}", task=task.id),
                store=Message("deleted at {deleted_at}", deleted_at=task.deleted_at.isoformat()),
                label_studio=Message(
                    "task {label_studio_id} exists", label_studio_id=label_studio_id
                ),
                remedy=RUN_SYNC,
            )
    for label_studio_id in sorted(held.keys() - known.keys()):
        yield Difference(
            kind="task_unknown_here",
            subject=Message("Label Studio task {label_studio_id}", label_studio_id=label_studio_id),
            store=Message("no such task"),
            label_studio=Message.ngettext(
                "{n:,} annotation", "{n:,} annotations", n=len(held[label_studio_id])
            ),
            remedy=Message(
                "{run}; if it stays, it was made by hand there: delete it there.",
                run=RUN_PUSH,
            ),
        )


def _compare_annotations(
    tasks: Sequence[Task],
    current: list[Annotation],
    held: Mapping[int, tuple[ParsedAnnotation, ...]],
) -> Iterator[Difference]:
    pushed = {task.id for task in tasks if task.label_studio_task_id is not None}
    ours = {row.label_studio_annotation_id: row for row in current if row.task_id in pushed}
    known_tasks = {task.label_studio_task_id for task in tasks}
    theirs = {
        parsed.label_studio_id: parsed
        for task_id, group in held.items()
        if task_id in known_tasks
        for parsed in group
    }
    for annotation_id in sorted(theirs.keys() - ours.keys()):
        parsed = theirs[annotation_id]
        yield Difference(
            kind="annotation_missing",
            subject=Message(
                "annotation {annotation_id} of Label Studio task {task_id}",
                annotation_id=annotation_id,
                task_id=parsed.task_id,
            ),
            store=Message("no current revision"),
            label_studio=Message("updated {moment}", moment=identity_of(parsed.updated_at)),
            remedy=RUN_SYNC,
        )
    for annotation_id in sorted(ours.keys() - theirs.keys()):
        yield Difference(
            kind="annotation_gone",
            subject=Message("annotation {annotation_id}", annotation_id=annotation_id),
            store=Message(
                "current, revised {moment}",
                moment=identity_of(ours[annotation_id].revised_at),
            ),
            label_studio=Message("no such annotation"),
            remedy=RUN_SYNC,
        )
    for annotation_id in sorted(ours.keys() & theirs.keys()):
        row, parsed = ours[annotation_id], theirs[annotation_id]
        if _content(row) != _content(parsed):
            yield Difference(
                kind="annotation_differs",
                subject=Message(
                    "annotation {annotation_id} of Label Studio task {task_id}",
                    annotation_id=annotation_id,
                    task_id=parsed.task_id,
                ),
                store=str(_content(row)),
                label_studio=str(_content(parsed)),
                remedy=RUN_SYNC,
            )


def _content(answer: Annotation | ParsedAnnotation) -> tuple[object, ...]:
    return (
        answer.grade,
        sorted(answer.issues),
        sorted(answer.faulty_fields),
        answer.was_cancelled,
        answer.result,
    )


def _check_invariants(
    services: Services, project_id: int, report: VerificationReport
) -> Iterator[Difference]:
    with services.database.reading() as session:
        revisions = repository.revision_counts(session, project_id)
        unpushed = repository.unpushed_tasks_of_pushed_batches(session, project_id)
        versions = repository.model_versions(session, project_id)
        undecided = repository.undecided_versions(session, project_id)
        foreign = repository.predictions_by_foreign_version(session, project_id)
        waiting = repository.waiting_events(session, project_id)
        failed = repository.failed_jobs(session, project_id)
    report.revisions_checked = sum(count for _, count, _, _ in revisions)
    report.model_versions_checked = len(versions)
    for annotation_id, count, low, high in revisions:
        if (low, high) != (1, count):
            yield Difference(
                kind="revision_gap",
                subject=Message("annotation {annotation_id}", annotation_id=annotation_id),
                store=Message.ngettext(
                    "{n:,} revision, numbered {low} to {high}",
                    "{n:,} revisions, numbered {low} to {high}",
                    n=count,
                    low=low,
                    high=high,
                ),
                remedy=Message("Revisions are never removed; restore the store from a backup."),
            )
    for task in unpushed:
        yield Difference(
            kind="task_not_pushed",
            subject=Message("task {task}", task=task.id),
            store=Message("its batch counts as pushed"),
            remedy=RUN_PUSH,
        )
    for version in versions:
        try:
            load_artifact(services.settings.models_dir / Path(version.artifact))
        except ArtifactError as error:
            yield Difference(
                kind="artifact_corrupt",
                subject=Message("model version {version}", version=version.number),
                store=Message.of_error(error),
                remedy=Message(
                    "Restore the models directory, or retrain: assay models train PROJECT."
                ),
            )
    for version in undecided:
        yield Difference(
            kind="version_undecided",
            subject=Message("model version {version}", version=version.number),
            store=Message("registered without a decision of the gate"),
            remedy=Message("Retrain: assay models train PROJECT."),
        )
    if foreign:
        yield Difference(
            kind="prediction_untraceable",
            subject=Message.ngettext("{n:,} prediction", "{n:,} predictions", n=foreign),
            store=Message("made by a model version of another project"),
            remedy=Message("Restore the store from a backup."),
        )
    if waiting:
        yield Difference(
            kind="events_not_applied",
            subject=Message.ngettext("{n:,} webhook event", "{n:,} webhook events", n=waiting),
            store=Message("received, not applied"),
            remedy=Message("Check that a worker runs: assay status."),
        )
    for job, times in failed:
        yield Difference(
            kind="job_failed",
            subject=Message("job {job}", job=job.id),
            store=Message("{error} ({times} times)", error=job.error, times=times)
            if times > 1
            else job.error,
            remedy=Message("Remove the cause; the next label or schedule starts it again."),
        )
