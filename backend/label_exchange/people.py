"""Who annotated in another Label Studio, as annotators here."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from backend.label_exchange import import_repository
from labeling.label_studio.label_mapping import LabelMapping


class People:
    """Finds or makes the annotator that an export names, within one transaction.

    By e-mail address where one is told; else by the other server's user id, which is nobody's
    here: such a person gets a negative one, which no Label Studio gives out.
    """

    def __init__(self, session: Session, mapping: LabelMapping, now: datetime) -> None:
        self._session = session
        self._mapping = mapping
        self._now = now
        self._known: dict[tuple[str, int, bool], int | None] = {}

    def user_id(self, completed_by: object, *, is_ours: bool) -> int | None:
        """The person's user id as the store keeps it; None if nobody is named.

        ``is_ours``: the id is one of the Label Studio that is connected here.
        """
        email, user = _identity(completed_by)
        key = (email, user, is_ours)
        if key not in self._known:
            self._known[key] = self._find(email, user, is_ours=is_ours)
        return self._known[key]

    def _find(self, email: str, user: int, *, is_ours: bool) -> int | None:
        named = self._mapping.annotators
        address = named.get(email) or named.get(str(user)) or email
        if user and (is_ours or self._mapping.same_server) and not named.get(str(user)):
            return user
        if address:
            person = import_repository.annotator_by_email(
                self._session, address
            ) or import_repository.add_annotator(
                self._session, user_id=None, email=address, name=None, now=self._now
            )
            return person.label_studio_user_id
        if not user:
            return None
        person = import_repository.annotator_by_user(
            self._session, -user
        ) or import_repository.add_annotator(
            self._session,
            user_id=-user,
            email=None,
            name=f"user {user} of another Label Studio",
            now=self._now,
        )
        return person.label_studio_user_id


def _identity(completed_by: object) -> tuple[str, int]:
    """(e-mail address, user id); empty and 0 where they are not told."""
    if isinstance(completed_by, Mapping):
        email, user = completed_by.get("email"), completed_by.get("id")
    else:
        is_address = isinstance(completed_by, str) and "@" in completed_by
        email, user = (completed_by, None) if is_address else (None, completed_by)
    is_number = isinstance(user, int) and not isinstance(user, bool) and user > 0
    return (email.strip() if isinstance(email, str) else "", int(str(user)) if is_number else 0)
