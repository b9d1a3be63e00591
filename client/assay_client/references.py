"""Projects and datasets as callers name them: the object, its id, or its name."""

from assay_client.exceptions import NotFound, ProblemDetails
from assay_client.models import Dataset, Project
from assay_client.operation import Call, Flow, fetch
from assay_client.reading import read, read_list

DATASETS = "/api/v1/datasets"
PROJECTS = "/api/v1/projects"
DatasetRef = Dataset | int | str
ProjectRef = Project | int | str


def project_path(project: ProjectRef, tries: int) -> Flow[str]:
    """The address of the project.

    Raises:
        NotFound: no project is called so.
    """
    if isinstance(project, str):
        project = yield from find_project(project, tries)
    return f"{PROJECTS}/{project if isinstance(project, int) else project.id}"


def dataset_path(dataset: DatasetRef, tries: int) -> Flow[str]:
    """The address of the dataset.

    Raises:
        NotFound: no dataset is called so.
    """
    if isinstance(dataset, str):
        dataset = yield from find_dataset(dataset, tries)
    return f"{DATASETS}/{dataset if isinstance(dataset, int) else dataset.id}"


def find_project(wanted: ProjectRef, tries: int) -> Flow[Project]:
    """The project as it is now."""
    if not isinstance(wanted, str):
        path = yield from project_path(wanted, tries)
        return read(Project, (yield from fetch(Call(method="GET", path=path), tries)))
    listed = yield from fetch(Call(method="GET", path=PROJECTS), tries)
    for each in read_list(Project, listed):
        if each.name == wanted:
            return each
    raise _no_such("project", wanted)


def find_dataset(wanted: DatasetRef, tries: int) -> Flow[Dataset]:
    """The dataset as it is now."""
    if not isinstance(wanted, str):
        path = yield from dataset_path(wanted, tries)
        return read(Dataset, (yield from fetch(Call(method="GET", path=path), tries)))
    listed = yield from fetch(Call(method="GET", path=DATASETS), tries)
    for each in read_list(Dataset, listed):
        if each.name == wanted:
            return each
    raise _no_such("dataset", wanted)


def dataset_name(dataset: DatasetRef, tries: int) -> Flow[str]:
    """The dataset's name; a text is one, whether there is such a dataset or not."""
    if isinstance(dataset, int):
        dataset = yield from find_dataset(dataset, tries)
    return dataset if isinstance(dataset, str) else dataset.name


def _no_such(what: str, name: str) -> NotFound:
    return NotFound(
        ProblemDetails(
            type="urn:assay:problem:not-found",
            title="Not found",
            status=404,
            detail=f"There is no {what} called {name!r}.",
            field=what,
            value=name,
            remedy=f"The list of {what}s has them all.",
        )
    )
