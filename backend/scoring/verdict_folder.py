"""Where a project's verdicts lie: made by a worker, read by every process.

``verdicts/project-3/<key>/`` holds the verdicts of one model version on one state of the records;
``current`` names the folder that is read. An earlier one is deleted when its successor is there:
who has read it keeps what it read.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from active_learning.exceptions import ArtifactCorrupt
from active_learning.verdicts.verdict_files import VerdictFacts, VerdictFiles
from backend.core.published_folder import PublishedFolder

NEXT = ".next"


@dataclass(frozen=True)
class VerdictFolder:
    """The verdicts of one project.

    Args:
        root: of all projects' verdicts.
        project_id: whose.
    """

    root: Path
    project_id: int

    @property
    def path(self) -> Path:
        """Of all that is the project's."""
        return self.root / f"project-{self.project_id}"

    @property
    def beside(self) -> Path:
        """Where the next verdicts are until they are whole."""
        return self.path / NEXT

    def place_of(self, facts: VerdictFacts) -> Path:
        """Where the verdicts with these facts belong."""
        content = [facts.model_version, facts.state, facts.records, facts.grades, facts.fields]
        text = json.dumps([*content, facts.issues, facts.made_at])
        return self.path / hashlib.sha256(text.encode()).hexdigest()[:16]

    def name_of_current(self) -> str | None:
        """Changes whenever other verdicts are read; None before there are any."""
        return PublishedFolder(self.path).name_of_current()

    def current(self) -> VerdictFiles | None:
        """The verdicts to be read; None where there are none."""
        for _ in range(2):  # once more where they were replaced a moment ago
            name = self.name_of_current()
            if name is None:
                return None
            try:
                return VerdictFiles(self.path / name)
            except ArtifactCorrupt:
                continue
        return None

    def publish(self, verdicts: VerdictFiles) -> None:
        """These verdicts are read from now on; earlier ones are deleted."""
        PublishedFolder(self.path).publish(verdicts.folder, kept=(self.beside,))
