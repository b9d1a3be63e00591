"""The verdicts of a project, as people and programs ask for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

from active_learning.exceptions import ArtifactError
from active_learning.types import Positions
from backend.core.exceptions import Conflict, InvalidInput
from backend.core.services import Services
from backend.jobs.queue import enqueue_if_none_waiting
from backend.loop.job_names import REFRESH_VERDICTS
from backend.models import ModelVersion, Project, Record
from backend.record_index.service import RecordIndex
from backend.registry.service import RegistryService
from backend.scoring import repository
from backend.scoring.description import Describer, signals_of
from backend.scoring.exceptions import no_champion
from backend.scoring.freshness import state_of
from backend.scoring.schemas import (
    VerdictFacets,
    VerdictPage,
    VerdictPublic,
    VerdictState,
)
from backend.scoring.selections import Selections
from backend.scoring.table_cache import verdict_table
from backend.scoring.verdict_columns import VerdictColumns
from backend.scoring.verdict_filter import SORTS, VerdictFilter, VerdictOrder
from backend.scoring.verdict_folder import VerdictFolder
from backend.scoring.verdict_labels import NO_LABEL, SOURCES
from backend.scoring.verdict_table import Mask, VerdictTable, first_places
from backend.words import Message

RECORDS_PER_READ = 500
"""Records read at once while verdicts are written out. Chosen: bounds memory."""


@dataclass(frozen=True)
class _Choice:
    """The records that match, and what is needed to tell of them."""

    table: VerdictTable
    columns: VerdictColumns | None
    mask: Mask
    state: VerdictState


class Verdicts:
    """Verdicts of all projects, within one reading session; changes nothing but ``request``."""

    def __init__(self, session: Session, services: Services) -> None:
        self._session = session
        self._services = services

    def state(self, project: Project) -> VerdictState:
        """Whose verdicts are read now."""
        return state_of(self._session, self._services, project, self._folder(project).current())

    def request(self, project: Project) -> str:
        """A refresh is queued, if none is waiting; its job's id.

        Raises:
            Conflict: there is no champion yet.
        """
        if self._champion(project) is None:
            raise no_champion(project)
        return enqueue_if_none_waiting(
            self._session,
            REFRESH_VERDICTS,
            project_id=project.id,
            now=self._services.clock(),
        )

    def page(
        self,
        project: Project,
        wanted: VerdictFilter,
        order: VerdictOrder,
        *,
        offset: int = 0,
        limit: int = 50,
    ) -> VerdictPage:
        """The records that match, in order.

        Raises:
            Conflict: there are no verdicts yet; the message says what is missing.
            InvalidInput: a condition or the order names what there is not.
        """
        choice = self._choice(project, wanted)
        places = self._places(project, choice, order, offset, limit)
        total = int(np.count_nonzero(choice.mask))
        end = offset + len(places)
        return VerdictPage(
            state=choice.state,
            total=total,
            next_offset=end if len(places) and end < total else None,
            items=self._public(project, choice.table, places),
        )

    def facets(
        self, project: Project, wanted: VerdictFilter, shown: Sequence[str] = ()
    ) -> VerdictFacets:
        """How the records that match are spread, also over the columns ``shown``.

        Raises:
            Conflict: there are no verdicts yet.
            InvalidInput: a condition names what there is not.
        """
        choice = self._choice(project, wanted)
        table, mask, columns = choice.table, choice.mask, choice.columns
        return VerdictFacets(
            state=choice.state,
            total=int(np.count_nonzero(mask)),
            grades=table.grade_counts(mask),
            labels=table.label_counts(mask),
            sources=table.source_counts(mask),
            issues=table.issue_counts(mask),
            faulty_fields=table.faulty_field_counts(mask),
            kinds=columns.kind_counts(mask) if columns else [],
            imports=columns.import_counts(mask) if columns else [],
            columns={name: columns.value_counts(name, mask) for name in shown} if columns else {},
            disagreements=int(np.count_nonzero(table.disagreements & mask)),
            confidence=table.histogram(table.verdicts.confidence, mask),
            risk=table.histogram(table.verdicts.risk, mask),
        )

    def record_ids(self, project: Project, wanted: VerdictFilter) -> NDArray[np.int64]:
        """(m,) the records that match, ascending.

        Raises:
            Conflict: there are no verdicts yet.
            InvalidInput: a condition names what there is not.
        """
        choice = self._choice(project, wanted)
        found: NDArray[np.int64] = choice.table.verdicts.record_ids[choice.mask]
        return found

    def of_records(self, project: Project, record_ids: Sequence[int]) -> dict[int, VerdictPublic]:
        """Record id to its verdict, of those that have one; at most some hundred."""
        table = verdict_table(self._session, self._services, project)
        if table is None:
            return {}
        places = table.verdicts.positions(record_ids)
        public = self._public(project, table, places[places >= 0])
        return {each.record_id: each for each in public}

    def all_of(
        self, project: Project, wanted: VerdictFilter, order: VerdictOrder
    ) -> Iterator[VerdictPublic]:
        """Every verdict that matches, in order, some hundred in memory at a time.

        Raises:
            Conflict: there are no verdicts yet.
            InvalidInput: a condition or the order names what there is not.
        """
        choice = self._choice(project, wanted)
        places = self._places(project, choice, order, 0, len(choice.table))
        for start in range(0, len(places), RECORDS_PER_READ):
            yield from self._public(project, choice.table, places[start : start + RECORDS_PER_READ])
            self._session.expunge_all()

    def _choice(self, project: Project, wanted: VerdictFilter) -> _Choice:
        table = verdict_table(self._session, self._services, project)
        if table is None:
            raise self._nothing_yet(project)
        index = RecordIndex(self._services)
        held = index.columns(project.dataset_id)
        columns = VerdictColumns(held, table.verdicts.record_ids) if held is not None else None
        mask = table.matches(wanted)
        if wanted.reads_columns:
            if columns is None:
                raise _not_indexed(project)
            mask &= columns.matches(wanted)
        if wanted.text and wanted.text.strip():
            mask &= table.of_records(index.search(self._session, project.dataset_id, wanted.text))
        state = state_of(self._session, self._services, project, table.verdicts)
        if wanted.selection is not None:
            selections = Selections(self._services.settings.selections_dir, project.id)
            mask &= table.of_records(selections.record_ids(wanted.selection))
        return _Choice(table, columns, mask, state)

    def _places(
        self, project: Project, choice: _Choice, order: VerdictOrder, offset: int, limit: int
    ) -> Positions:
        return first_places(
            self._key(project, choice, order),
            choice.mask,
            smallest_first=order.is_reversed,
            offset=offset,
            limit=limit,
        )

    def _key(self, project: Project, choice: _Choice, order: VerdictOrder) -> NDArray[np.generic]:
        key = choice.table.key(order.by)
        if key is not None:
            return key
        if order.by != "newest" and order.field is None:
            raise InvalidInput(
                Message("Verdicts are not sorted by {sort!r}.", sort=order.by),
                field="sort",
                value=order.sort,
                remedy=Message(
                    "Sort by one of {sorts}, or by field: and the name of a field.", sorts=SORTS
                ),
            )
        if choice.columns is None:
            raise _not_indexed(project)
        if order.field is None:
            return choice.columns.newest()
        return choice.columns.ranks(order.field)

    def _public(
        self, project: Project, table: VerdictTable, places: Positions
    ) -> list[VerdictPublic]:
        verdicts, facts = table.verdicts, table.verdicts.facts
        ids = verdicts.record_ids[places].tolist()
        records = repository.records_by_id(self._session, ids)
        version = self._version(project, facts.model_version)
        describer = Describer(
            facts.grades, facts.issues, facts.fields, facts.is_ordered, self._signals(version)
        )
        described = describer.describe(
            verdicts.predictions(places), [records[each].fields for each in ids]
        )
        disagree = table.labels.disagree(verdicts.grades)[places].tolist()
        return [
            VerdictPublic(
                **figures,
                **_identity(records[record_id]),
                model_version=facts.model_version,
                source=SOURCES[source],
                label=None if label == NO_LABEL else facts.grades[label],
                is_disagreement=differs,
            )
            for figures, record_id, source, label, differs in zip(
                described,
                ids,
                table.labels.sources[places].tolist(),
                table.labels.grades[places].tolist(),
                disagree,
                strict=True,
            )
        ]

    def _signals(self, version: ModelVersion) -> Any:
        try:
            return signals_of(self._services.settings.models_dir / version.artifact)
        except ArtifactError as error:
            raise Conflict(
                Message("Model version {number} cannot be read.", number=version.number),
                field="model_version",
                value=version.number,
                remedy=Message("Label on: the next model version replaces it."),
            ) from error

    def _version(self, project: Project, number: int) -> ModelVersion:
        registry = RegistryService(self._session, self._services.clock)
        return next(each for each in registry.list_versions(project.id) if each.number == number)

    def _nothing_yet(self, project: Project) -> Conflict:
        if self._champion(project) is None:
            return no_champion(project)
        return Conflict(
            Message("The verdicts of project {project} are being made.", project=project.id),
            field="project",
            value=project.id,
            remedy=Message("Wait for the job that judges every record; it is on the jobs page."),
        )

    def _champion(self, project: Project) -> ModelVersion | None:
        return RegistryService(self._session, self._services.clock).champion(project.id)

    def _folder(self, project: Project) -> VerdictFolder:
        return VerdictFolder(self._services.settings.verdicts_dir, project.id)


def _identity(record: Record) -> dict[str, Any]:
    return {
        "record_id": record.id,
        "external_id": record.external_id,
        "kind": record.kind,
        "fields": record.fields,
    }


def _not_indexed(project: Project) -> Conflict:
    return Conflict(
        Message("The records of project {project} are being indexed.", project=project.id),
        field="project",
        value=project.id,
        remedy=Message("Wait for the job that indexes them; it is on the jobs page."),
    )
