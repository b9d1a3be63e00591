"""Machine labels in the next batch: those due for a check are in it, the others need nobody."""

from dataclasses import dataclass

import numpy as np

from active_learning.types import SelectedBatch
from backend.consensus.service import shown_labels
from backend.core.services import Services
from backend.machine_labels.checks import CHECK_REASON
from backend.machine_labels.decision import AcceptanceDecisions
from backend.machine_labels.service import AcceptanceService
from backend.models import Project
from backend.projects.service import policy_of

SHARE_OF_BATCH = 0.2
"""Checks that come on top of a batch, as a share of its size; the others wait for the next.
Chosen: people mostly teach."""


@dataclass(frozen=True)
class MachineLabelled:
    """What a batch needs to know about machine labels."""

    record_ids: set[int]
    """No person is asked about them while the acceptance stands, but for ``checks``."""
    checks: list[int]
    """To be labelled in this batch without a suggestion, on top of its size."""

    def add_to(self, selected: SelectedBatch, *, seed: int) -> SelectedBatch:
        """The batch with the checks at random places among the records that were chosen."""
        rows = [
            *zip(
                selected.record_ids,
                selected.scores,
                selected.reasons,
                selected.is_audit,
                strict=True,
            ),
            *((record_id, 0.0, CHECK_REASON, False) for record_id in self.checks),
        ]
        chosen = len(selected)
        places = np.arange(len(rows), dtype=float)
        places[chosen:] = np.random.default_rng(seed).uniform(0, max(chosen, 1), len(self.checks))
        ordered = [rows[row] for row in np.argsort(places, kind="stable")]
        return SelectedBatch(
            [row[0] for row in ordered],
            [row[1] for row in ordered],
            [row[2] for row in ordered],
            [row[3] for row in ordered],
        )


def machine_labelled(services: Services, project: Project, round_number: int) -> MachineLabelled:
    """What the round's batch needs to know; a promise that was broken is taken back first."""
    policy = policy_of(project)
    shown_labels(services, project)
    with services.database.transaction() as session:
        AcceptanceDecisions(session, services.clock).watch(project)
    with services.database.reading() as session:
        acceptance = AcceptanceService(session, services.clock)
        limit = max(1, round(SHARE_OF_BATCH * policy.batch_size))
        return MachineLabelled(
            acceptance.machine_labelled(project.id),
            acceptance.checks_due(project.id, limit, seed=policy.seed + round_number),
        )
