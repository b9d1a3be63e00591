"""Bring a project's verdicts up to date: every current record, by the champion of now."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from active_learning.classifiers.record_classifier import RecordClassifier
from active_learning.types import Features, Probabilities, RecordPredictions, silent
from active_learning.verdicts.verdict_files import VerdictFacts, VerdictFiles, VerdictWriter
from backend.core.services import Services
from backend.features import repository as features_repository
from backend.features.model_version import TrainedVersion, load_model_version
from backend.features.store import FeatureStore, PoolFeatures, learning_facts
from backend.features.time_left import TimeLeft
from backend.jobs.context import JobContext
from backend.models import ModelVersion, Project
from backend.projects.service import ProjectsService, label_schema_of
from backend.records.repository import current_ids, records_state
from backend.registry.service import RegistryService
from backend.scoring.verdict_folder import VerdictFolder
from backend.words import Message

CHUNK = 20_000
"""Records judged at once: about 40 MB of features of 500 columns. Chosen: bounds memory."""
FEW = 0.2
"""Share of the records up to which only they are looked at; from there on it is worth making the
features of all, which the next batch needs anyhow. Chosen."""


def refresh_verdicts(
    services: Services, features: FeatureStore, context: JobContext, project_id: int
) -> dict[str, Any]:
    """Every current record has the champion's verdict; running it again changes nothing.

    Verdicts of the same model version on records that have not changed are kept. Earlier verdicts
    are read until the new ones are whole; a killed refresh goes on where it ended.
    """
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
        champion = RegistryService(session, services.clock).champion(project_id)
    if champion is None:
        return {"refreshed": False, "why": "there is no champion yet"}
    trained = load_model_version(services, features, champion)
    if trained is None:
        return {"refreshed": False, "why": f"model version {champion.number} cannot be read"}
    with learning_facts(services.settings.data_dir):
        return _Refresh(services, features, context, project, champion, trained).run()


@dataclass(frozen=True)
class _Refresh:
    services: Services
    features: FeatureStore
    context: JobContext
    project: Project
    champion: ModelVersion
    trained: TrainedVersion

    def run(self) -> dict[str, Any]:
        """What became of it, as the job's result."""
        with self.services.database.reading() as session:
            state = records_state(session, self.project.dataset_id)
            ids = np.array(current_ids(session, self.project.dataset_id), dtype=np.int64)
        facts = self._facts(len(ids), state)
        folder = VerdictFolder(self.services.settings.verdicts_dir, self.project.id)
        before = folder.current()
        number = self.champion.number
        if before is not None and before.facts.is_of(facts):
            return {"refreshed": False, "why": "nothing has changed", "version": number}
        writer = VerdictWriter(folder.place_of(facts), folder.beside, facts, ids)
        kept = before if before is not None and before.facts.is_comparable(facts) else None
        judged = self._judge(writer, ids, kept)
        self.context.check_cancelled()
        folder.publish(writer.finish())
        return {"refreshed": True, "version": number, "records": len(ids), "judged": judged}

    def _facts(self, records: int, state: tuple[int, ...]) -> VerdictFacts:
        classifier = self.trained.artifact.classifier
        return VerdictFacts(
            records=records,
            grades=tuple(classifier.classes),
            issues=tuple(classifier.issues),
            fields=tuple(classifier.layout.fields),
            is_ordered=label_schema_of(self.project).grade.ordered,
            model_version=self.champion.number,
            state=state,
            made_at=self.services.clock().isoformat(),
        )

    def _judge(
        self, writer: VerdictWriter, ids: NDArray[np.int64], kept: VerdictFiles | None
    ) -> int:
        """All verdicts are written; how many records were judged for it."""
        places = np.full(len(ids), -1, np.intp) if kept is None else kept.positions(ids)
        new = np.flatnonzero(places < 0)
        rows = self._pool_rows if len(new) > FEW * len(ids) else self._record_rows
        tell = TimeLeft(self.context.progress)
        for start in range(writer.end, len(ids), CHUNK):
            self.context.check_cancelled()
            part = slice(start, min(start + CHUNK, len(ids)))
            writer.add(self._verdicts(ids[part], places[part], kept, rows))
            tell(
                part.stop / len(ids),
                Message.ngettext(
                    "{done:,} of {n:,} record judged",
                    "{done:,} of {n:,} records judged",
                    n=len(ids),
                    done=part.stop,
                ),
            )
        return len(new)

    def _verdicts(
        self,
        ids: NDArray[np.int64],
        places: NDArray[np.intp],
        kept: VerdictFiles | None,
        rows: Callable[[NDArray[np.int64]], Features],
    ) -> RecordPredictions:
        is_new = places < 0
        found = self._classifier.predict_all(rows(ids[is_new])) if is_new.any() else None
        if kept is None or is_new.all():
            assert found is not None
            return found
        before = kept.predictions(places[~is_new])
        return before if found is None else _mix(is_new, found, before)

    @property
    def _classifier(self) -> RecordClassifier:
        return self.trained.artifact.classifier

    @cached_property
    def _pool(self) -> PoolFeatures:
        return self.features.pool(
            self.project.dataset_id,
            label_schema_of(self.project).fields,
            self.context.progress,
            self.context.should_stop,
            self.trained.choice,
            self.trained.artifact.signals,
        )

    def _pool_rows(self, ids: NDArray[np.int64]) -> Features:
        """(m, width) of these records, from the features of all; others where it lacks one."""
        places = self._pool.positions(ids)
        if (places < 0).any():  # imported between the two readings
            return self._record_rows(ids)
        rows: Features = self._pool.matrix[places]
        return rows

    def _record_rows(self, ids: NDArray[np.int64]) -> Features:
        """(m, width) of these records alone."""
        with self.services.database.reading() as session:
            records = features_repository.records_by_id(session, ids.tolist())
        fields = self._classifier.layout.fields
        return self.features.transform(
            self.trained.artifact.signals,
            [{name: records[each].fields.get(name) for name in fields} for each in ids.tolist()],
            silent,
            self.context.should_stop,
            self.trained.choice,
        )


def _mix(
    is_new: NDArray[np.bool_], found: RecordPredictions, before: RecordPredictions
) -> RecordPredictions:
    """Those of the new records, and of the others, each in its place."""

    def mix(anew: Probabilities, old: Probabilities) -> Probabilities:
        joined = np.empty((len(is_new), anew.shape[1]))
        joined[is_new], joined[~is_new] = anew, old
        return joined

    return RecordPredictions(
        mix(found.grades, before.grades),
        mix(found.issues, before.issues),
        mix(found.faulty_fields, before.faulty_fields),
    )
