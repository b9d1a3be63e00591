"""Stacks on SQLite and PostgreSQL against the real Label Studio."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from labeling.label_studio.server import LabelStudioServer
from tests.e2e.stack import Stack


@pytest.fixture
def stack(sqlite_url: str, tmp_path: Path, label_studio: LabelStudioServer) -> Iterator[Stack]:
    made = Stack(tmp_path / "data", sqlite_url, label_studio)
    yield made
    made.stop()


@pytest.fixture
def team_stack(
    postgres_url: str, tmp_path: Path, label_studio: LabelStudioServer
) -> Iterator[Stack]:
    made = Stack(tmp_path / "data", postgres_url, label_studio)
    yield made
    made.stop()
