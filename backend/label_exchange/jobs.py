"""The import of labels as a background job."""

from pathlib import Path
from typing import Any

from backend.core.exceptions import JobCancelled
from backend.core.services import Services
from backend.jobs.context import JobContext
from backend.jobs.job_project import project_of
from backend.jobs.registry import Handler
from backend.label_exchange.destination import LabelImport, read_mapping
from backend.label_exchange.label_import import import_labels
from backend.label_exchange.schemas import IMPORT_LABELS
from backend.projects.service import ProjectsService
from labeling.label_studio.label_mapping import LabelMapping


def handlers(services: Services) -> dict[str, Handler]:
    """This room's jobs by name."""

    def run_import(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        """Args: ``path``, ``mapping`` (or none) and ``actor``. Repeated from its start."""
        with services.database.reading() as session:
            project = ProjectsService(session, services.clock).get(project_of(context))
        mapping = read_mapping(Path(args["mapping"])) if args.get("mapping") else LabelMapping()
        request = LabelImport(path=Path(args["path"]), project=project.name, mapping=mapping)
        try:
            report = import_labels(
                services,
                request,
                actor=str(args.get("actor", "job")),
                progress=context.progress,
                should_stop=context.should_stop,
            )
        except JobCancelled:
            context.check_cancelled()
            raise
        return report.model_dump(mode="json")

    return {IMPORT_LABELS: run_import}
