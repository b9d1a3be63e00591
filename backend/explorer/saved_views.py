"""Choices of records that somebody keeps under a name."""

from sqlmodel import Session

from backend.core.clock import Clock
from backend.core.exceptions import Conflict, InvalidInput, NotAllowed, NotFound
from backend.core.security import Principal
from backend.explorer import repository
from backend.explorer.address import Address
from backend.explorer.schemas import (
    MOST_QUERY,
    SavedViewChange,
    SavedViewCreate,
    SavedViewPublic,
)
from backend.models import Project, SavedView
from backend.words import Message


class SavedViews:
    """The views that one reader sees, within one transaction."""

    def __init__(self, session: Session, clock: Clock, reader: Principal) -> None:
        self._session = session
        self._clock = clock
        self._reader = reader

    def list_all(self, project: Project) -> list[SavedViewPublic]:
        """The reader's own and those of everybody, by name."""
        rows = repository.views(self._session, project.id, self._reader.name)
        return [self._public(row) for row in rows]

    def get(self, project: Project, view_id: int) -> SavedViewPublic:
        """One of them.

        Raises:
            NotFound: the reader sees no such view.
        """
        return self._public(self._row(project, view_id))

    def save(self, project: Project, wanted: SavedViewCreate) -> SavedViewPublic:
        """The view is kept.

        Raises:
            Conflict: the reader has one of that name.
            InvalidInput: the query says what no address can.
        """
        row = SavedView(
            project_id=project.id,
            name=wanted.name.strip(),
            query=_query_of(wanted.query),
            owner=self._reader.name,
            is_shared=wanted.is_shared,
            created_at=self._clock(),
        )
        return self._put(row)

    def change(self, project: Project, view_id: int, wanted: SavedViewChange) -> SavedViewPublic:
        """The view has what is told; the rest stays.

        Raises:
            NotFound: the reader sees no such view.
            NotAllowed: it is somebody else's, and the reader leads nobody.
            Conflict: its owner has another of that name.
            InvalidInput: the query says what no address can.
        """
        row = self._own(project, view_id)
        if wanted.name is not None:
            row.name = wanted.name.strip()
        if wanted.query is not None:
            row.query = _query_of(wanted.query)
        if wanted.is_shared is not None:
            row.is_shared = wanted.is_shared
        return self._put(row)

    def delete(self, project: Project, view_id: int) -> None:
        """The view is gone.

        Raises:
            NotFound: the reader sees no such view.
            NotAllowed: it is somebody else's, and the reader leads nobody.
        """
        repository.drop(self._session, self._own(project, view_id))

    def _put(self, row: SavedView) -> SavedViewPublic:
        name = row.name
        if not repository.put(self._session, row):
            raise Conflict(
                Message("There is a view {name!r} already.", name=name),
                field="name",
                value=name,
                remedy=Message("Choose another name, or delete that view first."),
            )
        return self._public(row)

    def _row(self, project: Project, view_id: int) -> SavedView:
        row = repository.find(self._session, project.id, view_id)
        if row is None or not (row.is_shared or self._may_change(row)):
            raise NotFound(
                Message("There is no view {view_id}.", view_id=view_id),
                field="view_id",
                value=view_id,
                remedy=Message("The page of the records lists the views."),
            )
        return row

    def _own(self, project: Project, view_id: int) -> SavedView:
        row = self._row(project, view_id)
        if not self._may_change(row):
            raise NotAllowed(
                Message("The view {name!r} is {owner}'s.", name=row.name, owner=row.owner),
                field="view_id",
                value=view_id,
                remedy=Message("Open it and save it under a name of your own."),
            )
        return row

    def _may_change(self, row: SavedView) -> bool:
        return row.owner == self._reader.name or self._reader.may("lead")

    def _public(self, row: SavedView) -> SavedViewPublic:
        address = f"/projects/{row.project_id}/records"
        return SavedViewPublic(
            id=row.id,
            name=row.name,
            query=row.query,
            address=f"{address}?{row.query}" if row.query else address,
            owner=row.owner,
            is_shared=row.is_shared,
            may_change=self._may_change(row),
            created_at=row.created_at,
        )


def _query_of(query: str) -> str:
    """The query as every address of that choice has it."""
    address = Address.of_query(query.removeprefix("?"))
    if address.error is not None:
        raise InvalidInput(
            address.error.message, field="query", value=query, remedy=address.error.remedy
        )
    if len(address.query) > MOST_QUERY:
        raise InvalidInput(
            Message("The view has too many conditions for an address."),
            field="query",
            value=len(address.query),
            remedy=Message("Take some of them away."),
        )
    return address.query
