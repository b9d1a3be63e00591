"""The batches of a project's loop."""

from assay_client.models import Batch, Job, ProjectStatus, Queued
from assay_client.operation import Flow, Room, Way, operation
from assay_client.reading import read
from assay_client.references import PROJECTS, ProjectRef, project_path


class Batches(Room[Way]):
    """``assay.batches``: what is asked next."""

    @operation
    def request(self, project: ProjectRef) -> Flow[Job]:
        """The next batch is chosen and pushed to Label Studio by a job; starts a new loop, too.

        Example::

            assay.jobs.wait(assay.batches.request("Shop catalogue"))
        """
        return (yield from self._queue(project, "next-batch"))

    @operation
    def retrain(self, project: ProjectRef) -> Flow[Job]:
        """A challenger is trained by a job on the labels of now; the gate decides on it."""
        return (yield from self._queue(project, "retrain"))

    @operation
    def list(self, project: ProjectRef) -> Flow[list[Batch]]:
        """The batches so far, with what the model version after each one was worth."""
        path = yield from project_path(project, self._runner.tries)
        address = path.replace(PROJECTS, "/api/v1/status/projects")
        return read(ProjectStatus, (yield from self._fetch("GET", address))).rounds

    def _queue(self, project: ProjectRef, step: str) -> Flow[Job]:
        path = yield from project_path(project, self._runner.tries)
        queued = read(Queued, (yield from self._fetch("POST", f"{path}/{step}")))
        return read(Job, (yield from self._fetch("GET", f"/api/v1/jobs/{queued.job_id}")))
