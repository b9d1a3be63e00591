"""Where imported labels go: the request, its mapping, the project that is found or made."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import yaml
from pydantic import ValidationError
from sqlmodel import Session

from backend.core.exceptions import InvalidInput, NotFound
from backend.core.services import Services
from backend.label_studio import repository as label_studio_repository
from backend.models import Dataset, Project
from backend.projects import repository as project_rows
from backend.projects.declared_schema import read_label_schema
from backend.projects.schemas import ProjectCreate
from backend.projects.service import ProjectsService, label_schema_of
from backend.records.service import RecordsService
from backend.words import Message
from labeling.declaration import faults_of, tell
from labeling.label_schema import LabelSchema
from labeling.label_studio.label_mapping import ControlMeaning, LabelMapping


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
        problem = Message.of(tell(faults_of(error, LabelMapping)))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problem = Message("it cannot be read: {error}", error=" ".join(str(error).split()))
    raise InvalidInput(
        Message(
            "The mapping {path} is not usable: {problem}",
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
        InvalidInput: the project is on another dataset than the one named, the mapping does not fit
            its label schema, or there are no fields.
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
        project = projects.create(made, actor=actor)
        check_mapping(request.mapping, label_schema_of(project), project.name)
        return project
    dataset = project_rows.get_dataset(session, project.dataset_id)
    assert dataset is not None
    if request.dataset and dataset.name != request.dataset:
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
    _check_same_schema(request.mapping, project, dataset)
    check_mapping(request.mapping, label_schema_of(project), project.name)
    label_studio_repository.get_cursor(session, project.id)  # the intake locks it
    return project


def _check_same_schema(mapping: LabelMapping, project: Project, dataset: Dataset) -> None:
    """The label schema of the project stays as it is: the mapping may only say the same."""
    if mapping.label_schema is None:
        return
    schema = label_schema_of(project)
    wanted = {"fields": list(schema.fields), **mapping.label_schema}
    if read_label_schema(wanted, dataset) != schema:
        raise InvalidInput(
            Message(
                "The mapping declares another label schema than project {project!r} has.",
                project=project.name,
            ),
            field="mapping.label_schema",
            value=project.name,
            remedy=Message("Leave label_schema out of the mapping, or import into a new project."),
        )


def check_mapping(mapping: LabelMapping, schema: LabelSchema, project: str) -> None:
    """What the mapping says has a meaning in the project.

    Raises:
        InvalidInput: a grade, an issue or a field that the label schema does not have.
    """
    known = {
        "grade": schema.grades,
        "issues": schema.issue_values,
        "faulty_fields": schema.fields,
    }
    for control, meaning in mapping.controls.items():
        for target, values in known.items() if isinstance(meaning, ControlMeaning) else ():
            for there, here in (getattr(meaning, target) or {}).items():
                if here not in values:
                    raise _unknown_meaning(f"{control}.{target}.{there}", here, values, project)


def _unknown_meaning(place: str, here: str, values: Sequence[str], project: str) -> InvalidInput:
    near = get_close_matches(here, values, n=1)
    return InvalidInput(
        Message(
            "The mapping's controls.{place} is {value!r}, which the label schema of project "
            "{project!r} does not have.",
            place=place,
            value=here,
            project=project,
        ),
        field=f"mapping.controls.{place}",
        value=here,
        remedy=Message("Did you mean {near!r}? It has: {values}.", near=near[0], values=values)
        if near
        else Message("It has: {values}.", values=values),
    )
