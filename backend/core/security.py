"""Roles and principals: who is asking, and what a role includes."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from sqlmodel import Session

UserRole = Literal["annotator", "viewer", "reviewer", "engineer", "lead", "admin"]
KeyRole = Literal["scorer", "viewer", "reviewer", "engineer", "service", "lead", "admin"]
Role = Literal["annotator", "scorer", "viewer", "reviewer", "engineer", "service", "lead", "admin"]
ROLES: tuple[Role, ...] = (
    "annotator",
    "scorer",
    "viewer",
    "reviewer",
    "engineer",
    "service",
    "lead",
    "admin",
)
"""Each includes those before it. ``scorer`` and ``service`` are for programs: a key's role, never
a person's. A scorer asks the classifier about records that it brings, and sees nothing else: not
even an annotator may, or suggestions would reach whoever is to answer without them."""
USER_ROLES: tuple[UserRole, ...] = get_args(UserRole)
KEY_ROLES: tuple[KeyRole, ...] = get_args(KeyRole)
"""A key is nobody's own work, so none is an annotator's."""

SESSION_COOKIE = "assay_session"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"


@dataclass(frozen=True)
class Principal:
    """Someone who proved who they are: a user by cookie or a program by API key."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """True if this principal's role includes ``role`` (each includes those before it)."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Authenticator(Protocol):
    """Turns credentials into a principal; the access room implements it."""

    def by_api_key(self, session: Session, key: str) -> Principal | None:
        """The holder of ``key``, or None if it is unknown or revoked."""
        ...

    def by_cookie(self, session: Session, cookie: str) -> Principal | None:
        """The user who logged in with ``cookie``, or None if forged, expired or disabled."""
        ...


def csrf_token(cookie: str) -> str:
    """The token that proves a form came from our own page: another site can send the
    login cookie but cannot read it (HttpOnly), so it cannot compute this."""
    return hashlib.sha256(b"assay-csrf:" + cookie.encode()).hexdigest()


def csrf_token_matches(cookie: str, token: str) -> bool:
    """Constant-time comparison of a submitted token with the cookie's own."""
    return hmac.compare_digest(csrf_token(cookie).encode(), token.encode())
