"""Projects, datasets and fields are taken away, each in one transaction; files go by a job."""

from pathlib import Path

from sqlmodel import Session, SQLModel

from backend.audit.service import AuditTrail
from backend.core.exceptions import Conflict, InvalidInput, NotFound
from backend.core.purged import bytes_below
from backend.core.services import Services
from backend.ingestion.schemas import IMPORT_JOB
from backend.jobs.queue import enqueue
from backend.label_studio.connection import KEYS_TO_RECOGNISE, project_marker
from backend.models import (
    Annotation,
    ConsensusLabel,
    Dataset,
    Decision,
    Guideline,
    MachineLabel,
    ModelVersion,
    Project,
    Task,
)
from backend.projects.service import ProjectsService, label_schema_of
from backend.records.service import RecordsService
from backend.removal import repository
from backend.removal.schemas import (
    CLEAN_UP,
    STRIP_FIELD,
    DatasetRemoval,
    FieldRemoval,
    LabelStudioFate,
    ProjectRemoval,
)
from backend.words import Message

FOLDERS_OF_DATASETS = ("pools", "record_index")
"""Where in the data directory what was made of records lies."""


class Removals:
    """What would go, and its going, within one transaction.

    Whoever takes something away writes its name once more (``confirmed``).
    """

    def __init__(self, session: Session, services: Services) -> None:
        self._session = session
        self._services = services
        self._clock = services.clock
        self._audit = AuditTrail(session, services.clock)

    def of_project(self, project: Project) -> ProjectRemoval:
        """What goes with the project."""

        def count(table: type[SQLModel]) -> int:
            return repository.count_of(self._session, table, project.id)

        return ProjectRemoval(
            project=project.name,
            dataset=self._records.get_dataset(project.dataset_id).name,
            label_studio_project_id=project.label_studio_project_id,
            tasks=count(Task),
            answered_records=repository.answered_records(self._session, project.id),
            annotations=count(Annotation),
            consensus_labels=count(ConsensusLabel),
            decisions=count(Decision),
            machine_labels=count(MachineLabel),
            guideline_versions=count(Guideline),
            model_versions=count(ModelVersion),
            open_jobs=repository.open_jobs(self._session, project.id),
            bytes=bytes_below(self._services.settings.models_dir / folder_of_project(project.id)),
        )

    def delete_project(
        self, project_id: int, *, confirmed: str, label_studio: LabelStudioFate, actor: str
    ) -> ProjectRemoval:
        """The project is gone with all that people and classifiers said in it; what went.

        Its jobs are gone too: what runs stops, and commits nothing more. A job deletes its files
        and, where ``label_studio`` says so, its project there. Dataset and records stay.

        Raises:
            NotFound: there is none with that id.
            InvalidInput: ``confirmed`` is not its name.
        """
        project = ProjectsService(self._session, self._clock).get(project_id)
        check_confirmed(confirmed, project.name)
        repository.lock_project(self._session, project_id)
        lost = self.of_project(project)
        args = {
            "folders": [
                str(Path(root) / folder_of_project(project_id))
                for root in ("models", "verdicts", "maps", "selections")
            ],
            "label_studio": self._fate_there(project) if label_studio == "delete" else None,
        }
        self._audit.append(
            actor,
            "project.deleted",
            f"project:{project_id}",
            {**lost.model_dump(), "label_studio": label_studio},
        )
        repository.delete_project(self._session, project_id)
        enqueue(self._session, CLEAN_UP, args=args, now=self._clock())
        return lost

    def _fate_there(self, project: Project) -> dict[str, object]:
        """By what the project is known for ours in Label Studio, when it is gone here."""
        return {
            "project": project.label_studio_project_id,
            "marker": project_marker(project),
            "keys": repository.task_keys(self._session, project.id, KEYS_TO_RECOGNISE),
        }

    def of_dataset(self, dataset: Dataset) -> DatasetRemoval:
        """What goes with the dataset."""
        return DatasetRemoval(
            dataset=dataset.name,
            records=self._records.count(dataset),
            versions=repository.count_versions(self._session, dataset.id),
            imports=repository.count_imports(self._session, dataset.id),
            bytes=sum(
                bytes_below(root / folder_of_dataset(dataset.id))
                for root in (
                    self._services.settings.pools_dir,
                    self._services.settings.record_index_dir,
                )
            ),
        )

    def delete_dataset(self, dataset_id: int, *, confirmed: str, actor: str) -> DatasetRemoval:
        """The dataset is gone with its records and the reports of its imports; what went.

        Raises:
            NotFound: there is none with that id.
            InvalidInput: ``confirmed`` is not its name.
            Conflict: a project labels it, or an import into it has not ended.
        """
        dataset = self._records.get_dataset(dataset_id)
        check_confirmed(confirmed, dataset.name)
        self._records.add_fields(dataset_id, ())  # locks it
        self._refuse_in_use(dataset)
        lost = self.of_dataset(dataset)
        self._audit.append(actor, "dataset.deleted", f"dataset:{dataset_id}", lost.model_dump())
        repository.delete_dataset(self._session, dataset_id)
        folders = [str(Path(root) / folder_of_dataset(dataset_id)) for root in FOLDERS_OF_DATASETS]
        args = {"folders": folders, "dataset_id": dataset_id}
        enqueue(self._session, CLEAN_UP, args=args, now=self._clock())
        return lost

    def _refuse_in_use(self, dataset: Dataset) -> None:
        names = [repr(each.name) for each in repository.projects_of(self._session, dataset.id)]
        if names:
            raise Conflict(
                Message.ngettext(
                    "Dataset {dataset!r} is labelled by project {projects}.",
                    "Dataset {dataset!r} is labelled by projects {projects}.",
                    n=len(names),
                    dataset=dataset.name,
                    projects=names,
                ),
                field="dataset",
                value=dataset.name,
                remedy=Message("Delete what labels it first, or keep the dataset."),
            )
        for job in repository.open_jobs_called(self._session, IMPORT_JOB):
            if job.args.get("request", {}).get("dataset") == dataset.name:
                raise Conflict(
                    Message(
                        "An import into dataset {dataset!r} has not ended: job {job}.",
                        dataset=dataset.name,
                        job=job.id,
                    ),
                    field="dataset",
                    value=dataset.name,
                    remedy=Message("Cancel that job or wait for its end."),
                )

    def of_field(self, dataset: Dataset, field: str) -> FieldRemoval:
        """What goes with the field.

        Raises:
            NotFound: the dataset does not have it.
            Conflict: a project shows it.
        """
        if field not in dataset.fields:
            raise NotFound(
                Message(
                    "Dataset {dataset!r} has no field {field!r}.", dataset=dataset.name, field=field
                ),
                field="field",
                value=field,
                remedy=Message("Its fields are: {fields}.", fields=dataset.fields),
            )
        projects = repository.projects_of(self._session, dataset.id)
        names = [repr(each.name) for each in projects if field in label_schema_of(each).fields]
        if names:
            raise Conflict(
                Message.ngettext(
                    "The field {field!r} is shown by project {projects}.",
                    "The field {field!r} is shown by projects {projects}.",
                    n=len(names),
                    field=field,
                    projects=names,
                ),
                field="field",
                value=field,
                remedy=Message("Delete what shows it first, or keep the field."),
            )
        held = repository.current_fields(self._session, dataset.id)
        return FieldRemoval(
            dataset=dataset.name,
            field=field,
            records=sum(fields.get(field) is not None for fields in held),
        )

    def remove_field(
        self, dataset_id: int, field: str, *, confirmed: str, actor: str
    ) -> FieldRemoval:
        """The dataset does not have the field any more; a job takes it out of its records.

        Their earlier versions stay as people saw them.

        Raises:
            NotFound: there is no such dataset, or it does not have the field.
            InvalidInput: ``confirmed`` is not the field's name.
            Conflict: a project shows it.
        """
        check_confirmed(confirmed, field)
        self._records.add_fields(dataset_id, ())  # locks it
        dataset = self._records.get_dataset(dataset_id)
        lost = self.of_field(dataset, field)
        self._records.drop_field(dataset_id, field)
        self._audit.append(
            actor, "dataset.field_removed", f"dataset:{dataset_id}", lost.model_dump()
        )
        args = {"dataset_id": dataset_id, "field": field}
        enqueue(self._session, STRIP_FIELD, args=args, now=self._clock())
        return lost

    @property
    def _records(self) -> RecordsService:
        return RecordsService(self._session, self._clock)


def folder_of_project(project_id: int) -> str:
    """Below the models directory."""
    return f"project-{project_id}"


def folder_of_dataset(dataset_id: int) -> str:
    """Below each of ``FOLDERS_OF_DATASETS``."""
    return f"dataset-{dataset_id}"


def check_confirmed(written: str, name: str) -> None:
    """Whoever takes it away knows which one it is.

    Raises:
        InvalidInput: something else than its name was written.
    """
    if written != name:
        raise InvalidInput(
            Message(
                "Its name is {name!r}, and {written!r} was written: nothing is deleted.",
                name=name,
                written=written,
            ),
            field="confirm",
            value=written,
            remedy=Message("Write its name, letter by letter."),
        )
