"""Make sure that a project exists in Label Studio, once, and that it calls us back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from http import HTTPStatus
from typing import Any

from sqlmodel import Session

from backend.core.exceptions import ConfigurationError, Unavailable
from backend.core.services import Services
from backend.jobs.queue import enqueue
from backend.label_studio import repository
from backend.label_studio.guideline_repository import current_guideline
from backend.models import Guideline, Project
from backend.projects import repository as projects
from backend.projects.service import label_schema_of, policy_of
from backend.words import N_, Message, in_every_language
from labeling.exceptions import LabelStudioRefused
from labeling.label_schema import LabelSchema
from labeling.label_studio.instructions import GuidelineRule, instructions_html
from labeling.label_studio.label_config import build_label_config, has_evidence
from labeling.label_studio.screen import ScreenChange, changes_of_screen
from labeling.label_studio.webhooks import SECRET_HEADER

KEYS_TO_RECOGNISE = 50
"""Chosen: one of so many pushed tasks is left in a project that is still ours."""
WEBHOOK_PATH = "/webhooks/label-studio"
SHOW_GUIDELINE = "guidelines.show"


def project_marker(project: Project) -> str:
    """The text by which a project of ours is found again in Label Studio."""
    return f"assay-project-{project.id}-{int(project.created_at.timestamp() * 1000)}"


class LabelStudioProjectGone(Unavailable):
    """Label Studio answers, and holds the project no more."""

    title = N_("Label Studio project gone")


class LabelStudioScreenChanged(Unavailable):
    """Label Studio refuses suggestions because people edited the project's labelling screen."""

    title = N_("Labelling screen changed")


def screen_changes(held: Mapping[str, Any], project: Project) -> list[ScreenChange]:
    """Where the screen of the project that Label Studio holds asks for something else than ours."""
    return changes_of_screen(str(held["label_config"]), label_schema_of(project))


def remedy_of_screen(changes: Sequence[ScreenChange]) -> str:
    """What to do about it, in Label Studio."""
    return Message(
        "In Label Studio, under Settings, Labeling Interface, Code: {changes}.",
        changes=[change.remedy for change in changes],
    )


def check_held(services: Services, project: Project) -> dict[str, Any]:
    """The project as Label Studio holds it, under the id that the store knows.

    An id alone proves nothing: a Label Studio with a new database gives the same ids out again.

    Raises:
        LabelStudioProjectGone: there is no such project, or it is another one.
    """
    label_studio_id, client = project.label_studio_project_id, services.label_studio
    assert label_studio_id is not None
    try:
        held = client.get_project(label_studio_id)
    except LabelStudioRefused as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        gone = N_("Project {number} of Label Studio, which showed '{project}', is gone.")
    else:
        if held.get("description") == project_marker(project):
            return held
        with services.database.reading() as session:
            keys = repository.pushed_keys(session, project.id, KEYS_TO_RECOGNISE)
        if keys and client.find_tasks(label_studio_id, keys):
            return held  # somebody wrote another description
        gone = N_(
            "Project {number} of Label Studio, which showed '{project}', is another project now."
        )
    raise LabelStudioProjectGone(
        Message(gone, number=label_studio_id, project=project.name),
        field="project",
        value=project.name,
        remedy=(
            Message(
                "Restore Label Studio's database, and all goes on by itself; or let whoever runs "
                "the server make the project anew there (docs/operations.md). No answer that was "
                "taken in is lost."
            )
        ),
    )


def connect(services: Services, project_id: int) -> int:
    """The id of the project in Label Studio; created there first if it is missing.

    A kill between Label Studio's commit and ours leaves a project that the next call finds
    by its marker, so there is never a second one.

    Raises:
        LabelStudioProjectGone: it was created before and is not there any more.
    """
    with services.database.reading() as session:
        project = projects.get(session, project_id)
        assert project is not None
        guideline = current_guideline(session, project_id)
    client = services.label_studio
    if project.label_studio_project_id is None:
        schema, policy = label_schema_of(project), policy_of(project)
        marker = project_marker(project)
        label_studio_id = client.find_project(marker)
        shows = guideline if label_studio_id is None else None
        if label_studio_id is None:
            label_studio_id = client.create_project(
                title=project.name,
                description=marker,
                label_config=build_label_config(
                    schema, evidence=policy.explanation_share > 0, say=in_every_language
                ),
                maximum_annotations=policy.annotators_per_record,
                instruction=guideline_html(guideline) if guideline else instructions(schema),
            )
        with services.database.transaction() as session:
            row = projects.get(session, project_id)
            assert row is not None
            row.label_studio_project_id = label_studio_id
            session.add(row)
            session.flush()
            _show_what_counts_now(session, row, shows, services.clock())
    else:
        label_studio_id = project.label_studio_project_id
        check_held(services, project)
    ensure_webhook(services, label_studio_id)
    return label_studio_id


def _show_what_counts_now(
    session: Session, project: Project, shows: Guideline | None, now: datetime
) -> None:
    """A guideline that was published while the project was made will be shown there too."""
    counts = current_guideline(session, project.id)
    if counts is not None and (shows is None or counts.id != shows.id):
        enqueue(session, SHOW_GUIDELINE, project_id=project.id, now=now)


def shows_evidence(services: Services, project: Project, label_studio_project_id: int) -> bool:
    """True if suggestions may mark their evidence on the project's screen in Label Studio.

    A screen that was made without it, and is as it was made, gets it now; a screen that people
    changed stays as it is.
    """
    client = services.label_studio
    held = str(client.get_project(label_studio_project_id)["label_config"])
    if has_evidence(held):
        return True
    schema = label_schema_of(project)
    if held.strip() != build_label_config(schema, evidence=False, say=in_every_language).strip():
        return False
    screen = build_label_config(schema, say=in_every_language)
    client.update_project(label_studio_project_id, {"label_config": screen})
    return True


def ensure_webhook(services: Services, label_studio_project_id: int) -> None:
    """Label Studio calls our webhook with the secret; exactly one hook exists for it.

    Raises:
        ConfigurationError: no webhook secret is set.
    """
    secret = services.settings.webhook_secret
    if secret is None:
        raise ConfigurationError(
            Message("There is no webhook secret."),
            field="webhook_secret",
            remedy=Message("Whoever runs the server sets ASSAY_WEBHOOK_SECRET."),
        )
    services.label_studio.upsert_webhook(
        label_studio_project_id,
        url=services.settings.webhook_base_url + WEBHOOK_PATH,
        headers={SECRET_HEADER: secret.get_secret_value()},
    )


def guideline_html(guideline: Guideline) -> str:
    """A version of a guideline as annotators read it in Label Studio: safe HTML, Chinese first."""
    rules = [
        GuidelineRule(rule["name"], rule.get("text", ""), rule.get("text_zh", ""))
        for rule in guideline.rules
    ]
    return instructions_html(guideline.text, guideline.text_zh, rules)


def instructions(schema: LabelSchema) -> str:
    """The schema's instructions as annotators read them, Chinese first."""
    return "<br/>".join(
        escape(text) for text in (schema.instructions_zh, schema.instructions_en) if text
    )
