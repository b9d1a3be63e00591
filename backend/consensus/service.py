"""The labels of a project: one computation for the desk, training, overlap and exports."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from backend.consensus import repository
from backend.consensus.rule import RecordConsensus, consensus_of, fit_grades
from backend.core.services import Services
from backend.loop import repository as loop_repository
from backend.loop.answer_repository import answers_of
from backend.loop.answers import RecordAnswers
from backend.loop.repository import Learnt
from backend.models import Decision, Project
from backend.projects.service import label_schema_of, policy_of
from labeling.consensus.consensus_model import ConsensusModel

Opinion = tuple[str, float, dict[str, float]]
"""Grade, score and probabilities that a classifier gave before anyone had answered."""


@dataclass(frozen=True)
class ProjectLabels:
    """What people's answers amount to at one moment; keys are first tasks' ids."""

    held: Mapping[int, RecordAnswers]
    consensus: Mapping[int, RecordConsensus]
    decisions: Mapping[int, Decision]
    opinions: Mapping[int, Opinion]
    model: ConsensusModel
    annotators_per_record: int
    learnt: Learnt

    @property
    def grade_probabilities(self) -> dict[int, dict[str, float]]:
        """First task's id to the probabilities that a classifier gave its grades at first."""
        return {task_id: each for task_id, (_, _, each) in self.opinions.items()}

    def is_settled(self, task_id: int) -> bool:
        """True where nobody's answer is waited for: decided, or as many answered as wanted."""
        return task_id in self.decisions or self.held[task_id].is_complete(
            self.annotators_per_record
        )

    def grade(self, task_id: int) -> str | None:
        """The record's label: what a person decided goes before the consensus of the answers.

        None for a tie, for records without a grade, and for those found ambiguous.
        """
        decision = self.decisions.get(task_id)
        if decision is not None:
            return decision.grade
        found = self.consensus.get(task_id)
        return found.grade if found else None


def labels_of(session: Session, project: Project) -> ProjectLabels:
    """The labels that the answers, decisions and the policy of this moment give."""
    policy = policy_of(project)
    learnt = loop_repository.learnable(session, project.id, policy)  # before the answers are read
    held = answers_of(session, project.id)
    opinions = repository.first_predictions(session, project.id)
    shares = {task_id: each for task_id, (_, _, each) in opinions.items()}
    schema = label_schema_of(project)
    model = fit_grades(held, shares, schema)
    return ProjectLabels(
        held,
        consensus_of(
            held,
            shares,
            schema,
            annotators_per_record=policy.annotators_per_record,
            sure=policy.confidence_wanted,
            model=model,
        ),
        repository.standing_decisions(session, project.id),
        opinions,
        model,
        policy.annotators_per_record,
        learnt,
    )


def keep(session: Session, project_id: int, labels: ProjectLabels, now: datetime) -> int:
    """The consensus labels in the store are these; how many were written."""
    before = repository.consensus_fingerprints(session, project_id)
    rows = [
        repository.consensus_row(project_id, task_id, each, now)
        for task_id, each in labels.consensus.items()
        if before.get(task_id) != each.fingerprint()
    ]
    repository.put_consensus(session, rows)
    repository.drop_consensus(session, sorted(before.keys() - labels.consensus.keys()))
    return len(rows)


def shown_labels(services: Services, project: Project) -> ProjectLabels:
    """The labels of this moment, which are those in the store from now on.

    So whoever learns or decides from them has what the desk shows. They are computed outside the
    transaction that writes; if an answer came in between, once more inside.
    """
    with services.database.reading() as session:
        state = loop_repository.answers_state(session, project.id)
        labels = labels_of(session, project)
        shown = repository.consensus_fingerprints(session, project.id)
    if shown == {task_id: each.fingerprint() for task_id, each in labels.consensus.items()}:
        return labels
    with services.database.transaction() as session:
        if loop_repository.answers_state(session, project.id) != state:
            labels = labels_of(session, project)
        keep(session, project.id, labels, services.clock())
    return labels
