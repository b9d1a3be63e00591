"""Write, publish and read guidelines; versions are only ever added."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from sqlmodel import Session

from backend.audit.service import AuditTrail
from backend.core.clock import Clock
from backend.core.exceptions import Conflict, InvalidInput, NotFound
from backend.guidelines import repository
from backend.guidelines.disagreements import count_pairs, report
from backend.guidelines.schemas import (
    DisagreementReport,
    GuidelineDraft,
    GuidelinePublic,
    GuidelineSummary,
)
from backend.jobs.queue import enqueue, list_recent
from backend.label_studio.connection import SHOW_GUIDELINE
from backend.label_studio.guideline_repository import current_guideline
from backend.models import Guideline, Project
from backend.projects.repository import lock_project
from backend.projects.service import label_schema_of
from backend.words import N_, Message
from labeling.label_schema import LabelSchema

FIRST_AUTHOR = N_("label schema")
FIRST_CHANGE = N_("The instructions of the label schema.")

Showing = Literal["nowhere", "underway", "failed", "shown"]


class Guidelines:
    """The guidelines of all projects, within one transaction.

    A project begins with version 1: its label schema's instructions. It is stored with the first
    change, and counts until a version is published.
    """

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._audit = AuditTrail(session, clock)

    def current(self, project: Project) -> GuidelinePublic:
        """The version that annotators are shown."""
        row = current_guideline(self._session, project.id) or first_version(project)
        return GuidelinePublic.of(row, is_current=True)

    def newest(self, project: Project) -> GuidelinePublic:
        """The version with the highest number, published or not."""
        return self.version(project, self._rows(project)[0].version)

    def version(self, project: Project, number: int) -> GuidelinePublic:
        """That version.

        Raises:
            NotFound: the project has none of that number.
        """
        rows = {row.version: row for row in self._rows(project)}
        if number not in rows:
            raise NotFound(
                Message(
                    "The guideline of project {project} has no version {number}.",
                    project=project.id,
                    number=number,
                ),
                field="version",
                value=number,
                remedy=Message("Its versions are 1 to {max}.", max=max(rows)),
            )
        is_current = self._current_version(project) == number
        return GuidelinePublic.of(rows[number], is_current=is_current)

    def history(self, project: Project) -> list[GuidelineSummary]:
        """Every version, newest first."""
        current = self._current_version(project)
        return [
            GuidelineSummary(
                **row.model_dump(include=set(GuidelineSummary.model_fields)),
                is_current=row.version == current,
            )
            for row in self._rows(project)
        ]

    def save(self, project: Project, draft: GuidelineDraft, *, author: str) -> GuidelinePublic:
        """A new version; annotators see it when it is published.

        Raises:
            Conflict: somebody saved a version since the author began; nothing is stored.
            InvalidInput: a rule is about something that the label schema does not have, or
                nothing is different from the version before.
        """
        check_subjects(label_schema_of(project), draft)
        before = self._rows_to_change(project)[0]
        if before.version != draft.based_on:
            raise Conflict(
                Message(
                    "Version {version} was saved by {author} meanwhile; you began with "
                    "version {based_on}.",
                    version=before.version,
                    author=before.author,
                    based_on=draft.based_on,
                ),
                field="based_on",
                value=draft.based_on,
                remedy=Message("Compare the two, take over what is missing and save again."),
            )
        if GuidelinePublic.of(before, is_current=False).says == draft.says:
            raise InvalidInput(
                Message("Nothing is different from version {version}.", version=before.version),
                field="text",
                remedy=Message("Change something, or publish that version."),
            )
        row = repository.add(
            self._session,
            Guideline(
                project_id=project.id,
                version=before.version + 1,
                text=draft.text,
                text_zh=draft.text_zh,
                rules=[rule.model_dump() for rule in draft.rules],
                change=draft.change.strip(),
                author=author,
                created_at=self._clock(),
            ),
        )
        self._audit.append(
            author, "guideline.saved", f"project:{project.id}", {"version": row.version}
        )
        return GuidelinePublic.of(row, is_current=False)

    def publish(self, project: Project, number: int, *, actor: str) -> GuidelinePublic:
        """That version counts from now on, and Label Studio will show it.

        Publishing an earlier version goes back to it; publishing the current one again shows it
        in Label Studio again.

        Raises:
            NotFound: the project has no version of that number.
        """
        self._rows_to_change(project)
        self.version(project, number)
        (row,) = [row for row in self._rows(project) if row.version == number]
        before = self.current(project)
        now = self._clock()
        # After the one before, even where another machine's clock is ahead: the last one counts.
        published_at = max(now, (before.published_at or now) + timedelta(microseconds=1))
        repository.mark_published(self._session, row.id, published_at)
        self._session.refresh(row)
        self._audit.append(
            actor,
            "guideline.published",
            f"project:{project.id}",
            {"version": number, "before": before.version},
        )
        if project.label_studio_project_id is not None:
            enqueue(self._session, SHOW_GUIDELINE, project_id=project.id, now=now)
        return GuidelinePublic.of(row, is_current=True)

    def display(self, project: Project) -> Showing:
        """Whether Label Studio shows the current version by now."""
        if project.label_studio_project_id is None:
            return "nowhere"
        jobs = list_recent(self._session, project_id=project.id, name=SHOW_GUIDELINE, limit=1)
        if jobs and jobs[0].status in ("queued", "running", "waiting"):
            return "underway"
        return "failed" if jobs and jobs[0].status in ("failed", "cancelled") else "shown"

    def disagreements(self, project: Project) -> DisagreementReport:
        """What people who answered the same records disagree about, and the rules about it."""
        schema = label_schema_of(project)
        given = repository.answers_that_can_differ(self._session, project.id)
        counts = count_pairs(given, schema)
        decisions = repository.decisions_by_rule(self._session, project.id)
        return report(counts, schema, self.current(project).rules, decisions)

    def _rows(self, project: Project) -> Sequence[Guideline]:
        return repository.versions(self._session, project.id) or [first_version(project)]

    def _rows_to_change(self, project: Project) -> Sequence[Guideline]:
        """The versions, with the first one stored, and nobody else changing them."""
        lock_project(self._session, project.id)
        rows = repository.versions(self._session, project.id)
        return rows or [repository.add(self._session, first_version(project))]

    def _current_version(self, project: Project) -> int:
        row = current_guideline(self._session, project.id)
        return row.version if row else 1


def first_version(project: Project) -> Guideline:
    """What the label schema says, as the version that every project begins with."""
    schema = label_schema_of(project)
    return Guideline(
        project_id=project.id,
        version=1,
        text=schema.instructions_en or "",
        text_zh=schema.instructions_zh or "",
        rules=[],
        change=FIRST_CHANGE,
        author=FIRST_AUTHOR,
        created_at=project.created_at,
        published_at=project.created_at,
    )


def check_subjects(schema: LabelSchema, draft: GuidelineDraft) -> None:
    """Do nothing if every rule is about a grade, an issue, a field or nothing in particular.

    Raises:
        InvalidInput: a rule is about something else.
    """
    known = (*schema.grades, *schema.issue_values, *schema.fields)
    for rule in draft.rules:
        if rule.about and rule.about not in known:
            raise InvalidInput(
                Message(
                    "The rule {rule!r} cannot be about {about!r}.", rule=rule.name, about=rule.about
                ),
                field="rules.about",
                value=rule.about,
                remedy=Message("The label schema has: {known}.", known=known),
            )
