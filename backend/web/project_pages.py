"""The pages of a project: their tabs, the same on each of them."""

from dataclasses import dataclass

from backend.core.security import Role
from backend.words import N_


@dataclass(frozen=True)
class ProjectPage:
    """One tab: where it leads below the project's address, and who may open it."""

    place: str
    caption: str
    role: Role


OVERVIEW = ProjectPage("", N_("Overview"), "viewer")
PROJECT_PAGES = (
    OVERVIEW,
    ProjectPage("/map", N_("Map"), "viewer"),
    ProjectPage("/models", N_("Model versions"), "viewer"),
    ProjectPage("/review", N_("Review desk"), "reviewer"),
    ProjectPage("/agreement", N_("Agreement"), "lead"),
    ProjectPage("/annotators", N_("Annotators"), "lead"),
    ProjectPage("/labels", N_("Labels to look at again"), "lead"),
    ProjectPage("/guideline", N_("Guideline"), "annotator"),
    ProjectPage("/exports", N_("Exports"), "lead"),
)


def project_page(path: str, project_id: int) -> ProjectPage:
    """The tab that the address belongs to; the overview for what has none of its own."""
    below = path.removeprefix(f"/projects/{project_id}")
    return next(
        (page for page in PROJECT_PAGES if page.place and f"{below}/".startswith(f"{page.place}/")),
        OVERVIEW,
    )
