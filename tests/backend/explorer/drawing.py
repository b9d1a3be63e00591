"""The map of a loop's project, drawn as the job does."""

from typing import Any

from backend.explorer.map_drawing import draw_map
from backend.features.store import FeatureStore
from tests.backend.scoring.test_refreshing import Quiet
from tests.backend.training.loop import Loop


def draw(loop: Loop, context: Any = None) -> dict[str, Any]:
    """What the job does."""
    features = FeatureStore(loop.services)
    return draw_map(loop.services, features, context or Quiet(), loop.project_id)
