"""What is told of the embedded stack."""

from dataclasses import dataclass
from pathlib import Path

from backend.core.settings import Settings


@dataclass(frozen=True)
class RunningStack:
    """The settings that everything runs with, and how they differ from those of just before.

    ``differences`` is empty where nothing ran before, and where nothing had to move.
    """

    settings: Settings
    differences: tuple[str, ...]


@dataclass(frozen=True)
class ServiceStatus:
    """One process of the stack."""

    name: str
    pid: int | None
    is_healthy: bool
    url: str | None
    log: Path
