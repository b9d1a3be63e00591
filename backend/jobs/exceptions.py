"""Why a job stopped without an outcome of its own.

::

    AppError
    ├── JobInterrupted        the worker stops, or the job is no longer its: run again
    ├── WorkerConflict        another worker process is in the way           409
    └── Unavailable
        └── LeaseHeld         another job holds the lease: tried again soon
"""

from backend.core.exceptions import AppError, Conflict, Unavailable


class JobInterrupted(AppError):
    """The worker is stopping or has lost the job; it is run again from its start."""

    status_code = 503
    title = "Job interrupted"


class LeaseHeld(Unavailable):
    """Another job holds the lease that this one needs."""

    title = "Lease held"


class WorkerConflict(Conflict):
    """Another worker process stands where this one was to start."""

    title = "Worker already running"
