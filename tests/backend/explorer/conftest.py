"""A loop of one round that is answered, with the verdicts of its first champion."""

from tests.backend.scoring.conftest import judged, loop, services
from tests.backend.training.conftest import new_loop

__all__ = ["judged", "loop", "new_loop", "services"]
