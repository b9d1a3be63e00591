from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.same_answers.world import World, with_tasks


@pytest.fixture
def world(migrated_url: str, tmp_path: Path) -> Iterator[World]:
    """Three records, each pushed and waiting for one answer."""
    with with_tasks(migrated_url, tmp_path) as made:
        yield made
