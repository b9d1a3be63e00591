"""The login cookie, and credentials turned into principals."""

import hashlib
import hmac
import secrets
from typing import Any

from fastapi import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlmodel import Session

from backend.access import repository
from backend.access.service import hash_key, parse_key_role, parse_user_role
from backend.core.security import SESSION_COOKIE, Principal
from backend.core.settings import Settings
from backend.models import User

LOGIN_SECONDS = 12 * 3600
"""Chosen: a working day."""


class Login:
    """Signs login cookies and recognises them and API keys (``core.security.Authenticator``).

    A cookie names the user, a fingerprint of the password hash and the user's login generation:
    a new password ends every login made with the old one, and a new generation ("log out
    everywhere", a disabled user) every login made before, without a table of sessions. Without a
    ``session_secret`` the signing key lasts as long as the process, which only development allows.
    """

    def __init__(self, settings: Settings) -> None:
        secret = settings.session_secret
        key = secret.get_secret_value() if secret else secrets.token_urlsafe(32)
        self._is_production = settings.environment == "production"
        self._serializer = URLSafeTimedSerializer(key, salt="assay-login")

    def cookie_for(self, user: User) -> str:
        """A cookie that is valid for ``LOGIN_SECONDS``."""
        return self._serializer.dumps(
            {
                "user": user.id,
                "password": _fingerprint(user),
                "generation": user.login_generation,
                "nonce": secrets.token_urlsafe(8),
            }
        )

    def set_cookie(self, response: Response, request: Request, user: User) -> None:
        """The browser that gets ``response`` is logged in as ``user`` for ``LOGIN_SECONDS``.

        Scripts cannot read the cookie, forms of other sites do not send it, and over https or in
        production the browser sends it over https (or to itself) only.
        """
        response.set_cookie(
            SESSION_COOKIE,
            self.cookie_for(user),
            max_age=LOGIN_SECONDS,
            httponly=True,
            samesite="lax",
            secure=self._is_production or request.url.scheme == "https",
        )

    def by_cookie(self, session: Session, cookie: str) -> Principal | None:
        """The user who logged in, or None if forged, expired, ended or disabled."""
        try:
            content: Any = self._serializer.loads(cookie, max_age=LOGIN_SECONDS)
        except BadSignature:
            return None
        user = repository.user_by_id(session, content["user"])
        if user is None or user.is_disabled:
            return None
        if not hmac.compare_digest(_fingerprint(user), content["password"]):
            return None
        if content.get("generation") != user.login_generation:
            return None
        return Principal(name=user.email, role=parse_user_role(user.role))

    def by_api_key(self, session: Session, key: str) -> Principal | None:
        """The holder of ``key``, or None if unknown or revoked."""
        key_hash = hash_key(key)
        row = repository.api_key_by_hash(session, key_hash)
        if row is None or row.revoked_at is not None:
            return None
        if not hmac.compare_digest(row.key_hash, key_hash):
            return None
        return Principal(name=f"key:{row.name}", role=parse_key_role(row.role))


def _fingerprint(user: User) -> str:
    return hashlib.sha256(user.password_hash.encode()).hexdigest()[:16]
