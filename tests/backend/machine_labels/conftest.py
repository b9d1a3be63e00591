from collections.abc import Callable
from pathlib import Path

import pytest

from backend.core.database import Database
from backend.core.services import Services
from backend.core.settings import Settings
from backend.projects.schemas import LoopPolicy
from tests.backend.machine_labels.machine import MachineLoop
from tests.backend.training.loop import SetClock, make_loop

POLICY = {
    "batch_size": 30,
    "audit_share": 0.6,
    "accept_error": 0.2,
    "accept_delta": 0.2,
    "accept_audit_share": 0.3,
    "fine_tune_after": None,
}


@pytest.fixture
def new_machine_loop(tmp_path: Path, sqlite_database: Database) -> Callable[..., MachineLoop]:
    """Makes a loop whose policy allows machine labels; its first batch is out."""

    def make(*, records: int = 150, **policy: object) -> MachineLoop:
        clock = SetClock()
        settings = Settings(data_dir=tmp_path / "data", encoder="characters", torch_threads=1)
        services = Services(settings=settings, database=sqlite_database, clock=clock)
        chosen = LoopPolicy.model_validate({**POLICY, **policy})
        made = MachineLoop(make_loop(services, clock, records=records, policy=chosen))
        made.loop.ask_for_batch()
        made.loop.run()
        return made

    return make


@pytest.fixture
def machine_loop(new_machine_loop: Callable[..., MachineLoop]) -> MachineLoop:
    """A loop whose champion labels alone what it is sure of; the second batch is out."""
    made = new_machine_loop()
    made.turn(1)
    assert made.states == ["accepted"]
    return made
