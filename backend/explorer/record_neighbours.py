"""The records before and after one in the list that the reader came from."""

from dataclasses import dataclass
from urllib.parse import urlencode

from pydantic import Field
from sqlmodel import Session

from backend.core.exceptions import Conflict
from backend.core.request_body import LARGEST_OFFSET
from backend.core.services import Services
from backend.models import Project
from backend.scoring.service import Verdicts
from backend.scoring.verdict_filter import VerdictFilter, VerdictOrder

AROUND = 2
"""Places to both sides where the record is looked for, should the list have changed. Chosen."""


class RecordQuery(VerdictFilter, VerdictOrder):
    """The list that the reader came from, and where in it the record stood."""

    position: int | None = Field(None, ge=0, le=LARGEST_OFFSET, description="0 is the first")

    @property
    def of_list(self) -> str:
        """The list as an address's query, without the position."""
        held = self.model_dump(exclude_defaults=True, exclude={"position"}, mode="json")
        return urlencode(held, doseq=True)

    def at(self, position: int | None) -> str:
        """The same list, somewhere else in it."""
        place = "" if position is None else urlencode({"position": position})
        return "&".join(part for part in (self.of_list, place) if part)


@dataclass(frozen=True)
class Neighbour:
    """A record of the list, and where it stands."""

    record_id: int
    position: int


@dataclass(frozen=True)
class Neighbours:
    """What stands before and after a record."""

    position: int
    total: int
    previous: Neighbour | None
    next: Neighbour | None


def neighbours(
    session: Session, services: Services, project: Project, record_id: int, wanted: RecordQuery
) -> Neighbours | None:
    """Where the record stands in the list; None where the reader came from no list.

    A record that has left the list since, because it was decided say, stands before the one that
    took its place.
    """
    if wanted.position is None:
        return None
    first = max(0, wanted.position - AROUND)
    try:
        page = Verdicts(session, services).page(
            project, wanted, wanted, offset=first, limit=2 * AROUND + 1
        )
    except Conflict:  # the verdicts are being made: there is no list
        return None
    ids = [each.record_id or 0 for each in page.items]
    place = ids.index(record_id) if record_id in ids else None
    own = wanted.position if place is None else first + place
    after = own if place is None else own + 1

    def at(position: int) -> Neighbour | None:
        inside = 0 <= position - first < len(ids)
        return Neighbour(ids[position - first], position) if inside else None

    return Neighbours(own, page.total, at(own - 1), at(after))
