"""Push batches: every task in Label Studio once, with the suggestion that people see."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from active_learning.types import silent
from backend.core.services import Services
from backend.label_studio import repository
from backend.label_studio.connection import (
    LabelStudioScreenChanged,
    check_held,
    connect,
    remedy_of_screen,
    screen_changes,
    shows_evidence,
)
from backend.loop import repository as loop_repository
from backend.loop.withheld import is_withheld
from backend.models import Batch, Prediction, Project, Record, Task
from backend.projects.service import ProjectsService, label_schema_of, policy_of
from backend.projects.titles import with_titles
from backend.words import Message, Progress, in_every_language
from labeling.exceptions import LabelStudioRefused
from labeling.label_schema import LabelSchema
from labeling.label_studio.predictions import Suggestion, build_prediction, strongest_evidence
from labeling.label_studio.screen import ScreenChange
from labeling.label_studio.sync import (
    push_tasks,
)
from labeling.label_studio.tasks import build_task_data

SHOWN_PROBABILITY = 0.5
"""Probability from which yes is at least as likely as no."""


def push_batches(services: Services, project_id: int, progress: Progress = silent) -> int:
    """Every batch that is not marked as pushed is in Label Studio in full; tasks pushed.

    Repeating it, also after a kill at any moment, makes no second task: keys are looked up
    in Label Studio before anything is sent.
    """
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
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
                    Message(
                        "Label Studio refuses tasks for '{project}', whose labelling screen "
                        "was edited there: {columns}.",
                        project=project.name,
                        columns=[change.words for change in screen],
                    ),
                    field="project",
                    value=project.name,
                    remedy=Message(
                        "{fact} {remedy}",
                        fact=remedy_of_screen(screen),
                        remedy=Message("Then all goes on by itself."),
                    ),
                ) from error
    return pushed


def _push_batch(
    services: Services, project: Project, batch: Batch, label_studio_id: int, progress: Progress
) -> int:
    with services.database.reading() as session:
        rows = repository.due_tasks(session, batch.id)
        predictions = repository.predictions_of_batch(session, batch.id)
        numbers = repository.model_version_names(session, project.id)
    schema, policy = label_schema_of(project), policy_of(project)
    is_explained = any(prediction.explanation for prediction in predictions.values())
    is_marked = is_explained and shows_evidence(services, project, label_studio_id)
    items = [
        _import_item(
            task,
            record,
            None
            if is_withheld(task, is_blind_on_audit=policy.is_blind_on_audit)
            else predictions.get(task.id),
            schema,
            numbers,
            is_marked=is_marked,
        )
        for task, record in rows
    ]
    ids = push_tasks(services.label_studio, label_studio_id, items, progress)
    _show_model_version(services, label_studio_id, items)
    with services.database.transaction() as session:
        repository.set_label_studio_ids(session, {task.id: ids[task.key] for task, _ in rows})
        repository.mark_batch_pushed(session, batch.id, services.clock())
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
        "meta": {"task": task.id, "reason": in_every_language(with_titles(task.reason, schema))},
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
