"""Where a project's map of records lies, and whether it is of now."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from active_learning.embedding_map.map_files import MapFacts, MapFiles
from active_learning.exceptions import ArtifactCorrupt
from backend.core.published_folder import PublishedFolder
from backend.core.services import Services
from backend.models import Project
from backend.registry.service import RegistryService
from backend.scoring.freshness import state_of
from backend.scoring.verdict_folder import VerdictFolder


@dataclass(frozen=True)
class MapFolder:
    """The maps of one project, of which one is read.

    Args:
        root: of all projects' maps.
        project_id: whose.
    """

    root: Path
    project_id: int

    @property
    def path(self) -> Path:
        """Of all that is the project's."""
        return self.root / f"project-{self.project_id}"

    def place_of(self, facts: MapFacts) -> Path:
        """Where the map with these facts belongs."""
        text = json.dumps([facts.state, facts.encoder, facts.seed, facts.made_at])
        return self.path / hashlib.sha256(text.encode()).hexdigest()[:16]

    def current(self) -> MapFiles | None:
        """The map to be read; None where there is none."""
        for _ in range(2):  # once more where it was replaced a moment ago
            name = PublishedFolder(self.path).name_of_current()
            if name is None:
                return None
            try:
                return MapFiles(self.path / name)
            except ArtifactCorrupt:
                continue
        return None

    def publish(self, drawn: MapFiles) -> None:
        """This map is read from now on; earlier ones are deleted."""
        PublishedFolder(self.path).publish(drawn.folder)


def is_of_now(session: Session, services: Services, project: Project, drawn: MapFacts) -> bool:
    """True if the map shows the records of the verdicts that are read, by their model's encoder."""
    verdicts = VerdictFolder(services.settings.verdicts_dir, project.id).current()
    if verdicts is None:
        return False
    version = RegistryService(session, services.clock).get(project.id, verdicts.facts.model_version)
    return drawn.state == verdicts.facts.state and drawn.encoder == version.encoder


def is_map_due(services: Services, project_id: int | None) -> bool:
    """True if the verdicts are of now, and the map is not of their records."""
    if project_id is None:
        return False
    with services.database.reading() as session:
        project = session.get_one(Project, project_id)
        verdicts = VerdictFolder(services.settings.verdicts_dir, project_id).current()
        if not state_of(session, services, project, verdicts).is_current:
            return False
        drawn = MapFolder(services.settings.maps_dir, project_id).current()
        return drawn is None or not is_of_now(session, services, project, drawn.facts)
