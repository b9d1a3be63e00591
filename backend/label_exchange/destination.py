"""Where imported labels go: the request, its mapping, the project that is found or made."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import ValidationError
from sqlmodel import Session

from backend.core.exceptions import InvalidInput, NotFound
from backend.core.services import Services
from backend.label_studio import repository as label_studio_repository
from backend.models import Project
from backend.projects import repository as project_rows
from backend.projects.schemas import ProjectCreate
from backend.projects.service import ProjectsService, label_schema_of
from backend.records.service import RecordsService
from backend.words import Message
from labeling.label_schema import describe
from labeling.label_studio.label_mapping import LabelMapping


@dataclass(frozen=True)
class LabelImport:
    """One file, and where its labels go.

    ``dataset`` names the dataset of a project that is not there yet; empty: like the project.
    """

    path: Path
    project: str
    dataset: str | None = None
    mapping: LabelMapping = field(default_factory=LabelMapping)
    is_dry_run: bool = False
    source: str | None = None


def read_mapping(path: Path) -> LabelMapping:
    """The mapping that a YAML or JSON file declares.

    Raises:
        InvalidInput: it cannot be read, or says something that has no meaning.
    """
    try:
        declared = yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML
        return LabelMapping.model_validate(declared or {})
    except ValidationError as error:
        problem = describe(error)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problem = Message("it cannot be read: {error}", error=" ".join(str(error).split()))
    raise InvalidInput(
        Message(
            "The mapping {path} is not usable: {problem}.",
            path=path.name,
            problem=problem,
        ),
        field="mapping",
        value=path.name,
        remedy=Message("It may hold record, controls, annotators, same_server and label_schema."),
    )


def find_or_create(
    session: Session,
    services: Services,
    request: LabelImport,
    fields: Sequence[str],
    kind: str,
    actor: str,
) -> Project:
    """The project, made with its dataset if it is not there.

    Raises:
        InvalidInput: the project is on another dataset than the one named, or there are no fields.
    """
    projects = ProjectsService(session, services.clock)
    try:
        project = projects.find(request.project)
    except NotFound:
        project = None
    if project is None:
        if not fields:
            raise InvalidInput(
                Message("The file tells no fields of records, so no project can be made for it."),
                field="file",
                value=request.path.name,
                remedy=Message("Name an existing project, or map the data with --mapping."),
            )
        name = request.dataset or request.project
        RecordsService(session, services.clock).find_or_create_dataset(
            name, kind=kind, fields=fields, actor=actor
        )
        made = ProjectCreate(
            name=request.project, dataset=name, label_schema=request.mapping.label_schema
        )
        return projects.create(made, actor=actor)
    dataset = project_rows.get_dataset(session, project.dataset_id)
    if request.dataset and dataset is not None and dataset.name != request.dataset:
        raise InvalidInput(
            Message(
                "Project {project!r} labels the dataset {dataset!r}.",
                project=project.name,
                dataset=dataset.name,
            ),
            field="dataset",
            value=request.dataset,
            remedy=Message("Leave --dataset out, or name another project."),
        )
    label_schema_of(project)
    label_studio_repository.get_cursor(session, project.id)  # the intake locks it
    return project
