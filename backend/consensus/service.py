"""The labels of a project: one computation for the desk, training, overlap and exports."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from backend.consensus import marks_repository, repository, state_repository
from backend.consensus.exceptions import LabelsWritten
from backend.consensus.marks_repository import Marks, is_fitted_to
from backend.consensus.renewal import model_of
from backend.consensus.rule import RecordConsensus, consensus_of, fit_grades, weigh_grades
from backend.core.clock import Clock
from backend.core.services import Services
from backend.core.turns import turns
from backend.loop import repository as loop_repository
from backend.loop.answer_repository import answers_of
from backend.loop.answers import RecordAnswers
from backend.loop.repository import Learnt
from backend.loop.service import LoopService
from backend.models import Decision, Project
from backend.projects.service import label_schema_of, policy_of
from backend.registry.service import RegistryService
from labeling.consensus.consensus_model import ConsensusModel
from labeling.label_schema import LabelSchema

Opinion = tuple[str, float, dict[str, float]]
"""Grade, score and probabilities that a classifier gave before anyone had answered."""


@dataclass(frozen=True)
class ProjectLabels:
    """What people's answers amount to at one moment; keys are first tasks' ids."""

    held: Mapping[int, RecordAnswers]
    consensus: Mapping[int, RecordConsensus]
    decisions: Mapping[int, Decision]
    opinions: Mapping[int, Opinion]
    grade_probabilities: Mapping[int, Mapping[str, float]]
    """First task's id to what a classifier that has not seen the label thinks of its grades:
    the newest one that judged it, else the first that scored it."""
    model: ConsensusModel
    annotators_per_record: int
    learnt: Learnt

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


def labels_of(
    session: Session,
    project: Project,
    *,
    model: ConsensusModel | None = None,
    task_ids: Sequence[int] | None = None,
) -> ProjectLabels:
    """The labels that the answers, decisions and the policy of this moment give.

    Args:
        session: reads.
        project: whose.
        model: what is known of its annotators and grades; by default it is fitted now.
        task_ids: first tasks of the records wanted; by default all. Fewer only with a ``model``.
    """
    policy = policy_of(project)
    learnt = loop_repository.learnable(session, project.id, policy)  # before the answers are read
    held = answers_of(session, project.id, task_ids=task_ids)
    opinions = repository.first_predictions(session, project.id, task_ids)
    shares = {
        **{task_id: each for task_id, (_, _, each) in opinions.items()},
        **repository.unswayed_probabilities(session, project.id, task_ids),
    }
    schema = label_schema_of(project)
    if model is None:
        assert task_ids is None, "a model is fitted to all records"
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
        repository.standing_decisions(session, project.id, task_ids),
        opinions,
        shares,
        model,
        policy.annotators_per_record,
        learnt,
    )


def probabilities_with(
    labels: ProjectLabels, schema: LabelSchema, opinions: Mapping[int, Mapping[str, float]]
) -> dict[int, dict[str, float]]:
    """First task's id to the probabilities that the desk will show if a classifier says this.

    Of the records that ``opinions`` has, of the others it says what it said before; of none where
    nothing tells how often people are right. How much its word is worth is measured anew.
    """
    shares = {**labels.grade_probabilities, **opinions}
    found = weigh_grades(fit_grades(labels.held, shares, schema), labels.held, shares, schema)
    if found.is_by_vote:
        return {}
    names = found.classes.tolist()
    return {
        task_id: dict(zip(names, row, strict=True))
        for task_id, row in zip(found.item_ids.tolist(), found.probabilities.tolist(), strict=True)
        if task_id in opinions
    }


@dataclass(frozen=True)
class LabelChanges:
    """What the store's consensus labels lack to be the computed ones."""

    rows: Mapping[int, dict[str, Any]]
    gone: frozenset[int]
    said_anew: int
    """Of ``rows``, those that say something else than before."""

    @property
    def task_ids(self) -> list[int]:
        """First tasks whose label changes, in order."""
        return sorted({*self.rows, *self.gone})

    def write(self, session: Session, task_ids: Collection[int]) -> None:
        """The labels of these tasks are in the store as they should be."""
        repository.put_consensus(
            session, [self.rows[each] for each in task_ids if each in self.rows]
        )
        repository.drop_consensus(session, [each for each in task_ids if each in self.gone])


def changes_of(
    session: Session,
    project_id: int,
    labels: ProjectLabels,
    now: datetime,
    task_ids: Sequence[int] | None = None,
) -> LabelChanges:
    """What is to be written for the store to have these labels, of all or of these tasks."""
    before = repository.label_versions(session, project_id, task_ids)
    rows, said_anew = {}, 0
    for task_id, each in labels.consensus.items():
        wanted = labels.held[task_id].task.annotators_wanted
        fingerprint, known_wanted = before.get(task_id, ("", None))
        is_said_anew = fingerprint != each.fingerprint()
        if is_said_anew or known_wanted != wanted:
            rows[task_id] = repository.consensus_row(project_id, task_id, each, wanted, now)
            said_anew += is_said_anew
    return LabelChanges(rows, frozenset(before.keys() - labels.consensus.keys()), said_anew)


def marks_of(session: Session, clock: Clock, project: Project) -> Marks:
    """Up to where everything is that labels and cases follow from."""
    judge = RegistryService(session, clock).assessed_version(project.id)
    return marks_repository.marks_of(session, project, judge)


def shown_labels(services: Services, project: Project) -> ProjectLabels:
    """The labels of this moment, which are those in the store from now on.

    So whoever learns or decides from them has what the desk shows. Annotators' error rates are
    renewed if anything was answered since they were. All is computed outside the transactions that
    write; where others wrote labels meanwhile, once more. Cases follow in a refresh of the desk.
    """
    while True:
        try:
            return _shown_labels(services, project)
        except LabelsWritten:
            continue


def _shown_labels(services: Services, project: Project) -> ProjectLabels:
    with services.database.reading() as session:
        state = state_repository.state(session, project.id)
        marks = marks_of(session, services.clock, project)
        known = model_of(state, label_schema_of(project))
        is_known = known is not None and is_fitted_to(state.fitted, marks)
        labels = labels_of(session, project, model=known if is_known else None)
        changes = changes_of(session, project.id, labels, services.clock())
    if is_known and not changes.task_ids:
        return labels
    fitted: dict[str, Any] = {"model": labels.model.to_json(), "fitted": marks}
    with services.database.transaction() as session:
        if changes.task_ids:  # whatever becomes of the rest, the next refresh looks at all cases
            fitted["marks"] = None
            LoopService(session, services.clock).request_review(project)
        state = state_repository.advance(session, state, **fitted)
    for part in turns(services.database, changes.task_ids):
        with services.database.transaction() as session:
            state = state_repository.advance(session, state)
            changes.write(session, part)
    return labels
