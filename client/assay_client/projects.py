"""Projects."""

from collections.abc import Mapping
from typing import Any

from assay_client.models import Project, ProjectStatus
from assay_client.operation import Flow, Room, Way, operation
from assay_client.reading import read, read_list
from assay_client.references import (
    PROJECTS,
    DatasetRef,
    ProjectRef,
    dataset_name,
    find_project,
    project_path,
)


class Projects(Room[Way]):
    """``assay.projects``. A project is named by its object, its id or its name."""

    @operation
    def create(
        self,
        name: str,
        dataset: DatasetRef,
        *,
        label_schema: Mapping[str, Any] | None = None,
        policy: Mapping[str, Any] | None = None,
    ) -> Flow[Project]:
        """A new project on a dataset; ``batches.request`` starts its loop.

        Example::

            assay.projects.create("Shop catalogue", "shop", policy={"batch_size": 100})

        Args:
            label_schema: what annotators are asked; None: good, fair or poor, and issues.
            policy: settings of the loop; what is left out has its default.

        Raises:
            NotFound: there is no such dataset.
            Conflict: the name is taken.
            InvalidInput: the label schema or the policy cannot be used.
        """
        body: dict[str, Any] = {
            "name": name,
            "dataset": (yield from dataset_name(dataset, self._runner.tries)),
        }
        if label_schema is not None:
            body["label_schema"] = dict(label_schema)
        if policy is not None:
            body["policy"] = dict(policy)
        return read(Project, (yield from self._fetch("POST", PROJECTS, json=body)))

    @operation
    def list(self) -> Flow[list[Project]]:
        """All projects, oldest first."""
        return read_list(Project, (yield from self._fetch("GET", PROJECTS)))

    @operation
    def get(self, project: ProjectRef) -> Flow[Project]:
        """The project as it is now.

        Raises:
            NotFound: there is none.
        """
        return (yield from find_project(project, self._runner.tries))

    @operation
    def status(self, project: ProjectRef) -> Flow[ProjectStatus]:
        """Its batches, model versions, accuracy, and what its loop does or waits for.

        Example::

            status = assay.projects.status("Shop catalogue")
            print(status.loop.state, status.loop.reason, status.accuracy)
        """
        path = yield from project_path(project, self._runner.tries)
        address = path.replace(PROJECTS, "/api/v1/status/projects")
        return read(ProjectStatus, (yield from self._fetch("GET", address)))

    @operation
    def change_policy(self, /, project: ProjectRef, **changes: Any) -> Flow[Project]:
        """The project with other settings of its loop; those that are not named stay.

        Example::

            assay.projects.change_policy("Shop catalogue", batch_size=200, audit_share=0.1)

        Raises:
            InvalidInput: there is no such setting, or it cannot have the value.
        """
        path = yield from project_path(project, self._runner.tries)
        return read(Project, (yield from self._fetch("PATCH", f"{path}/policy", json=changes)))
