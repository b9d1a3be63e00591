"""A project as the API and the command line show it."""

from backend.models import Project
from backend.projects.project_warnings import warnings_of
from backend.projects.schemas import ProjectPublic
from backend.words import in_readers_language


def to_public(project: Project) -> ProjectPublic:
    """The project with what whoever set it up should know of it."""
    held = ProjectPublic.model_validate(project, from_attributes=True)
    return held.model_copy(
        update={"warnings": [in_readers_language(words) for words in warnings_of(project)]}
    )
