"""Users and API keys: make, list, change, disable, revoke."""

import hashlib
import re
import secrets
from collections.abc import Sequence

from sqlmodel import Session

from backend.access import repository
from backend.access.passwords import hash_password, password_matches
from backend.access.schemas import ApiKeyPublic, NewApiKey, UserPublic
from backend.audit.service import AuditTrail
from backend.core.clock import Clock
from backend.core.exceptions import Conflict, InvalidInput, NotAuthenticated, NotFound
from backend.core.security import KEY_ROLES, USER_ROLES, KeyRole, UserRole
from backend.models import ApiKey, User
from backend.words import Message

KEY_PREFIX = "assay_"
SHOWN_CHARACTERS = 12
"""``assay_`` and six random characters: 36 bits tell keys apart, and open nothing."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class AccessService:
    """Who may come in; every change leaves an audit event naming ``actor``."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._audit = AuditTrail(session, clock)

    def has_users(self) -> bool:
        """True once the first user was made."""
        return repository.count_users(self._session) > 0

    def create_user(self, email: str, role: str, password: str, *, actor: str) -> UserPublic:
        """A new user.

        Raises:
            InvalidInput: e-mail address, role or password cannot be used.
            Conflict: the address is taken.
        """
        address, checked_role = _normal_address(email), parse_user_role(role)
        password_hash = hash_password(password)  # slow: before the first query takes a lock
        if repository.user_by_email(self._session, address):
            raise Conflict(
                Message("A user {address} exists.", address=address),
                field="email",
                value=address,
                remedy=Message("Choose another address, or set that user's password anew."),
            )
        user = User(
            email=address, role=checked_role, password_hash=password_hash, created_at=self._clock()
        )
        repository.add(self._session, user)
        self._audit.append(actor, "user.created", f"user:{user.id}", {"role": user.role})
        return UserPublic.of(user)

    def users(self) -> list[UserPublic]:
        """All users by e-mail address."""
        return [UserPublic.of(user) for user in repository.users(self._session)]

    def user_by_id(self, user_id: int) -> UserPublic:
        """The user with that id.

        Raises:
            NotFound: there is none.
        """
        user = repository.user_by_id(self._session, user_id)
        if user is None:
            raise NotFound(
                Message("There is no user {user}.", user=user_id),
                field="user_id",
                value=user_id,
            )
        return UserPublic.of(user)

    def set_role(self, email: str, role: str, *, actor: str) -> UserPublic:
        """The user has that role from their next request on.

        Raises:
            InvalidInput: there is no such role for people.
            Conflict: nobody would be an administrator any more.
        """
        user, after = self._user(email), parse_user_role(role)
        before = user.role
        if before == after:
            return UserPublic.of(user)
        if after != "admin":
            self._keep_an_admin(user)
        user.role = after
        self._audit.append(
            actor, "user.role_changed", f"user:{user.id}", {"before": before, "after": after}
        )
        return UserPublic.of(user)

    def disable_user(self, email: str, *, actor: str) -> UserPublic:
        """The user can no longer log in and every open login of theirs has ended.

        Raises:
            Conflict: nobody would be an administrator any more.
        """
        user = self._user(email)
        self._keep_an_admin(user)
        user.is_disabled = True
        user.login_generation += 1
        self._audit.append(actor, "user.disabled", f"user:{user.id}")
        return UserPublic.of(user)

    def enable_user(self, email: str, *, actor: str) -> UserPublic:
        """The user may log in again, with the password they had."""
        user = self._user(email)
        user.is_disabled = False
        self._audit.append(actor, "user.enabled", f"user:{user.id}")
        return UserPublic.of(user)

    def end_logins(self, email: str, *, actor: str) -> UserPublic:
        """Every open login of the user has ended, in every browser."""
        user = self._user(email)
        user.login_generation += 1
        self._audit.append(actor, "user.logins_ended", f"user:{user.id}")
        return UserPublic.of(user)

    def set_password(self, email: str, password: str, *, actor: str) -> UserPublic:
        """The user has a new password and may log in; every open login of theirs has ended."""
        password_hash = hash_password(password)  # slow: before the first query takes a lock
        user = self._user(email)
        user.password_hash = password_hash
        user.is_disabled = False
        user.login_generation += 1
        self._audit.append(actor, "user.password_set", f"user:{user.id}")
        return UserPublic.of(user)

    def user(self, email: str) -> User:
        """The user's row.

        Raises:
            NotFound: there is no such user.
        """
        return self._user(email)

    def check_password(self, email: str, password: str) -> User:
        """The user with this address and password.

        Raises:
            NotAuthenticated: unknown, disabled or wrong; which one is not told.
        """
        user = repository.user_by_email(self._session, email.strip().lower())
        matches = password_matches(user.password_hash if user else None, password)
        if user is None or not matches or user.is_disabled:
            raise NotAuthenticated(Message("E-mail address or password is wrong."), field="email")
        return user

    def create_key(self, name: str, role: str, *, actor: str) -> NewApiKey:
        """A new API key; the only moment at which the key itself is known.

        Raises:
            InvalidInput: the name is empty, or no key can have the role.
        """
        if not name.strip():
            raise InvalidInput(
                Message("The key has no name."),
                field="name",
                value=name,
                remedy=Message("Say what it is for."),
            )
        key = KEY_PREFIX + secrets.token_urlsafe(32)
        row = ApiKey(
            name=name.strip(),
            prefix=key[:SHOWN_CHARACTERS],
            key_hash=hash_key(key),
            role=parse_key_role(role),
            created_at=self._clock(),
        )
        repository.add(self._session, row)
        self._audit.append(actor, "api_key.created", f"api_key:{row.id}", {"role": row.role})
        return NewApiKey(**ApiKeyPublic.of(row).model_dump(), key=key)

    def keys(self) -> list[ApiKeyPublic]:
        """All keys, oldest first, revoked ones included."""
        return [ApiKeyPublic.of(key) for key in repository.api_keys(self._session)]

    def revoke_key(self, prefix: str, *, actor: str) -> ApiKeyPublic:
        """The key that starts with ``prefix`` opens nothing from now on.

        Raises:
            NotFound: no key starts so.
            Conflict: several do.
        """
        found = repository.api_key_by_prefix(self._session, prefix[:SHOWN_CHARACTERS])
        if len(found) > 1:
            raise Conflict(
                Message.ngettext(
                    "{n} key starts with {prefix}.",
                    "{n} keys start with {prefix}.",
                    n=len(found),
                    prefix=prefix,
                ),
                field="prefix",
                value=prefix,
            )
        if not found:
            raise NotFound(
                Message("No API key starts with {prefix}.", prefix=prefix),
                field="prefix",
                value=prefix,
                remedy=Message("The list of keys shows the first 12 characters of each."),
            )
        key = found[0]
        key.revoked_at = key.revoked_at or self._clock()
        self._audit.append(actor, "api_key.revoked", f"api_key:{key.id}")
        return ApiKeyPublic.of(key)

    def _keep_an_admin(self, user: User) -> None:
        admins = repository.lock_active_admins(self._session)
        if [admin.id for admin in admins] == [user.id]:
            raise Conflict(
                Message("{email} is the only administrator who can log in.", email=user.email),
                field="email",
                value=user.email,
                remedy=Message("Make somebody else an administrator first."),
            )

    def _user(self, email: str) -> User:
        user = repository.user_by_email(self._session, email.strip().lower())
        if user is None:
            raise NotFound(
                Message("There is no user {email}.", email=email),
                field="email",
                value=email,
                remedy=Message("The list of users shows them all."),
            )
        return user


def hash_key(key: str) -> str:
    """SHA-256 of an API key, hex: keys are 256 random bits, so no salt or slow hash is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def parse_user_role(role: str) -> UserRole:
    """``role`` as one that a person can have.

    Raises:
        InvalidInput: it is none of them.
    """
    for known in USER_ROLES:
        if role == known:
            return known
    raise InvalidInput(
        Message("A user cannot have the role {role!r}.", role=role),
        field="role",
        value=role,
        remedy=_one_of(USER_ROLES),
    )


def parse_key_role(role: str) -> KeyRole:
    """``role`` as one that an API key can have.

    Raises:
        InvalidInput: it is none of them.
    """
    for known in KEY_ROLES:
        if role == known:
            return known
    raise InvalidInput(
        Message("A key cannot have the role {role!r}.", role=role),
        field="role",
        value=role,
        remedy=_one_of(KEY_ROLES),
    )


def _one_of(roles: Sequence[str]) -> Message:
    return Message("Use one of {roles}.", roles=[Message(role) for role in roles])


def _normal_address(email: str) -> str:
    address = email.strip().lower()
    if len(address) > 320 or not _EMAIL.fullmatch(address):
        raise InvalidInput(
            Message("{email!r} is not an e-mail address.", email=email),
            field="email",
            value=email,
            remedy=Message("Write it as name@example.org."),
        )
    return address
