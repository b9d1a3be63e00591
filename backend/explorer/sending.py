"""Send what is ticked, or all that match: to be labelled, or to the desk."""

import hashlib
from dataclasses import dataclass
from typing import Literal

from sqlmodel import Session

from backend.core.services import Services
from backend.models import Project
from backend.review.sent_cases import DeskPlan, SentCases
from backend.scoring.service import Verdicts
from backend.scoring.verdict_filter import VerdictFilter
from backend.selection.chosen import ChosenBatches, LabellingPlan, check_number

Target = Literal["label", "desk"]


@dataclass(frozen=True)
class SendingPlan:
    """What would happen to the records of a choice.

    Attributes:
        records: how many were chosen.
        labelling: where they would be labelled.
        batch_id: of the batch, where they were sent.
        desk: where their labels would go to the desk.
    """

    records: int
    labelling: LabellingPlan | None = None
    desk: DeskPlan | None = None
    batch_id: int | None = None

    @property
    def records_to_send(self) -> int:
        """How many are not left out."""
        return len(self.labelling.going if self.labelling else self.desk.going if self.desk else ())


@dataclass(frozen=True)
class Sent:
    """What was sent by one click, as the page tells it."""

    target: Target
    sending: str
    records: int
    can_be_taken_back: bool


class Sending:
    """Sends chosen records on, within one transaction."""

    def __init__(self, session: Session, services: Services) -> None:
        self._session = session
        self._services = services
        self._batches = ChosenBatches(session, services)
        self._cases = SentCases(session, services.clock)

    def plan(self, project: Project, wanted: VerdictFilter, target: Target) -> SendingPlan:
        """What would happen to the records that match; nothing is written.

        Raises:
            Conflict: there are no verdicts yet.
            InvalidInput: no record matches, or more than can be sent at once.
        """
        chosen = self._choice(project, wanted)
        if target == "label":
            return SendingPlan(len(chosen), labelling=self._batches.plan(project, chosen))
        return SendingPlan(len(chosen), desk=self._cases.plan(project, chosen))

    def send(
        self, project: Project, wanted: VerdictFilter, target: Target, *, actor: str, sending: str
    ) -> SendingPlan:
        """The records that match are sent; the same ``sending`` twice is one.

        Raises:
            Conflict: there are no verdicts yet, or no record can be sent.
            InvalidInput: no record matches, or more than can be sent at once.
        """
        chosen = self._choice(project, wanted)
        if target == "label":
            batch, plan = self._batches.send(project, chosen, actor=actor, sending=sending)
            return SendingPlan(len(chosen), labelling=plan, batch_id=batch.id)
        return SendingPlan(
            len(chosen), desk=self._cases.send(project, chosen, actor=actor, sending=sending)
        )

    def look_up(self, project: Project, target: Target, sending: str) -> Sent | None:
        """What became of that click; None where nothing is there of it any more."""
        if target == "desk":
            waiting = self._cases.can_be_taken_back(project, sending)
            sent = self._cases.count(project, sending)
            return Sent(target, sending, sent, waiting > 0) if sent else None
        found = self._batches.find(project, sending)
        if found is None:
            return None
        return Sent(target, sending, found.records, found.can_be_taken_back)

    def take_back(self, project: Project, target: Target, sending: str, *, actor: str) -> int:
        """What that click sent is as if it had not been sent; how many records.

        Raises:
            NotFound: there is no batch of that sending.
            Conflict: Label Studio has its tasks already.
        """
        if target == "desk":
            return self._cases.take_back(project, sending, actor=actor)
        return self._batches.take_back(project, sending, actor=actor)

    def _choice(self, project: Project, wanted: VerdictFilter) -> list[int]:
        found = Verdicts(self._session, self._services).record_ids(project, wanted)
        check_number(len(found))
        return [int(each) for each in found]


def sending_key(*parts: str) -> str:
    """A name for one click: the same for the same parts, of which one is the moment."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
