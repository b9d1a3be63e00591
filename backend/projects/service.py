"""Create projects and change their policy."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from backend.audit.service import AuditTrail
from backend.core.clock import Clock
from backend.core.exceptions import Conflict, InvalidInput, NotFound
from backend.jobs.queue import enqueue
from backend.jobs.schedules import set_schedule
from backend.models import Project
from backend.projects import repository
from backend.projects.declared_schema import read_label_schema
from backend.projects.policy_checks import check_overlap, check_policy, read_policy
from backend.projects.schemas import (
    LONGEST_NAME,
    SHORTEST_NAME,
    LoopPolicy,
    ProjectCreate,
)
from backend.words import Message
from labeling.label_schema import LabelSchema

LABEL_SETTINGS = (
    "annotators_per_record",
    "overlap",
    "annotators_at_most",
    "confidence_wanted",
    "review_below",
)
"""Settings that consensus labels and cases depend on."""


class ProjectsService:
    """Projects within one transaction."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._audit = AuditTrail(session, clock)

    def create(self, request: ProjectCreate, *, actor: str) -> Project:
        """A new project on an existing dataset.

        Raises:
            NotFound: no dataset of that name.
            Conflict: the name is taken.
            InvalidInput: the name is too short or too long, the policy cannot be followed, or the
                label schema names unknown fields or is malformed.
        """
        check_policy(request.policy)  # loads the strategies: before the store is locked for it
        check_overlap(request.policy)
        name = check_name(request.name)
        dataset = repository.find_dataset(self._session, request.dataset)
        if dataset is None:
            raise NotFound(
                Message("There is no dataset named {dataset!r}.", dataset=request.dataset),
                field="dataset",
                value=request.dataset,
                remedy=Message("Import its records first."),
            )
        schema = read_label_schema(request.label_schema, dataset)
        project = repository.insert(
            self._session,
            name=name,
            dataset_id=dataset.id,
            label_schema=schema.model_dump(mode="json"),
            policy=request.policy.model_dump(mode="json"),
            now=self._clock(),
        )
        if project is None:
            raise Conflict(
                Message("A project named {name!r} exists already.", name=name),
                field="name",
                value=name,
                remedy=Message("Choose another name."),
            )
        set_schedule(
            self._session,
            project.id,
            "training.retrain",
            request.policy.retrain_cron,
            now=self._clock(),
        )
        self._audit.append(
            actor, "project.created", f"project:{project.id}", {"name": project.name}
        )
        return project

    def get(self, project_id: int) -> Project:
        """The project.

        Raises:
            NotFound: there is none with that id.
        """
        project = repository.get(self._session, project_id)
        if project is None:
            raise NotFound(
                Message("There is no project {project_id}.", project_id=project_id),
                field="project",
                value=project_id,
            )
        return project

    def find(self, name_or_id: str) -> Project:
        """The project of that name or id.

        Raises:
            NotFound: there is none; the message lists those that exist.
        """
        project = repository.find_by_name(self._session, name_or_id)
        if project is None and name_or_id.isdigit():
            project = repository.get(self._session, int(name_or_id))
        if project is None:
            names = ", ".join(repr(p.name) for p in self.list()) or "none"
            raise NotFound(
                Message("There is no project {name_or_id!r}.", name_or_id=name_or_id),
                field="project",
                value=name_or_id,
                remedy=Message("Projects are: {names}.", names=names),
            )
        return project

    def list(self) -> Sequence[Project]:
        """Every project, oldest first."""
        return repository.list_all(self._session)

    def set_policy(self, project_id: int, changes: dict[str, Any], *, actor: str) -> Project:
        """The project's policy with ``changes`` applied, checked, and audited.

        What people's answers amount to is worked out anew where that depends on them.

        Raises:
            InvalidInput: an unknown setting or a value it cannot have.
        """
        check_policy(read_policy(changes))  # loads the strategies: before the store is locked
        project = self.get(project_id)
        before = policy_of(project)
        after = read_policy({**before.model_dump(), **changes})
        if OVERLAP_SETTINGS & changes.keys():
            check_overlap(after)
        project.policy = after.model_dump(mode="json")
        self._session.add(project)
        set_schedule(
            self._session, project_id, "training.retrain", after.retrain_cron, now=self._clock()
        )
        if any(getattr(before, name) != getattr(after, name) for name in LABEL_SETTINGS):
            enqueue(self._session, "review.refresh", project_id=project_id, now=self._clock())
        self._audit.append(
            actor,
            "project.policy_changed",
            f"project:{project_id}",
            {"before": before.model_dump(mode="json"), "after": project.policy},
        )
        return project


OVERLAP_SETTINGS = frozenset({"overlap", "annotators_at_most", "annotators_per_record"})


def check_name(name: str) -> str:
    """The name, without blanks around it.

    Raises:
        InvalidInput: Label Studio takes no project of that name.
    """
    bare = name.strip()
    if not SHORTEST_NAME <= len(bare) <= LONGEST_NAME:
        raise InvalidInput(
            Message(
                "The project name {bare!r} has {count} characters.", bare=bare, count=len(bare)
            ),
            field="name",
            value=name,
            remedy=Message(
                "Label Studio takes {shortest_name} to {longest_name}: choose another name.",
                shortest_name=SHORTEST_NAME,
                longest_name=LONGEST_NAME,
            ),
        )
    return bare


def label_schema_of(project: Project) -> LabelSchema:
    """The project's label schema."""
    return LabelSchema.from_store(project.label_schema)


def policy_of(project: Project) -> LoopPolicy:
    """The project's loop policy."""
    return LoopPolicy.model_validate(project.policy)
