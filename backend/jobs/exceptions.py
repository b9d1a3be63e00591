"""Why a job stopped without an outcome of its own.

::

    AppError
    ├── JobInterrupted        the worker stops, or the job is no longer its: run again
    ├── WorkerConflict        another worker process is in the way           409
    └── Unavailable
        └── LeaseHeld         another job holds the lease: tried again soon
"""

from backend.core.exceptions import AppError, Conflict, Unavailable
from backend.words import N_


class JobInterrupted(AppError):
    """The worker is stopping or has lost the job; it is run again from its start."""

    status_code = 503
    title = N_("Job interrupted")


class LeaseHeld(Unavailable):
    """Another job holds the lease that this one needs."""

    title = N_("Lease held")


class WorkerConflict(Conflict):
    """Another worker process stands where this one was to start."""

    title = N_("Worker already running")
