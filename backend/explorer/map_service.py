"""What the map of records shows: points, coloured by what is known of the records now."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

from active_learning.embedding_map.map_files import MapFacts, MapFiles
from backend.core.exceptions import InvalidInput
from backend.core.services import Services
from backend.explorer.map_folder import MapFolder, is_of_now
from backend.models import Project
from backend.scoring.selections import Selections
from backend.scoring.table_cache import verdict_table
from backend.scoring.verdict_labels import NO_LABEL
from backend.scoring.verdict_table import VerdictTable
from backend.words import Message

DECIMALS = 4
"""Of a place between -1 and 1: finer than a pixel of any screen at a hundredfold zoom."""
LISTED = 200
"""Records that an address names one by one: 4 kB, which every server and browser takes."""
MOST = 10_000
"""Records of a selection: as many as a filter takes."""


@dataclass(frozen=True)
class MapPoints:
    """The points of a map, column by column, in the order of their records."""

    ids: list[int]
    x: list[float]
    y: list[float]
    grades: list[int]
    """Place of the verdict's grade."""
    doubts: list[float]
    labels: list[int]
    """Place of the grade that counts, -1 where there is none."""


@dataclass(frozen=True)
class GradePoints:
    """The points of one grade, as the table beside the map tells them."""

    grade: str
    judged: int
    labelled: int
    doubt: float | None
    """Mean of those judged to be of the grade."""


@dataclass(frozen=True)
class MapSummary:
    """The map in words and numbers."""

    facts: MapFacts
    is_of_now: bool
    points: int
    rows: list[GradePoints]
    unlabelled: int


class RecordMap:
    """Maps of projects, within one reading session."""

    def __init__(self, session: Session, services: Services) -> None:
        self._session = session
        self._services = services

    def summary(self, project: Project) -> MapSummary | None:
        """What is on the map; None before there is one."""
        both = self._map_and_table(project)
        if both is None:
            return None
        drawn, table = both
        points = _points(drawn, table)
        grades, labels = np.array(points.grades, dtype=int), np.array(points.labels, dtype=int)
        doubts = np.array(points.doubts)
        return MapSummary(
            facts=drawn.facts,
            is_of_now=is_of_now(self._session, self._services, project, drawn.facts),
            points=len(points.ids),
            rows=[
                GradePoints(
                    grade=name,
                    judged=int(np.count_nonzero(grades == code)),
                    labelled=int(np.count_nonzero(labels == code)),
                    doubt=float(doubts[grades == code].mean()) if (grades == code).any() else None,
                )
                for code, name in enumerate(table.verdicts.facts.grades)
            ],
            unlabelled=int(np.count_nonzero(labels == NO_LABEL)),
        )

    def points(self, project: Project) -> MapPoints:
        """The points whose records have verdicts now; none before there is a map."""
        both = self._map_and_table(project)
        return MapPoints([], [], [], [], [], []) if both is None else _points(*both)

    def grades(self, project: Project) -> tuple[str, ...]:
        """The grades that the points name by their places."""
        both = self._map_and_table(project)
        return () if both is None else both[1].verdicts.facts.grades

    def select(self, project: Project, record_ids: Sequence[int]) -> list[tuple[str, str]]:
        """The query of the list that shows these records.

        Raises:
            InvalidInput: there is none, or there are too many.
        """
        ids = sorted(set(record_ids))
        if not 0 < len(ids) <= MOST:
            raise InvalidInput(
                Message("A selection has between 1 and {most:,} records.", most=MOST),
                field="ids",
                value=len(ids),
                remedy=Message("Draw around fewer points, or filter the list instead."),
            )
        if len(ids) <= LISTED:
            return [("record_id", str(each)) for each in ids]
        kept = Selections(self._services.settings.selections_dir, project.id)
        return [("selection", kept.put(ids))]

    def _map_and_table(self, project: Project) -> tuple[MapFiles, VerdictTable] | None:
        drawn = MapFolder(self._services.settings.maps_dir, project.id).current()
        table = verdict_table(self._session, self._services, project)
        return None if drawn is None or table is None else (drawn, table)


def _points(drawn: MapFiles, table: VerdictTable) -> MapPoints:
    ids, where = drawn.points()
    places = table.verdicts.positions(ids)
    is_there = places >= 0
    kept, at = where[is_there], places[is_there]
    return MapPoints(
        ids=ids[is_there].tolist(),
        x=_numbers(kept[:, 0]),
        y=_numbers(kept[:, 1]),
        grades=table.verdicts.grades[at].tolist(),
        doubts=_numbers(table.verdicts.doubt[at]),
        labels=table.labels.grades[at].tolist(),
    )


def _numbers(values: NDArray[np.float32]) -> list[float]:
    found: list[float] = np.round(values.astype(np.float64), DECIMALS).tolist()
    return found
