"""Bring consensus labels and cases up to date with the answers that there are now."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from backend.consensus import marks_repository, state_repository
from backend.consensus.exceptions import LabelsWritten
from backend.consensus.marks_repository import Marks
from backend.consensus.overlap import overlap_plan, records_to_ask_about
from backend.consensus.renewal import is_model_new_to, is_outgrown, is_small, model_of
from backend.consensus.service import (
    LabelChanges,
    ProjectLabels,
    changes_of,
    labels_of,
    marks_of,
)
from backend.core.services import Services
from backend.core.turns import turns
from backend.loop.service import LoopService
from backend.models import ConsensusState, Project, Task
from backend.projects.service import ProjectsService, label_schema_of, policy_of
from backend.review import decision_repository, situation_repository
from backend.review.case_changes import CaseChanges, case_changes

MANY = 1_000
"""Changes after which the store plans its queries anew. Chosen."""
MOST_PASSES = 10
"""Answers keep coming in: what a refresh has not reached by then is left to the next one."""


@dataclass(frozen=True)
class Refreshed:
    """What a refresh changed."""

    consensus_labels: int = 0
    opened: int = 0
    changed: int = 0
    settled: int = 0
    reopened: int = 0
    asked: int = 0

    def __add__(self, other: "Refreshed") -> "Refreshed":
        return Refreshed(
            **{name: value + getattr(other, name) for name, value in vars(self).items()}
        )


def refresh_desk(services: Services, project_id: int, *, is_full: bool = False) -> Refreshed:
    """Every record with answers has its consensus label, every reason its case.

    Only records are looked at of which something has changed since the last time; running it again
    changes nothing and writes nothing. What is known of the annotators stays as it is, unless
    ``is_full``, or the project is small: where much has come since, a full refresh is queued. All
    is computed outside the transactions that write, which are short.
    """
    done = Refreshed()
    for _ in range(MOST_PASSES):
        with services.database.reading() as session:
            found = _DeskPass.read(session, services, project_id, is_full=is_full)
        if found is None:
            return done
        try:
            done += found.write(services)
        except LabelsWritten:
            continue
        is_full = is_full and bool(found.to_ask)
    with services.database.transaction() as session:
        project = ProjectsService(session, services.clock).get(project_id)
        LoopService(session, services.clock).request_review(project, is_full=is_full)
    return done


def is_desk_behind(services: Services, project_id: int) -> bool:
    """True if answers, records, tasks or settings have changed since the desk was last refreshed.

    Whoever changes one of them asks for a refresh where people wait for it; the rest, such as an
    import of records, is noticed by this.
    """
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
        known = state_repository.state(session, project_id).marks
        return known != marks_of(session, services.clock, project)


@dataclass(frozen=True)
class _DeskPass:
    """What was read and computed, and is to be written if nobody else wrote meanwhile."""

    project: Project
    state: ConsensusState
    marks: Marks
    labels: ProjectLabels
    label_changes: LabelChanges
    case_changes: CaseChanges
    to_ask: Sequence[tuple[Task, int]]
    is_fitted: bool
    is_renewal_due: bool

    @classmethod
    def read(
        cls, session: Session, services: Services, project_id: int, *, is_full: bool
    ) -> "_DeskPass | None":
        """What is to be done; None for nothing."""
        clock = services.clock
        project = ProjectsService(session, clock).get(project_id)
        schema = label_schema_of(project)
        state = state_repository.state(session, project_id)
        marks = marks_of(session, clock, project)
        if state.marks == marks and not is_full:
            return None
        model = model_of(state, schema)
        is_behind = is_outgrown(state, marks)
        if is_full or (is_behind and is_small(marks)):
            model = None
        changed = (
            None
            if model is None
            else marks_repository.records_changed(session, project_id, state.marks, marks)
        )
        task_ids = None if changed is None else sorted(changed)
        labels = labels_of(session, project, model=model, task_ids=task_ids)
        return cls(
            project=project,
            state=state,
            marks=marks,
            labels=labels,
            label_changes=changes_of(session, project_id, labels, clock(), task_ids),
            case_changes=case_changes(session, clock, project, labels, task_ids),
            to_ask=_to_ask(project, labels),
            is_fitted=model is None,
            is_renewal_due=model is not None
            and (is_behind or is_model_new_to(model, labels.held.values(), schema)),
        )

    def write(self, services: Services) -> Refreshed:
        """It is in the store, in short transactions; what was changed.

        Where more answers are asked for, nothing else: those records are complete no more.

        Raises:
            LabelsWritten: somebody else wrote since it was read; what is not written is lost.
        """
        if self.to_ask:
            return self._ask(services)
        counts: Counter[str] = Counter()
        state, now = self.state, services.clock()
        task_ids = sorted({*self.label_changes.task_ids, *self.case_changes.task_ids})
        for part in turns(services.database, task_ids):
            with services.database.transaction() as session:
                state = state_repository.advance(session, state)
                self.label_changes.write(session, part)
                counts += self.case_changes.write(session, part, now)
        with services.database.transaction() as session:
            if self.label_changes.said_anew + counts["opened"] >= MANY:
                situation_repository.renew_statistics(session)
            if self.is_renewal_due:
                LoopService(session, services.clock).request_review(self.project, is_full=True)
            state_repository.advance(session, state, marks=self.marks, **self._fit())
        return Refreshed(consensus_labels=self.label_changes.said_anew, **counts)

    def _fit(self) -> dict[str, Any]:
        if not self.is_fitted:
            return {}
        return {"model": self.labels.model.to_json(), "fitted": self.marks}

    def _ask(self, services: Services) -> Refreshed:
        state = self.state
        for part in turns(services.database, self.to_ask):
            with services.database.transaction() as session:
                state = state_repository.advance(session, state)
                for task, answers in part:
                    decision_repository.ask_more(session, task, answers)
                LoopService(session, services.clock).request_asking(self.project)
        return Refreshed(asked=len(self.to_ask))


def _to_ask(project: Project, labels: ProjectLabels) -> list[tuple[Task, int]]:
    """Tasks for which one more annotator is asked, where the policy's overlap adapts."""
    policy = policy_of(project)
    if policy.overlap != "adaptive":
        return []
    plan = overlap_plan(
        labels.held, labels.grade_probabilities, label_schema_of(project), policy, labels.model
    )
    wanted = records_to_ask_about(labels.held, plan, policy)
    return [(labels.held[task_id].task, answers) for task_id, answers in wanted.items()]
