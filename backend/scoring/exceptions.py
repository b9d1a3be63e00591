"""What is in the way of a verdict."""

from backend.core.exceptions import Conflict
from backend.models import Project
from backend.words import Message


def no_champion(project: Project) -> Conflict:
    """Nobody judges yet."""
    return Conflict(
        Message("Project {project} has no champion yet, so nobody judges.", project=project.id),
        field="project",
        value=project.id,
        remedy=Message("Label the first batch; a model version is trained then."),
    )
