"""A loop in which the champion may label alone."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from backend.machine_labels.labels import MachineLabels
from backend.machine_labels.schemas import MachineLabelStatus
from backend.machine_labels.service import AcceptanceService, request_acceptance
from backend.models import Acceptance, MachineLabel, Task
from backend.projects.service import ProjectsService
from tests.backend.training.loop import ACTOR, GradeOf, Loop, true_grade


@dataclass
class MachineLoop:
    """A loop and what it says about machine labels."""

    loop: Loop

    def turn(self, round_number: int, grade_of: GradeOf = true_grade) -> None:
        """The round is answered, learnt from, and the champion was asked."""
        self.loop.answer(round_number, grade_of)
        self.loop.runner.run_pending(limit=1)  # the retraining alone
        self.ask()

    def ask(self) -> str | None:
        """What a retraining's end does."""
        with self.loop.services.database.transaction() as session:
            job = request_acceptance(session, self.loop.project(), self.loop.clock())
        self.loop.run()
        return job

    def ask_by_hand(self) -> dict[str, Any]:
        """What a lead's request answers."""
        self.loop.clock.advance()
        with self.loop.services.database.transaction() as session:
            service = AcceptanceService(session, self.loop.clock)
            job = service.request(self.loop.project(), actor=ACTOR)
        self.loop.run()
        return self.loop.job(job).result or {}

    def withdraw(self, reason: str = "the supplier changed") -> None:
        """What a lead's withdrawal does."""
        with self.loop.services.database.transaction() as session:
            AcceptanceService(session, self.loop.clock).withdraw(
                self.loop.project(), reason=reason, actor=ACTOR
            )
        self.loop.run()

    def set_policy(self, **changes: object) -> None:
        """What ``assay projects set`` does."""
        with self.loop.services.database.transaction() as session:
            ProjectsService(session, self.loop.clock).set_policy(
                self.loop.project_id, changes, actor=ACTOR
            )

    @property
    def states(self) -> list[str]:
        """The state of each decision, oldest first."""
        return [row.state for row in self.decisions]

    @property
    def decisions(self) -> list[Acceptance]:
        """Oldest first."""
        with self.loop.services.database.reading() as session:
            return list(session.exec(select(Acceptance).order_by(col(Acceptance.id))))

    def labels(self, acceptance: Acceptance) -> list[MachineLabel]:
        """The decision's machine labels."""
        with self.loop.services.database.reading() as session:
            return list(
                session.exec(
                    select(MachineLabel).where(MachineLabel.acceptance_id == acceptance.id)
                )
            )

    def standing_ids(self) -> set[int]:
        """Records whose machine label counts."""
        with self.loop.services.database.reading() as session:
            return AcceptanceService(session, self.loop.clock).machine_labelled(
                self.loop.project_id
            )

    def status(self) -> MachineLabelStatus:
        """What people are shown."""
        with self.loop.services.database.reading() as session:
            return MachineLabels(session, self.loop.clock).status(self.loop.project())

    def checks(self, round_number: int) -> list[Task]:
        """The round's tasks that check a machine label."""
        return [task for task in self.loop.tasks(round_number) if "machine label" in task.reason]
