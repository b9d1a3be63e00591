"""Faulty cells of a project's records, learnt from the fields that people marked."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from active_learning.exceptions import NoLabels
from active_learning.field_errors import CellTable, FieldErrorDetector
from active_learning.field_errors.sampling import SAMPLERS
from active_learning.types import Marks, Progress, silent
from backend.core.exceptions import Conflict, InvalidInput
from backend.core.services import Services
from backend.features import repository as features_repository
from backend.features.snapshot import take_snapshot
from backend.features.store import FeatureStore
from backend.models import Project
from backend.projects.service import label_schema_of, policy_of
from backend.words import Message

FEWEST_RECORDS = 5
"""Chosen: fewer show neither what is wrong nor what is sound in most columns."""


@dataclass(frozen=True)
class FaultyCell:
    """One field of one record that is probably wrong, and why."""

    external_id: str
    field: str
    value: str | None
    probability: float
    is_marked: bool
    """Whether people marked it; else the classifier says so."""
    expected: str | None
    """What would be usual there, where the evidence knows."""
    evidence: tuple[Message, ...]

    def row(self) -> dict[str, Any]:
        """As a JSON object or a row of a table."""
        return {
            **asdict(replace(self, evidence=())),
            "evidence": "; ".join(map(str, self.evidence)),
            "evidence_messages": [each.to_json() for each in self.evidence],
        }


class FaultyCells:
    """Ranks the cells of a project's dataset; computes its signals once."""

    def __init__(
        self, services: Services, project: Project, *, progress: Progress = silent
    ) -> None:
        """
        Raises:
            Conflict: the dataset has no records.
        """
        self._services = services
        self._schema, self._policy = label_schema_of(project), policy_of(project)
        self._record_ids, self._records = FeatureStore(services).records(
            project.dataset_id, self._schema.fields
        )
        try:
            table = CellTable(
                self._records,
                fields=self._schema.fields,
                today=services.clock().date(),
                seed=self._policy.seed,
                progress=progress,
            )
        except NoLabels as error:
            raise Conflict(
                Message("The dataset of project {project} has no records.", project=project.name),
                remedy=Message("Import records first."),
            ) from error
        self._detector = FieldErrorDetector(table, seed=self._policy.seed)
        self._marks = self._marks_of(project)

    @property
    def marked_records(self) -> int:
        """Records of which people looked at every field."""
        return int((self._marks >= 0).any(axis=1).sum())

    def ranking(self, limit: int, *, with_marked: bool = False) -> Iterator[FaultyCell]:
        """At most ``limit`` cells, the most probably wrong first, down to the threshold.

        Cells that people marked are known already; they come ``with_marked`` only.

        Raises:
            Conflict: too few records are labelled, or no field is marked in any of them.
        """
        if self.marked_records < FEWEST_RECORDS or not (self._marks == 1).any():
            raise Conflict(
                Message(
                    "{records}; {fields}.",
                    records=Message.ngettext(
                        "{n} record is labelled", "{n} records are labelled", n=self.marked_records
                    ),
                    fields=Message.ngettext(
                        "{n} field is marked as faulty",
                        "{n} fields are marked as faulty",
                        n=int((self._marks == 1).sum()),
                    ),
                ),
                remedy=Message(
                    "Label at least {fewest} records and mark what is wrong in them; "
                    "`--choose` names records from which most is learnt.",
                    fewest=FEWEST_RECORDS,
                ),
            )
        self._detector.fit(self._marks)
        probabilities = self._detector.predict_proba()
        is_listed = self._detector.predict()
        if not with_marked:
            is_listed &= self._marks != 1
        rows, columns = np.nonzero(is_listed)
        order = np.argsort(-probabilities[rows, columns], kind="stable")[:limit]
        names = self._external_ids([self._record_ids[row] for row in rows[order].tolist()])
        for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
            field = self._schema.fields[column]
            value = self._records[row].get(field)
            found = self._detector.evidence(row, field, limit=2)
            yield FaultyCell(
                names[self._record_ids[row]],
                field,
                None if value is None else str(value),
                round(float(probabilities[row, column]), 4),
                bool(self._marks[row, column] == 1),
                next((one.expected for one in found if one.expected), None),
                tuple(Message.of(one.reason) for one in found),
            )

    def worth_marking(self, count: int, sampler: str) -> list[str]:
        """External ids of records whose marks would teach most, the most instructive first.

        Raises:
            InvalidInput: no sampler of that name, or fewer records are left.
        """
        if sampler not in SAMPLERS:
            raise InvalidInput(
                Message(
                    "There is no sampler {sampler!r}; choose one of {samplers}.",
                    sampler=sampler,
                    samplers=SAMPLERS,
                ),
                field="sampler",
                value=sampler,
            )
        left = len(self._record_ids) - self.marked_records
        if count > left:
            raise InvalidInput(
                Message.ngettext(
                    "{n} record was asked for; without a mark there are {left}.",
                    "{n} records were asked for; without a mark there are {left}.",
                    n=count,
                    left=left,
                ),
                field="choose",
                value=count,
                remedy=Message("Choose at most {left}.", left=left),
            )
        if self.marked_records:
            self._detector.fit(self._marks)
        rows = self._detector.choose_rows(count, marks=self._marks, sampler=sampler).tolist()
        names = self._external_ids([self._record_ids[row] for row in rows])
        return [names[self._record_ids[row]] for row in rows]

    def _marks_of(self, project: Project) -> Marks:
        snapshot = take_snapshot(self._services, project)
        place = {record_id: row for row, record_id in enumerate(self._record_ids)}
        marks = np.full((len(self._record_ids), len(self._schema.fields)), -1, dtype=np.int8)
        for label in (*snapshot.training, *snapshot.audit):
            if label.record_id in place:  # else it was changed since
                marks[place[label.record_id]] = label.faulty_fields
        return marks

    def _external_ids(self, record_ids: Sequence[int]) -> dict[int, str]:
        with self._services.database.reading() as session:
            found = features_repository.records_by_id(session, record_ids)
        return {record_id: record.external_id for record_id, record in found.items()}
