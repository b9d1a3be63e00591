"""Take annotations in: webhook events at once, the reconciling sync for certainty."""

from datetime import timedelta

from sqlmodel import Session

from backend.annotations import repository
from backend.annotations.intake import AnnotationIntake
from backend.annotations.revisions import SyncCounts
from backend.core.clock import Clock
from backend.jobs.queue import enqueue_if_none_waiting
from backend.loop.job_names import APPLY_EVENTS
from backend.loop.service import LoopService
from backend.models import Project, WebhookEvent
from backend.projects import repository as projects
from backend.projects.service import label_schema_of
from labeling.label_studio.webhooks import (
    AnnotationChanged,
    AnnotationsDeleted,
    TasksCreated,
    TasksDeleted,
    parse_event,
    redact,
)

RETRY_FAILED_AFTER = timedelta(minutes=5)
"""Chosen: as ``loop.service.RETRY_FAILED_AFTER``, so that a lasting fault costs little."""


class AnnotationsService:
    """Annotations of all projects, within one transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def receive(self, body: bytes) -> WebhookEvent:
        """The raw event is stored (less Label Studio's own token) and will be applied.

        Raises:
            MalformedWebhook: the body is not a Label Studio event; nothing is stored.
        """
        event = parse_event(body)
        project = (
            projects.find_by_label_studio_id(self._session, event.project_id)
            if event.project_id is not None
            else None
        )
        now = self._clock()
        row = repository.add_event(
            self._session,
            project_id=project.id if project else None,
            action=event.action,
            body=redact(body),
            now=now,
        )
        if project is None:
            row.status, row.applied_at = "ignored", now
            row.note = f"Label Studio project {event.project_id} is not one of ours."
            self._session.add(row)
        else:
            enqueue_if_none_waiting(self._session, APPLY_EVENTS, project_id=project.id, now=now)
        return row

    def has_received_events(self, project_id: int) -> bool:
        """True while an event of the project waits to be applied."""
        return repository.has_received_events(self._session, project_id)

    def apply_events(self, project: Project) -> SyncCounts:
        """The events received first are applied or have asked for a sync.

        As many as one transaction should hold; see ``has_received_events`` for whether some wait.
        """
        now = self._clock()
        intake = AnnotationIntake(self._session, project.id, via="webhook", now=now)
        schema = label_schema_of(project)
        counts = SyncCounts()
        needs_sync = False
        loop = LoopService(self._session, self._clock)
        for row in repository.received_events(self._session, project.id):
            row.status, row.applied_at = "applied", now
            event = parse_event(row.body.encode(), schema=schema)
            match event:
                case AnnotationChanged():
                    applied, foreign = intake.apply(event.annotations)
                    counts += applied
                    if foreign:
                        # It may be a task whose id the push has not written down yet.
                        row.note = f"tasks {foreign} are not known here; left to the sync"
                        needs_sync = True
                case TasksCreated():
                    row.status = "ignored"
                case AnnotationsDeleted() | TasksDeleted():
                    row.note = "left to the sync"
                    needs_sync = True
                case _:
                    row.status, row.note = "ignored", f"action {event.action!r} changes no label"
            self._session.add(row)
        if needs_sync:
            loop.request_sync(project.id, is_full=True)
        if counts.total:
            loop.request_review(project)
        return counts
