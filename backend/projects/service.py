"""Create projects and change their policy."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from backend.audit.service import AuditTrail
from backend.core.clock import Clock
from backend.core.exceptions import Conflict, InvalidInput, NotFound
from backend.jobs.queue import enqueue
from backend.jobs.schedules import next_time, set_schedule
from backend.models import Dataset, Project
from backend.projects import repository
from backend.projects.schemas import (
    LONGEST_NAME,
    MOST_ANNOTATORS,
    SHORTEST_NAME,
    LoopPolicy,
    ProjectCreate,
    ProjectPublic,
)
from backend.words import Message
from labeling.label_schema import LabelSchema, describe

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


ANY_TIME = datetime(2024, 1, 1, tzinfo=UTC)
"""Whether a cron expression ever comes does not depend on it."""
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


def read_policy(settings: dict[str, Any]) -> LoopPolicy:
    """The policy with these settings.

    Raises:
        InvalidInput: an unknown setting or a value it cannot have; the first one is named.
    """
    try:
        return LoopPolicy.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(
            Message(
                "The policy's {name} cannot be {value!r}: {problem}.",
                name=name,
                value=first["input"],
                problem=first["msg"],
            ),
            field=f"policy.{name}",
            value=first["input"],
            remedy=Message("Settings are: {settings}.", settings=list(LoopPolicy.model_fields)),
        ) from error


def check_policy(policy: LoopPolicy) -> None:
    """The policy can be followed.

    Raises:
        InvalidInput: unknown strategy or a cron expression that cannot be read.
    """
    from active_learning.query_strategies.factory import strategy_names

    if policy.strategy not in strategy_names():
        raise InvalidInput(
            Message("Unknown query strategy {strategy!r}.", strategy=policy.strategy),
            field="policy.strategy",
            value=policy.strategy,
            remedy=Message("Choose one of: {strategies}.", strategies=strategy_names()),
        )
    if policy.retrain_cron is not None:
        try:
            next_time(policy.retrain_cron, ANY_TIME)
        except InvalidInput as error:
            error.field = "policy.retrain_cron"
            raise


def check_overlap(policy: LoopPolicy) -> None:
    """Adaptive overlap may ask at least one person more.

    Raises:
        InvalidInput: annotators_at_most is not above annotators_per_record, so nobody more would
            ever be asked.
    """
    least, most = policy.annotators_per_record, policy.annotators_at_most
    if policy.overlap != "adaptive" or most > least:
        return
    raise InvalidInput(
        Message(
            "The policy's annotators_at_most is {most}, not above "
            "annotators_per_record, which is {least}: adaptive overlap would "
            "never ask one more person.",
            most=most,
            least=least,
        ),
        field="policy.annotators_at_most",
        value=most,
        remedy=(
            Message(
                "Set annotators_at_most to {least} or more, or overlap to fixed.", least=least + 1
            )
            if least < MOST_ANNOTATORS
            else Message(
                "Set annotators_per_record below {least}, or overlap to fixed.", least=least
            )
        ),
    )


def read_label_schema(declared: dict[str, Any] | None, dataset: Dataset) -> LabelSchema:
    """The label schema as declared, or the default one over the dataset's fields.

    Raises:
        InvalidInput: malformed, or it names fields that the dataset does not have.
    """
    if not dataset.fields:
        raise InvalidInput(
            Message(
                "The dataset {dataset!r} has no fields yet, so there is nothing to label.",
                dataset=dataset.name,
            ),
            field="dataset",
            value=dataset.name,
            remedy=Message("Import records first."),
        )
    try:
        if declared is None:
            return LabelSchema.default(dataset.fields)
        schema = LabelSchema.model_validate({"fields": dataset.fields, **declared})
    except ValidationError as error:
        raise InvalidInput(
            Message("The label schema cannot be used: {problem}.", problem=describe(error)),
            field="label_schema",
        ) from error
    unknown = [name for name in schema.fields if name not in dataset.fields]
    if unknown:
        raise InvalidInput(
            Message(
                "The label schema names fields that dataset {dataset!r} does not have: {unknown}.",
                dataset=dataset.name,
                unknown=unknown,
            ),
            field="label_schema.fields",
            value=unknown,
            remedy=Message("Its fields are: {fields}.", fields=dataset.fields),
        )
    return schema


def label_schema_of(project: Project) -> LabelSchema:
    """The project's label schema."""
    return LabelSchema.model_validate(project.label_schema)


def policy_of(project: Project) -> LoopPolicy:
    """The project's loop policy."""
    return LoopPolicy.model_validate(project.policy)


def to_public(project: Project) -> ProjectPublic:
    """The project as the API shows it."""
    return ProjectPublic.model_validate(project, from_attributes=True)
