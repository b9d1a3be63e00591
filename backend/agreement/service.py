"""Work reports: whether there is one of the answers as they are now, and asking for it."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from backend.agreement import repository
from backend.agreement.schemas import (
    DELETED,
    AgreementPublic,
    AnnotatorPublic,
    AnnotatorsPublic,
    AnnotatorWork,
    WorkReportContent,
)
from backend.core.clock import Clock
from backend.core.exceptions import Conflict, NotFound
from backend.jobs.queue import enqueue, list_recent
from backend.loop import repository as loop_repository
from backend.models import Job, Project, WorkReport
from backend.projects.service import policy_of
from backend.suspected_labels.repository import annotator_emails, annotator_names
from backend.words import Message

MEASURE = "agreement.measure"
FORM = 1
"""Of the report's content; another one makes kept reports out of date."""
REST = timedelta(minutes=1)
"""How long a report that is out of date is shown before a page asks for the next by itself.
Chosen."""
OPEN = ("queued", "running", "waiting")


@dataclass(frozen=True)
class ReportState:
    """The report that is kept, and what is happening to it."""

    content: WorkReportContent | None
    computed_at: datetime | None
    is_current: bool
    is_empty: bool
    """Nobody has answered anything."""
    job: Job | None
    """Measuring now, or failed at the answers that there are now."""
    is_due: bool
    """A page that is opened asks for a new report."""

    @property
    def is_measuring(self) -> bool:
        """True while a job may still bring a report."""
        return self.job is not None and self.job.status in OPEN


class WorkReports:
    """Work reports of all projects, within one transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def fingerprint(self, project: Project) -> str:
        """SHA-256, hex, of everything that a report depends on; the answers are not read."""
        project_id, policy = project.id, policy_of(project)
        state = loop_repository.answers_state(self._session, project_id)
        content = {
            "form": FORM,
            "answers": state[:3],
            "tasks": repository.tasks_state(self._session, project_id),
            "decisions": state[3:],
            "schema": project.label_schema,
            "policy": [
                policy.overlap,
                policy.annotators_at_most,
                policy.annotators_per_record,
                policy.seed,
            ],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def state(self, project: Project) -> ReportState:
        """The project's report and whether it is of the answers that there are now."""
        row = repository.report(self._session, project.id)
        fingerprint = self.fingerprint(project)
        is_current = row is not None and row.fingerprint == fingerprint
        is_empty = not loop_repository.answers_state(self._session, project.id)[0]
        job = self._job(project, fingerprint)
        content = None if row is None else _content(row)
        is_old = row is None or content is None or row.computed_at <= self._clock() - REST
        return ReportState(
            content=content,
            computed_at=None if row is None else row.computed_at,
            is_current=is_current,
            is_empty=is_empty,
            job=job,
            is_due=not is_current and not is_empty and job is None and is_old,
        )

    def request(self, project: Project) -> str | None:
        """The answers will be measured; the job's id, None if they were already."""
        fingerprint = self.fingerprint(project)
        row = repository.report(self._session, project.id)
        if row is not None and row.fingerprint == fingerprint:
            return None
        job = self._job(project, fingerprint)
        if job is not None and job.status in OPEN:
            return job.id
        return enqueue(
            self._session,
            MEASURE,
            project_id=project.id,
            args={"fingerprint": fingerprint},
            now=self._clock(),
        )

    def keep(self, project_id: int, fingerprint: str, content: WorkReportContent) -> None:
        """The project has this report."""
        kept = {"form": FORM, **content.model_dump(mode="json")}
        repository.put_report(self._session, project_id, fingerprint, kept, self._clock())

    def names(self, content: WorkReportContent | None) -> dict[int, str]:
        """Annotator id to the name that people know."""
        people = [each.annotator_id for each in content.people] if content else []
        found = annotator_names(self._session, people)
        return {each: found.get(each, f"#{each}") for each in people if each != DELETED}

    def agreement(self, project: Project) -> AgreementPublic:
        """How far people agree, as programs read it."""
        state = self.state(project)
        content = state.content
        found = AgreementPublic(
            is_current=state.is_current,
            computed_at=state.computed_at,
            job_id=state.job.id if state.job and state.is_measuring else None,
            annotators=self.names(content),
        )
        if content is not None:
            found.records, found.answers = content.records, content.answers
            found.not_counted, found.overlap = content.not_counted, content.overlap
            found.questions = content.questions
        return found

    def annotators(self, project: Project) -> AnnotatorsPublic:
        """Everybody's work, as programs read it."""
        state = self.state(project)
        content, names = state.content, self.names(state.content)
        return AnnotatorsPublic(
            is_current=state.is_current,
            computed_at=state.computed_at,
            job_id=state.job.id if state.job and state.is_measuring else None,
            decided=content.decided if content else 0,
            not_checked=content.not_checked if content else {},
            items=[with_name(each, names) for each in content.people] if content else [],
        )

    def annotator(self, project: Project, annotator_id: int) -> AnnotatorPublic:
        """One annotator's work.

        Raises:
            NotFound: the report knows nobody with that id.
        """
        state = self.state(project)
        person = state.content.person(annotator_id) if state.content else None
        if person is None:
            raise NotFound(
                Message(
                    "There is no work of annotator {annotator} in project {project}.",
                    annotator=annotator_id,
                    project=project.id,
                ),
                field="annotator_id",
                value=annotator_id,
                remedy=Message("The page of annotators lists them."),
            )
        return with_name(person, self.names(state.content))

    def find_annotator(self, project: Project, text: str) -> AnnotatorPublic:
        """The work of the annotator with that id, e-mail address or name, in any case.

        Raises:
            NotFound: the report knows nobody like that.
            Conflict: several people have that name.
        """
        content = self.state(project).content
        people = [each.annotator_id for each in content.people] if content else []
        if text.isascii() and text.isdigit() and int(text) in people:
            return self.annotator(project, int(text))
        wanted = text.strip().casefold()
        emails, names = annotator_emails(self._session, people), self.names(content)
        found = [each for each in people if emails.get(each, "").casefold() == wanted] or [
            each for each in people if names.get(each, "").casefold() == wanted
        ]
        if len(found) > 1:
            listed = [
                Message("{annotator} ({email})", annotator=each, email=emails[each])
                if each in emails
                else Message("{annotator} (no e-mail)", annotator=each)
                for each in found
            ]
            raise Conflict(
                Message(
                    "{count} annotators are called {name!r}: {listed}.",
                    count=len(found),
                    name=text,
                    listed=listed,
                ),
                field="annotator",
                value=text,
                remedy=Message("Give the id or the e-mail address."),
            )
        if not found:
            known = [f"{each} {names.get(each, '')}".rstrip() for each in people[:20]]
            raise NotFound(
                Message(
                    "There is no work of annotator {annotator!r} in project {project!r}.",
                    annotator=text,
                    project=project.name,
                ),
                field="annotator",
                value=text,
                remedy=Message(
                    "Give an id, an e-mail address or a name of: {known}.",
                    known=known or "nobody yet",
                ),
            )
        return self.annotator(project, found[0])

    def _job(self, project: Project, fingerprint: str) -> Job | None:
        """The newest job, if it is open or failed at these answers."""
        jobs = list_recent(self._session, project_id=project.id, name=MEASURE, limit=1)
        if not jobs:
            return None
        job = jobs[0]
        is_failed = job.status == "failed" and job.args.get("fingerprint") == fingerprint
        return job if job.status in OPEN or is_failed else None


def with_name(person: AnnotatorWork, names: dict[int, str]) -> AnnotatorPublic:
    """The work with the annotator's name; empty for those whom nobody knows any more."""
    return AnnotatorPublic(**person.model_dump(), name=names.get(person.annotator_id, ""))


def _content(row: WorkReport) -> WorkReportContent | None:
    """The report; None if another version of ours kept it."""
    return (
        WorkReportContent.model_validate(row.content) if row.content.get("form") == FORM else None
    )
