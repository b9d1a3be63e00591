"""Whether a periodic sync would find anything: then it is a job, else nothing is written."""

import logging
from datetime import datetime, timedelta

from backend.core.exceptions import AppError
from backend.core.services import Services
from backend.label_studio import repository
from backend.label_studio.connection import check_held
from backend.label_studio.sync import is_listing_due
from backend.projects import repository as projects
from labeling.exceptions import LabelingError

Listing = frozenset[tuple[int, datetime]]

logger = logging.getLogger(__name__)


class SyncProbe:
    """Remembers, for this process, which changes Label Studio listed when it was last asked.

    A sync is due while the last one failed, none went through or tasks are unread, where its full
    listing of tasks is due (every ``LISTING_INTERVAL``), and where Label Studio lists a change that
    it did not list before: so also one that was committed late, with a time before the cursor.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._listings: dict[int, Listing] = {}

    def is_due(self, project_id: int | None) -> bool:
        """True if a sync may find something; what stops the asking is for the sync to tell."""
        if project_id is None:
            return False
        with self._services.database.reading() as session:
            project = projects.get(session, project_id)
            cursor = repository.find_cursor(session, project_id)
        if project is None or project.label_studio_project_id is None:
            return False
        if cursor is None or cursor.synced_at is None or cursor.error is not None:
            return True
        if cursor.unreadable or is_listing_due(cursor, self._services.clock()):
            return True
        overlap = timedelta(seconds=self._services.settings.sync_overlap_seconds)
        since = None if cursor.cursor is None else cursor.cursor - overlap
        try:
            check_held(self._services, project)
            client = self._services.label_studio
            listing = frozenset(client.changed_tasks(project.label_studio_project_id, since))
        except (AppError, LabelingError) as error:
            logger.info("project %d is to be synced: %s", project_id, error)
            return True
        known = self._listings.get(project_id)
        if known is None:  # since this process began: what the last sync has read
            known = frozenset(one for one in listing if cursor.cursor and one[1] <= cursor.cursor)
        self._listings[project_id] = listing
        return not listing <= known
