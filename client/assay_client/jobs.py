"""Jobs: look at them, wait for them, stop them."""

import time
from collections.abc import Callable, Sequence

from assay_client.exceptions import JobFailed, JobStillRunning
from assay_client.models import Job, JobState
from assay_client.operation import Flow, Room, Way, operation, pause
from assay_client.progress import ProgressLine
from assay_client.reading import read, read_list
from assay_client.references import ProjectRef, find_project

JOBS = "/api/v1/jobs"
FIRST_LOOK_SECONDS = 0.2
"""Small jobs end at once."""
LOOK_SECONDS = 2.0
"""Pauses grow to this: a job's own progress is written twice a second."""


class Jobs(Room[Way]):
    """``assay.jobs``. A job is named by its object or its id."""

    @operation
    def list(
        self,
        *,
        project: ProjectRef | None = None,
        status: Sequence[JobState] = (),
        name: str | None = None,
        limit: int = 100,
    ) -> Flow[list[Job]]:
        """Jobs, open ones first, then the newest.

        Args:
            status: only these; none: all.
            name: the kind of job, such as ``training.retrain``.
        """
        number = None
        if project is not None:
            number = (yield from find_project(project, self._runner.tries)).id
        params = {"project_id": number, "status": [*status], "name": name, "limit": limit}
        return read_list(Job, (yield from self._fetch("GET", JOBS, params=params)))

    @operation
    def get(self, job: Job | str) -> Flow[Job]:
        """The job as it is now.

        Raises:
            NotFound: there is none; finished ones are purged after a while.
        """
        return (yield from self._look(job))

    @operation
    def wait(
        self,
        job: Job | str,
        *,
        timeout: float | None = None,
        on_progress: Callable[[Job], object] | None = None,
        look_every: float = LOOK_SECONDS,
    ) -> Flow[Job]:
        """The job once it is done.

        Example::

            job = assay.jobs.wait(job, timeout=600, on_progress=lambda job: print(job.progress))

        Args:
            timeout: seconds to wait at most; None: as long as it takes.
            on_progress: is called with the job at each look; None: a line on the standard error.
                ``assay_client.silence`` shows nothing.
            look_every: seconds between two looks, at most.

        Raises:
            JobFailed: it failed or was cancelled.
            JobStillRunning: it had not ended in time; it goes on.
        """
        show = on_progress or ProgressLine()
        start, seconds = time.monotonic(), min(FIRST_LOOK_SECONDS, look_every)
        while True:
            now = yield from self._look(job)
            show(now)
            if now.status == "done":
                return now
            if not now.is_open:
                raise JobFailed(now)
            passed = time.monotonic() - start
            if timeout is not None and passed >= timeout:
                raise JobStillRunning(now, timeout)
            left = seconds if timeout is None else min(seconds, timeout - passed)
            yield from pause(left)
            seconds = min(1.5 * seconds, look_every)

    @operation
    def cancel(self, job: Job | str) -> Flow[Job]:
        """The job is asked to stop; it does so at its next safe point."""
        return read(Job, (yield from self._fetch("POST", f"{JOBS}/{_id_of(job)}/cancel")))

    @operation
    def retry(self, job: Job | str) -> Flow[Job]:
        """The job that was queued in place of a failed or cancelled one.

        Raises:
            Conflict: it has succeeded, or is not finished.
        """
        return read(Job, (yield from self._fetch("POST", f"{JOBS}/{_id_of(job)}/retry")))

    def _look(self, job: Job | str) -> Flow[Job]:
        return read(Job, (yield from self._fetch("GET", f"{JOBS}/{_id_of(job)}")))


def _id_of(job: Job | str) -> str:
    return job if isinstance(job, str) else job.id
