"""When a fine-tuning is due."""

from sqlmodel import Session

from backend.core.clock import Clock
from backend.jobs.queue import enqueue
from backend.models import Project
from backend.projects.service import policy_of
from backend.registry.service import RegistryService

FINE_TUNE = "training.fine_tune"
FINE_TUNED_ON = "fine_tuned_on"
"""The metric of a model version that tells on how many labels its encoder was trained."""
GROWTH = 1.5
"""Labels, over those of the last fine-tuning, that make another one worth its time. Chosen."""


def request_fine_tuning(
    session: Session, clock: Clock, project: Project, labels: int
) -> str | None:
    """A fine-tuning is queued if the policy wants one at so many labels; its job id.

    Asking again, also with some more labels, queues no second one.
    """
    after = policy_of(project).fine_tune_after
    versions = RegistryService(session, clock).list_versions(project.id)
    last = max((int(version.metrics.get(FINE_TUNED_ON, 0)) for version in versions), default=0)
    wanted = None if after is None else max(after, round(GROWTH * last))
    if wanted is None or labels < wanted:
        return None
    # The wanted number, not the labels of now: later retrainings must not ask again.
    return enqueue(session, FINE_TUNE, project_id=project.id, key=f"at:{wanted}", now=clock())
