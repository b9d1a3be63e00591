"""Scoring records that are in no dataset, and who is asking."""

from assay_client.exceptions import RowsUnreadable
from assay_client.models import Scores, WhoAmI
from assay_client.operation import Flow, Room, Way, operation
from assay_client.reading import read
from assay_client.references import ProjectRef, project_path
from assay_client.rows import Rows, rows_of

MOST_AT_ONCE = 1_000
"""Records that one request takes."""


class Scoring(Room[Way]):
    """What a client does by itself."""

    @operation
    def score(self, project: ProjectRef, records: Rows) -> Flow[Scores]:
        """The champion's verdicts on any number of records, in their order; nothing is kept.

        A thousand go in one request. Where the champion changes between two of them, those before
        are scored anew, so that one model version has judged all.

        Example::

            scores = assay.score("Shop catalogue", [{"title": "Mug", "price": "9.90"}])
            print(scores.model_version, scores.verdicts[0].grade, scores.verdicts[0].risk)

        Args:
            records: a data frame, a dataset, or dictionaries from field to value.

        Raises:
            RowsUnreadable: there are no records.
            Conflict: the project has no champion yet.
        """
        rows = list(rows_of(records))
        if not rows:
            raise RowsUnreadable("There are no records to score.")
        path = yield from project_path(project, self._runner.tries)
        parts = [rows[start : start + MOST_AT_ONCE] for start in range(0, len(rows), MOST_AT_ONCE)]
        while True:
            scores: list[Scores] = []
            for part in parts:
                answer = yield from self._fetch("POST", f"{path}/score", json={"records": part})
                scores.append(read(Scores, answer))
                if scores[-1].model_version != scores[0].model_version:
                    break
            else:
                verdicts = [verdict for each in scores for verdict in each.verdicts]
                return Scores(model_version=scores[0].model_version, verdicts=verdicts)

    @operation
    def whoami(self) -> Flow[WhoAmI]:
        """Name and role of the API key; asks nothing else of the server.

        Raises:
            NotAuthenticated: the key is unknown or revoked.
        """
        return read(WhoAmI, (yield from self._fetch("GET", "/api/v1/access/me")))
