"""Tables of verdicts in a process's memory."""

import threading

import numpy as np
from sqlmodel import Session

from active_learning.verdicts.verdict_files import VerdictFiles
from backend.consensus.repository import settled_labels, standing_decisions
from backend.core.services import Services
from backend.features.least_recently_used import LeastRecentlyUsed
from backend.machine_labels.service import AcceptanceService
from backend.models import Project
from backend.scoring import repository
from backend.scoring.verdict_folder import VerdictFolder
from backend.scoring.verdict_labels import VerdictLabels, labels_by_record
from backend.scoring.verdict_table import VerdictTable

TABLE_BYTES = 400_000_000
"""Tables in a process's memory: about 80 MB a million records with twenty issues and fields, so
those of some projects. Chosen."""
ROW_BYTES = 60
"""Of a record in a table, without its marks."""

_TableKey = tuple[str, int, tuple[int, ...]]
_tables: LeastRecentlyUsed[_TableKey, VerdictTable] = LeastRecentlyUsed(
    TABLE_BYTES, lambda table: len(table) * (ROW_BYTES + table.verdicts.facts.marks)
)
_lock = threading.Lock()


def verdict_table(session: Session, services: Services, project: Project) -> VerdictTable | None:
    """The verdicts that are read now with what counts beside them; None before there are any.

    Kept in memory until verdicts, labels, decisions or machine labels change.
    """
    folder = VerdictFolder(services.settings.verdicts_dir, project.id)
    acceptance = AcceptanceService(session, services.clock).standing_acceptance(project.id)
    acceptance_id = acceptance.id if acceptance else 0
    state = repository.labels_state(session, project.id)
    name = folder.name_of_current()
    place = f"{folder.path}/{name}"
    key = (place, acceptance_id, state)
    with _lock:
        known = _tables.get(key)
    if known is not None or name is None:
        return known
    verdicts = _verdicts_in_memory(place) or folder.current()
    if verdicts is None:
        return None
    table = VerdictTable(verdicts, _labels(session, project, verdicts, acceptance_id))
    with _lock:
        _tables.drop(lambda other: other[0].startswith(f"{folder.path}/"))
        _tables.put(key, table)
    return table


def fault_probabilities(
    session: Session, services: Services, project: Project, record_id: int
) -> dict[str, float]:
    """Each field to the probability that it is faulty; empty where the record has no verdict."""
    table = verdict_table(session, services, project)
    if table is None:
        return {}
    places = table.verdicts.positions([record_id])
    if places[0] < 0:
        return {}
    (found,) = table.verdicts.predictions(places).faulty_fields.tolist()
    return dict(zip(table.verdicts.facts.fields, found, strict=True))


def _verdicts_in_memory(place: str) -> VerdictFiles | None:
    """The verdicts of a table in memory that is of the same ones."""
    with _lock:
        for key in _tables:
            if key[0] == place and (table := _tables.get(key)) is not None:
                return table.verdicts
    return None


def _labels(
    session: Session, project: Project, verdicts: VerdictFiles, acceptance_id: int
) -> VerdictLabels:
    first = repository.first_tasks(session, project.id)
    settled = settled_labels(session, project.id)
    decided = standing_decisions(session, project.id)
    positions = verdicts.positions(list(first.values())).tolist()
    places = {task: place for task, place in zip(first, positions, strict=True) if place >= 0}
    machine = repository.machine_grades(session, acceptance_id) if acceptance_id else []
    at = verdicts.positions([record_id for record_id, _ in machine])
    counts = np.flatnonzero((at >= 0) & ~np.isin(at, list(places.values())))
    return labels_by_record(
        len(verdicts),
        verdicts.facts.grades,
        machine=(at[counts], [machine[row][1] for row in counts.tolist()]),
        people={place: settled[task] for task, place in places.items() if task in settled},
        decided={place: decided[task].grade for task, place in places.items() if task in decided},
    )
