"""Draw a project's records as a map: each current record's embedding, near those like it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning.embedding_map.map_files import MapFacts, write_map
from active_learning.embedding_map.plane import plane
from active_learning.embedding_map.reduction import Reduction
from active_learning.embedding_map.sampling import stratified_sample
from active_learning.types import Embeddings
from active_learning.verdicts.verdict_files import VerdictFiles
from backend.core.services import Services
from backend.explorer.map_folder import MapFolder
from backend.features.model_version import TrainedVersion, load_model_version
from backend.features.store import FeatureStore, PoolFeatures, learning_facts
from backend.features.time_left import TimeLeft
from backend.jobs.context import JobContext
from backend.models import Project
from backend.projects.service import ProjectsService, label_schema_of, policy_of
from backend.records.repository import records_state
from backend.registry.service import RegistryService
from backend.scoring.verdict_folder import VerdictFolder
from backend.words import Message

POINTS = 20_000
"""Points of a map at most: as many as a browser draws while it is moved. Chosen."""
ROWS_AT_ONCE = 20_000
"""Embeddings in memory at a time while codes are made: some 40 MB. Chosen."""
UNJUDGED = -1


def draw_map(
    services: Services, features: FeatureStore, context: JobContext, project_id: int
) -> dict[str, Any]:
    """The project's map shows its records of now; running it again changes nothing.

    An earlier map is read until the new one is whole.
    """
    verdicts = VerdictFolder(services.settings.verdicts_dir, project_id).current()
    if verdicts is None:
        return {"drawn": False, "why": "there are no verdicts yet"}
    number = verdicts.facts.model_version
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
        version = RegistryService(session, services.clock).get(project_id, number)
    trained = load_model_version(services, features, version)
    if trained is None:
        return {"drawn": False, "why": f"model version {number} cannot be read"}
    with learning_facts(services.settings.data_dir):
        return _Drawing(services, features, context, project, trained, verdicts).run()


@dataclass(frozen=True)
class _Drawing:
    services: Services
    features: FeatureStore
    context: JobContext
    project: Project
    trained: TrainedVersion
    verdicts: VerdictFiles

    def run(self) -> dict[str, Any]:
        """What became of it, as the job's result."""
        with self.services.database.reading() as session:
            state = records_state(session, self.project.dataset_id)
        pool = self._pool()
        dimension = self.trained.artifact.classifier.layout.embedding
        facts = MapFacts(
            records=len(pool.record_ids),
            state=state,
            encoder=self.trained.artifact.facts.encoder_revision,
            dimension=dimension,
            seed=policy_of(self.project).seed,
            made_at=self.services.clock().isoformat(),
        )
        folder = MapFolder(self.services.settings.maps_dir, self.project.id)
        before = folder.current()
        if before is not None and before.facts.is_of(facts):
            return {"drawn": False, "why": "nothing has changed"}
        if not pool.record_ids:
            return {"drawn": False, "why": "there are no records"}
        ids = np.array(pool.record_ids, dtype=np.int64)
        chosen = stratified_sample(self._grades(ids), POINTS, facts.seed)
        vectors = self._embeddings(pool, chosen, dimension)
        reduction = Reduction.fit(vectors, facts.seed)
        self.context.check_cancelled()
        places, method = plane(reduction.transform(vectors), facts.seed)
        self.context.check_cancelled()
        pieces = self._pieces(pool, reduction, dimension)
        drawn = (chosen, places, method)
        folder.publish(write_map(folder.place_of(facts), facts, ids, reduction, drawn, pieces))
        return {"drawn": True, "records": len(ids), "points": len(chosen), "method": method}

    def _pool(self) -> PoolFeatures:
        return self.features.pool(
            self.project.dataset_id,
            label_schema_of(self.project).fields,
            self.context.progress,
            self.context.should_stop,
            self.trained.choice,
            self.trained.artifact.signals,
        )

    def _grades(self, ids: NDArray[np.int64]) -> NDArray[np.intp]:
        """(n,) place of each record's grade among the verdicts'; ``UNJUDGED`` without a verdict."""
        places = self.verdicts.positions(ids)
        found = np.full(len(ids), UNJUDGED, dtype=np.intp)
        found[places >= 0] = self.verdicts.grades[places[places >= 0]]
        return found

    def _embeddings(self, pool: PoolFeatures, rows: NDArray[np.intp], dimension: int) -> Embeddings:
        found: Embeddings = pool.matrix[rows, 0:dimension]
        return found

    def _pieces(
        self, pool: PoolFeatures, reduction: Reduction, dimension: int
    ) -> Iterator[Embeddings]:
        """The embeddings of all records, reduced, some at a time."""
        count = len(pool.record_ids)
        tell = TimeLeft(self.context.progress)
        for start in range(0, count, ROWS_AT_ONCE):
            self.context.check_cancelled()
            rows = np.arange(start, min(start + ROWS_AT_ONCE, count))
            yield reduction.transform(self._embeddings(pool, rows, dimension))
            tell(
                (start + len(rows)) / count,
                Message.ngettext(
                    "{done:,} of {n:,} record put on the map",
                    "{done:,} of {n:,} records put on the map",
                    n=count,
                    done=start + len(rows),
                ),
            )
