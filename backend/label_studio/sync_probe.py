"""Whether a periodic sync would find anything: then it is a job, else nothing is written."""

import logging
from datetime import datetime, timedelta
from threading import Lock

from backend.core.exceptions import AppError
from backend.core.services import Services
from backend.label_studio import repository
from backend.label_studio.connection import check_held
from backend.label_studio.sync import is_listing_due
from backend.projects import repository as projects
from labeling.exceptions import LabelingError

Listing = tuple[tuple[int, datetime], ...]

logger = logging.getLogger(__name__)


class SyncProbe:
    """Remembers, for this process, what Label Studio listed when a sync was last found due.

    A sync is due while the last one failed or none went through, where its full listing of
    tasks is due (every ``LISTING_INTERVAL``), and where Label Studio lists other changed tasks,
    or other times of change, than before: so also for a change that was committed late.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._listings: dict[int, Listing] = {}
        self._lock = Lock()

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
        if is_listing_due(cursor, self._services.clock()):
            return True
        overlap = timedelta(seconds=self._services.settings.sync_overlap_seconds)
        since = None if cursor.cursor is None else cursor.cursor - overlap
        try:
            check_held(self._services, project)
            client = self._services.label_studio
            listing = tuple(client.changed_tasks(project.label_studio_project_id, since))
        except (AppError, LabelingError) as error:
            logger.info("project %d is to be synced: %s", project_id, error)
            return True
        with self._lock:
            is_new = self._listings.get(project_id) != listing
            self._listings[project_id] = listing
        return is_new
