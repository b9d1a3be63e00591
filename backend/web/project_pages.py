"""The pages of a project: their tabs, the same on each of them."""

from dataclasses import dataclass

from backend.core.security import Role


@dataclass(frozen=True)
class ProjectPage:
    """One tab: where it leads below the project's address, and who may open it."""

    place: str
    caption: str
    role: Role


OVERVIEW = ProjectPage("", "Overview", "viewer")
PROJECT_PAGES = (
    OVERVIEW,
    ProjectPage("/review", "Review desk", "reviewer"),
    ProjectPage("/agreement", "Agreement", "lead"),
    ProjectPage("/annotators", "Annotators", "lead"),
    ProjectPage("/labels", "Labels to look at again", "lead"),
    ProjectPage("/guideline", "Guideline", "annotator"),
    ProjectPage("/exports", "Exports", "lead"),
)


def project_page(path: str, project_id: int) -> ProjectPage:
    """The tab that the address belongs to; the overview for what has none of its own."""
    below = path.removeprefix(f"/projects/{project_id}")
    return next(
        (page for page in PROJECT_PAGES if page.place and f"{below}/".startswith(f"{page.place}/")),
        OVERVIEW,
    )
