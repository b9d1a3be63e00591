"""How a receiver knows that a notice is ours: HMAC-SHA256 over the time and the body."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

SIGNATURE_HEADER = "X-Assay-Signature"
NOTICE_HEADER = "X-Assay-Notice"
SECRET_PREFIX = "assay_notice_"


def new_secret() -> str:
    """A secret of 256 random bits."""
    return SECRET_PREFIX + secrets.token_urlsafe(32)


def body_bytes(body: Mapping[str, Any]) -> bytes:
    """The body as it is sent and signed."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: str, body: bytes, at: datetime) -> str:
    """The header's value: ``t=SECONDS,v1=HEX``, HEX being the HMAC of ``SECONDS.BODY``.

    The time is in it so that what was overheard cannot be sent again later.

    >>> from datetime import UTC
    >>> signature("s", b"{}", datetime(2026, 5, 1, tzinfo=UTC))[:20]
    't=1777593600,v1=0869'
    """
    seconds = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256)
    return f"t={seconds},v1={digest.hexdigest()}"
