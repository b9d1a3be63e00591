"""What the champion says of records that a program brings."""

from collections.abc import Mapping, Sequence

from backend.core.services import Services
from backend.machine_labels.service import AcceptanceService
from backend.models import Acceptance, ModelVersion, Project
from backend.projects.service import label_schema_of
from backend.records.content import Value
from backend.records.service import RecordsService
from backend.registry.service import RegistryService
from backend.scoring.description import Describer
from backend.scoring.exceptions import no_champion
from backend.scoring.live_scorer import ANSWER_SECONDS, LiveScorer, LoadedVersion
from backend.scoring.record_check import check_records
from backend.scoring.schemas import ScoreAnswer, ScoredRecord


class LiveVerdicts:
    """Answers about records at once; the store is not held while the classifier computes."""

    def __init__(self, services: Services, scorer: LiveScorer) -> None:
        self._services = services
        self._scorer = scorer

    def score(
        self,
        project: Project,
        records: Sequence[Mapping[str, Value]],
        *,
        within: float = ANSWER_SECONDS,
    ) -> ScoreAnswer:
        """The champion's verdicts, in the order of the records, within so many seconds.

        Raises:
            InvalidInput: a record has a field or a type that the dataset has not.
            Conflict: there is no champion yet, or it cannot be read.
            Unavailable: it has too much to do.
        """
        champion, acceptance = self._judge(project, records)
        version, predictions = self._scorer.score(champion, records, within=within)
        classifier = version.artifact.classifier
        describer = Describer(
            tuple(classifier.classes),
            tuple(classifier.issues),
            tuple(classifier.layout.fields),
            label_schema_of(project).grade.ordered,
            version.artifact.signals,
        )
        return ScoreAnswer(
            model_version=version.number,
            verdicts=[
                ScoredRecord(
                    **figures,
                    is_machine_labelled=_is_covered(acceptance, version, figures["confidence"]),
                )
                for figures in describer.describe(predictions, records)
            ],
        )

    def _judge(
        self, project: Project, records: Sequence[Mapping[str, Value]]
    ) -> tuple[ModelVersion, Acceptance | None]:
        """Who answers about these records, which are as they should be; and what it promised."""
        clock = self._services.clock
        with self._services.database.reading() as session:
            dataset = RecordsService(session, clock).get_dataset(project.dataset_id)
            check_records(dataset, records)
            champion = RegistryService(session, clock).champion(project.id)
            if champion is None:
                raise no_champion(project)
            return champion, AcceptanceService(session, clock).standing_acceptance(project.id)


def _is_covered(acceptance: Acceptance | None, version: LoadedVersion, confidence: float) -> bool:
    if acceptance is None or acceptance.threshold is None:
        return False
    return acceptance.model_version_id == version.id and confidence >= acceptance.threshold
