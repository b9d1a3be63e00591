"""What the champion says about the records of a project's dataset."""

from pathlib import Path
from typing import Any, Literal

from assay_client.models import Job, QueuedIfNoneWaits, VerdictPage, VerdictState
from assay_client.operation import Flow, Room, Way, operation
from assay_client.reading import read, read_object
from assay_client.references import ProjectRef, project_path
from assay_client.table import Table

VerdictFormat = Literal["csv", "parquet", "jsonl"]


class Verdicts(Room[Way]):
    """``assay.verdicts``. Filters are passed by the names that the API has for them."""

    @operation
    def list(
        self,
        /,
        project: ProjectRef,
        *,
        sort: str = "risk",
        offset: int = 0,
        limit: int = 50,
        **filters: Any,
    ) -> Flow[VerdictPage]:
        """A page of verdicts; ``offset`` is the last page's ``next_offset``.

        Example::

            page = assay.verdicts.list("Shop catalogue", sort="doubt", grade="poor")

        Args:
            sort: ``risk``, ``doubt``, ``confidence``, ``newest``, ``id`` or ``field:NAME``, largest
                first; with a leading ``-`` smallest first.
            filters: such as ``text``, ``grade``, ``issue``, ``confidence_from``, ``disagreement``,
                ``where=["price>=5"]``; the API's page lists them.
        """
        path = yield from project_path(project, self._runner.tries)
        params = _as_sent(filters) | {"sort": sort, "offset": offset, "limit": limit}
        return read(VerdictPage, (yield from self._fetch("GET", f"{path}/verdicts", params=params)))

    @operation
    def facets(self, /, project: ProjectRef, **filters: Any) -> Flow[dict[str, Any]]:
        """Counts and histograms of the verdicts that fit."""
        path = yield from project_path(project, self._runner.tries)
        params = _as_sent(filters)
        return read_object(
            (yield from self._fetch("GET", f"{path}/verdicts/facets", params=params))
        )

    @operation
    def table(self, /, project: ProjectRef, **filters: Any) -> Flow[Table]:
        """All verdicts that fit, to be made a data frame.

        Example::

            frame = assay.verdicts.table("Shop catalogue").to_pandas()
            print(frame.sort_values("risk").tail())
        """
        path = yield from project_path(project, self._runner.tries)
        params = _as_sent(filters) | {"format": "jsonl"}
        answer = yield from self._fetch("GET", f"{path}/verdicts/export", params=params)
        return Table.of_json_lines(answer.content)

    @operation
    def download(
        self,
        /,
        project: ProjectRef,
        file: Path | str,
        *,
        format: VerdictFormat = "parquet",
        **filters: Any,
    ) -> Flow[Path]:
        """All verdicts that fit in a file, which is whole or not there; its path."""
        path = yield from project_path(project, self._runner.tries)
        params, target = _as_sent(filters) | {"format": format}, Path(file)
        yield from self._fetch("GET", f"{path}/verdicts/export", params=params, save_to=target)
        return target

    @operation
    def state(self, project: ProjectRef) -> Flow[VerdictState]:
        """Whose verdicts are read now, and whether they are of now."""
        path = yield from project_path(project, self._runner.tries)
        return read(VerdictState, (yield from self._fetch("GET", f"{path}/verdicts/state")))

    @operation
    def refresh(self, project: ProjectRef) -> Flow[Job | None]:
        """Verdicts are brought up to date by this job; None if one waits that will do it."""
        path = yield from project_path(project, self._runner.tries)
        answer = yield from self._fetch("POST", f"{path}/verdicts/refresh")
        job_id = read(QueuedIfNoneWaits, answer).job_id
        if job_id is None:
            return None
        return read(Job, (yield from self._fetch("GET", f"/api/v1/jobs/{job_id}")))


def _as_sent(filters: dict[str, Any]) -> dict[str, Any]:
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in filters.items()
    }
