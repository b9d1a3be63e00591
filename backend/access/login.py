"""The login cookie, and credentials turned into principals."""

import hashlib
import hmac
import secrets
from typing import Any

from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlmodel import Session

from backend.access import repository
from backend.access.service import hash_key, parse_role
from backend.core.security import Principal
from backend.core.settings import Settings
from backend.models import User

LOGIN_SECONDS = 12 * 3600


class Login:
    """Signs login cookies and recognises them and API keys (``core.security.Authenticator``).

    A cookie names the user and a fingerprint of the password hash: a new password ends every
    login made with the old one, without a table of sessions. Without a ``session_secret`` the
    signing key lasts as long as the process, which only development allows.
    """

    def __init__(self, settings: Settings) -> None:
        secret = settings.session_secret
        key = secret.get_secret_value() if secret else secrets.token_urlsafe(32)
        self._serializer = URLSafeTimedSerializer(key, salt="assay-login")

    def cookie_for(self, user: User) -> str:
        """A cookie that is valid for ``LOGIN_SECONDS``."""
        return self._serializer.dumps(
            {"user": user.id, "password": _fingerprint(user), "nonce": secrets.token_urlsafe(8)}
        )

    def by_cookie(self, session: Session, cookie: str) -> Principal | None:
        """The user who logged in, or None if forged, expired, disabled or password changed."""
        try:
            content: Any = self._serializer.loads(cookie, max_age=LOGIN_SECONDS)
        except BadSignature:
            return None
        user = repository.user_by_id(session, content["user"])
        if user is None or user.is_disabled:
            return None
        if not hmac.compare_digest(_fingerprint(user), content["password"]):
            return None
        return Principal(name=user.email, role=parse_role(user.role))

    def by_api_key(self, session: Session, key: str) -> Principal | None:
        """The holder of ``key``, or None if unknown or revoked."""
        key_hash = hash_key(key)
        row = repository.api_key_by_hash(session, key_hash)
        if row is None or row.revoked_at is not None:
            return None
        if not hmac.compare_digest(row.key_hash, key_hash):
            return None
        return Principal(name=f"key:{row.name}", role=parse_role(row.role))


def _fingerprint(user: User) -> str:
    return hashlib.sha256(user.password_hash.encode()).hexdigest()[:16]
