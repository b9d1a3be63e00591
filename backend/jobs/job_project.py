"""The project that a job is for."""

from backend.core.exceptions import InvalidInput
from backend.jobs.context import JobContext
from backend.words import Message


def project_of(context: JobContext) -> int:
    """The project that the job is for.

    Raises:
        InvalidInput: it is for none.
    """
    if context.project_id is None:
        raise InvalidInput(
            Message("Job {job_id} is for no project.", job_id=context.job_id), field="project_id"
        )
    return context.project_id
