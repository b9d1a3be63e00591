"""Records that a person chose to be labelled: a batch of their own, of no round.

They are no random draw, so they are never audit records, and no check of a machine label: what
people say of them teaches the classifier and measures nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlmodel import Session

from backend.audit.service import AuditTrail
from backend.core.exceptions import Conflict, InvalidInput, NotFound
from backend.core.services import Services
from backend.loop.repository import CHOSEN, NO_ROUND
from backend.loop.service import LoopService
from backend.machine_labels.service import AcceptanceService
from backend.models import Batch, ModelVersion, Project
from backend.projects.repository import lock_project
from backend.projects.service import label_schema_of
from backend.registry.service import RegistryService
from backend.scoring.table_cache import verdict_table
from backend.scoring.verdict_table import VerdictTable
from backend.selection import repository
from backend.selection.content import prediction_values, task_key
from backend.words import Message

MOST_CHOSEN = 5_000
"""Records of one click. Chosen: some weeks of work for a team, and one short transaction."""
SEED = 0
"""Nothing is drawn."""


@dataclass(frozen=True)
class LabellingPlan:
    """What becomes of records that are sent to be labelled.

    Attributes:
        going: record ids, those first that are most likely not of the best grade.
        tasked: how many are left out because people are or were asked about them.
        outdated: how many are left out because they have changed or are gone.
        machine: how many of ``going`` have a machine label, which counts no more then.
    """

    going: tuple[int, ...]
    tasked: int
    outdated: int
    machine: int


@dataclass(frozen=True)
class ChosenBatch:
    """A batch that is there."""

    id: int
    records: int
    can_be_taken_back: bool
    """Label Studio was given nothing of it."""


class ChosenBatches:
    """Batches of chosen records of all projects, within one transaction."""

    def __init__(self, session: Session, services: Services) -> None:
        self._session = session
        self._services = services
        self._clock = services.clock

    def plan(self, project: Project, record_ids: Sequence[int]) -> LabellingPlan:
        """What would become of these records; nothing is written.

        Raises:
            InvalidInput: they are more than can be sent at once.
        """
        check_number(len(record_ids))
        current = repository.current_among(self._session, project.dataset_id, record_ids)
        tasked = repository.tasked_among(self._session, project.id, record_ids)
        free = [each for each in record_ids if each in current and each not in tasked]
        machine = AcceptanceService(self._session, self._clock).machine_labelled(project.id)
        return LabellingPlan(
            going=tuple(self._riskiest_first(project, free)),
            tasked=len(tasked),
            outdated=sum(each not in current and each not in tasked for each in record_ids),
            machine=len(machine.intersection(free)),
        )

    def send(
        self, project: Project, record_ids: Sequence[int], *, actor: str, sending: str
    ) -> tuple[Batch, LabellingPlan]:
        """The records are on their way to Label Studio; the batch, and what was left out.

        Sending the same again under the same ``sending`` changes nothing.

        Raises:
            InvalidInput: they are more than can be sent at once.
            Conflict: none of them can be sent.
        """
        lock_project(self._session, project.id)
        made = repository.find_chosen(self._session, project.id, sending)
        if made is not None:
            return made, self._plan_of(made)
        plan = self.plan(project, record_ids)
        if not plan.going:
            raise _nothing_to_send(plan)
        batch = self._store(project, plan.going, actor=actor, sending=sending)
        AuditTrail(self._session, self._clock).append(
            actor,
            "batch.chosen",
            f"project:{project.id}",
            {"batch": batch.id, "records": len(plan.going)},
        )
        LoopService(self._session, self._clock).continue_loop(project)
        return batch, plan

    def find(self, project: Project, sending: str) -> ChosenBatch | None:
        """The batch of that click, None where there is none (any more)."""
        batch = repository.find_chosen(self._session, project.id, sending)
        if batch is None:
            return None
        tasks, pushed = repository.count_tasks(self._session, batch.id)
        return ChosenBatch(batch.id, tasks, pushed == 0 and batch.pushed_at is None)

    def take_back(self, project: Project, sending: str, *, actor: str) -> int:
        """The batch is gone, as if it had not been sent; how many records it had.

        Raises:
            NotFound: there is none.
            Conflict: Label Studio has its tasks already.
        """
        lock_project(self._session, project.id)
        batch = self.find(project, sending)
        if batch is None:
            raise NotFound(
                Message("There is no batch of the sending {sending!r}.", sending=sending),
                field="sending",
                value=sending,
                remedy=Message("Choose the records again and send them."),
            )
        if not batch.can_be_taken_back:
            raise Conflict(
                Message("Label Studio has these records already."),
                field="sending",
                value=sending,
                remedy=Message("Let them be answered or skipped there."),
            )
        repository.drop_batch(self._session, batch.id)
        AuditTrail(self._session, self._clock).append(
            actor,
            "batch.chosen_undone",
            f"project:{project.id}",
            {"batch": batch.id, "records": batch.records},
        )
        return batch.records

    def _riskiest_first(self, project: Project, record_ids: Sequence[int]) -> list[int]:
        table = verdict_table(self._session, self._services, project)
        if table is None:
            return list(record_ids)
        places = table.verdicts.positions(record_ids)
        risks = np.where(places >= 0, table.verdicts.risk[places], -1.0)
        return [record_ids[row] for row in np.argsort(-risks, kind="stable").tolist()]

    def _plan_of(self, batch: Batch) -> LabellingPlan:
        tasks = repository.record_ids_of(self._session, batch.id)
        return LabellingPlan(going=tuple(tasks), tasked=0, outdated=0, machine=0)

    def _store(
        self, project: Project, record_ids: Sequence[int], *, actor: str, sending: str
    ) -> Batch:
        table = verdict_table(self._session, self._services, project)
        version = self._judge(project, table)
        batch = repository.add_batch(
            self._session,
            project_id=project.id,
            round_number=NO_ROUND,
            strategy=CHOSEN,
            model_version_id=version.id if version else None,
            seed=SEED,
            now=self._clock(),
            sending=sending,
        )
        reason = Message("chosen by {name}", name=actor)
        rows = [
            {
                "project_id": project.id,
                "record_id": record_id,
                "batch_id": batch.id,
                "key": task_key(project, record_id),
                "position": position,
                "is_audit": False,
                "acquisition_score": None,
                "reason": reason,
            }
            for position, record_id in enumerate(record_ids)
        ]
        task_ids = repository.add_tasks(self._session, rows)
        if table is not None and version is not None:
            repository.add_predictions(
                self._session,
                [
                    {
                        "task_id": task_ids[record_id],
                        "model_version_id": version.id,
                        "created_at": self._clock(),
                        "explanation": [],
                        **values,
                    }
                    for record_id, values in self._suggestions(project, table, record_ids)
                ],
            )
        return batch

    def _suggestions(
        self, project: Project, table: VerdictTable, record_ids: Sequence[int]
    ) -> list[tuple[int, dict[str, Any]]]:
        """Record id to what people see beside it: its verdict."""
        schema, places = label_schema_of(project), table.verdicts.positions(record_ids)
        known = np.flatnonzero(places >= 0)
        predictions = table.verdicts.predictions(places[known])
        return [
            (record_ids[place], prediction_values(predictions, row, schema))
            for row, place in enumerate(known.tolist())
        ]

    def _judge(self, project: Project, table: VerdictTable | None) -> ModelVersion | None:
        """Whose verdicts they are; None where they are not about the label schema of now."""
        if table is None:
            return None
        schema, facts = label_schema_of(project), table.verdicts.facts
        known = (list(facts.grades), list(facts.issues), list(facts.fields))
        if known != (list(schema.grades), list(schema.issue_values), list(schema.fields)):
            return None
        versions = RegistryService(self._session, self._clock).list_versions(project.id)
        return next((each for each in versions if each.number == facts.model_version), None)


def check_number(records: int) -> None:
    """Do nothing if so many records can be sent at once.

    Raises:
        InvalidInput: they are too many, or none.
    """
    if records == 0:
        raise InvalidInput(
            Message("No record is chosen."),
            field="record_id",
            value=0,
            remedy=Message("Tick rows, or choose all that match."),
        )
    if records > MOST_CHOSEN:
        raise InvalidInput(
            Message.ngettext(
                "{n:,} record is more than can be sent at once.",
                "{n:,} records are more than can be sent at once.",
                n=records,
            ),
            field="record_id",
            value=records,
            remedy=Message(
                "Add filters until at most {most:,} match, and send the others later.",
                most=MOST_CHOSEN,
            ),
        )


def _nothing_to_send(plan: LabellingPlan) -> Conflict:
    return Conflict(
        Message("None of these records can be sent to be labelled."),
        field="record_id",
        value=plan.tasked + plan.outdated,
        remedy=Message(
            "{tasked:,} have a task already and {outdated:,} have changed or are gone; choose "
            "others.",
            tasked=plan.tasked,
            outdated=plan.outdated,
        ),
    )
