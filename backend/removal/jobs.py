"""What follows a removal in the background; every handler may be run again from its start."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

from backend.core.purged import bytes_below, delete_folder, remove_leftovers
from backend.core.services import Services
from backend.jobs.context import JobContext
from backend.jobs.registry import Handler
from backend.label_studio.jobs import retry_while_unavailable
from backend.record_index.service import request_index
from backend.record_index.text_indexing import delete_texts
from backend.records.field_removal import strip_field
from backend.removal.schemas import CLEAN_UP, STRIP_FIELD
from labeling.exceptions import LabelStudioRefused


def handlers(services: Services) -> dict[str, Handler]:
    """The room's jobs by name."""

    def clean_up(_context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        """Args: ``folders`` (of what there is in the data directory, below it), ``label_studio``
        (or none) and ``dataset_id`` (of one whose records' words go; or none)."""
        if (dataset_id := args.get("dataset_id")) is not None:
            delete_texts(services, int(dataset_id))
        roots = {
            "models": services.settings.models_dir,
            "pools": services.settings.pools_dir,
            "record_index": services.settings.record_index_dir,
            "verdicts": services.settings.verdicts_dir,
            "maps": services.settings.maps_dir,
            "selections": services.settings.selections_dir,
        }
        freed = 0
        for folder in map(Path, args["folders"]):
            place = roots[folder.parts[0]].joinpath(*folder.parts[1:])
            if place.is_dir():
                freed += bytes_below(place)
                delete_folder(place)
            remove_leftovers(place.parent)
        there = args.get("label_studio")
        return {"bytes": freed, "label_studio": _delete_there(services, there) if there else "kept"}

    def strip(context: JobContext, args: dict[str, Any]) -> dict[str, Any]:
        """Args: ``dataset_id`` and ``field``."""
        dataset_id = int(args["dataset_id"])
        changed = strip_field(services, dataset_id, args["field"], context)
        with services.database.transaction() as session:
            request_index(session, dataset_id, now=services.clock())
        return {"records": changed}

    return {CLEAN_UP: retry_while_unavailable(clean_up), STRIP_FIELD: strip}


def _delete_there(services: Services, there: dict[str, Any]) -> str:
    """The project is gone from Label Studio, if what stands under its id is ours.

    An id alone proves nothing: a Label Studio with a new database gives the same ids out again.
    """
    client = services.label_studio
    found = there["project"] or client.find_project(there["marker"])
    if found is None:
        return "was not there"
    try:
        is_ours = client.get_project(found).get("description") == there["marker"] or (
            bool(there["keys"]) and bool(client.find_tasks(found, there["keys"]))
        )
        if is_ours:
            client.delete_project(found)
    except LabelStudioRefused as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return "was not there"
    return "deleted" if is_ours else "kept: it is another project now"
