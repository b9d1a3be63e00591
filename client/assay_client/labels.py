"""Labels with their lineage."""

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from assay_client.operation import Flow, Room, Way, operation
from assay_client.references import ProjectRef, project_path
from assay_client.table import Table

What = Literal["best", "gold", "consensus", "annotations"]
LabelFormat = Literal["jsonl", "csv", "parquet", "huggingface", "label_studio"]


class Labels(Room[Way]):
    """``assay.labels``: what people said, and what it amounts to."""

    @operation
    def get(
        self,
        project: ProjectRef,
        what: What = "best",
        *,
        since: datetime | None = None,
        kind: str | None = None,
        grade: str | None = None,
        audit_only: bool = False,
        min_confidence: float | None = None,
        pseudonyms: bool = True,
    ) -> Flow[Table]:
        """Labels, to be made a data frame.

        Example::

            frame = assay.labels.get("Shop catalogue", min_confidence=0.9).to_pandas()

        Args:
            what: ``gold`` was decided by people on the review desk, ``consensus`` is what the
                answers amount to, ``best`` is gold where there is, else consensus;
                ``annotations`` is each person's answer.
            since: made or changed at or after that time.
            audit_only: of records that were drawn at random.
            min_confidence: consensus labels at least as probable; gold stays.
            pseudonyms: people as ``annotator-1``; their names need a key with the role lead.
        """
        params = _filters(since, kind, grade, audit_only, min_confidence, pseudonyms)
        path = yield from project_path(project, self._runner.tries)
        params |= {"what": what, "format": "jsonl"}
        answer = yield from self._fetch("GET", f"{path}/exports", params=params)
        return Table.of_json_lines(answer.content)

    @operation
    def download(
        self,
        project: ProjectRef,
        file: Path | str,
        what: What = "best",
        *,
        format: LabelFormat = "parquet",
        since: datetime | None = None,
        kind: str | None = None,
        grade: str | None = None,
        audit_only: bool = False,
        min_confidence: float | None = None,
        pseudonyms: bool = True,
    ) -> Flow[Path]:
        """Labels in a file, which is whole or not there; its path. ``huggingface`` is a zip.

        Arguments are those of ``get``.
        """
        params = _filters(since, kind, grade, audit_only, min_confidence, pseudonyms)
        path = yield from project_path(project, self._runner.tries)
        params |= {"what": what, "format": format}
        target = Path(file)
        yield from self._fetch("GET", f"{path}/exports", params=params, save_to=target)
        return target


def _filters(
    since: datetime | None,
    kind: str | None,
    grade: str | None,
    audit_only: bool,
    min_confidence: float | None,
    pseudonyms: bool,
) -> dict[str, Any]:
    return {
        "since": since.isoformat() if since else None,
        "kind": kind,
        "grade": grade,
        "audit_only": str(audit_only).lower(),
        "min_confidence": min_confidence,
        "pseudonyms": str(pseudonyms).lower(),
    }
